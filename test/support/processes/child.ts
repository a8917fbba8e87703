// Both ends of a channel are in the same commit, so what travels over it is typed by whoever reads it, and not checked.
/* oxlint-disable typescript/no-unnecessary-type-parameters */
import { fork } from 'node:child_process';
import { once } from 'node:events';

/** A Node process that this one started and talks to. */
export interface Child {
  /** @param message any JSON; lost where the process is gone */
  send(message: object): void;
  /** `SIGKILL`: it ends at whatever line it is on */
  kill(): void;
  /** resolves when it is gone */
  exited: Promise<void>;
}

/**
 * Starts a file of this project as a process of its own. It ends when this one does, because its channel closes
 * (see {@link endWithParent}).
 *
 * @param file absolute path
 * @param settings any JSON, for {@link settingsOf}
 * @param onMessage hears what it sends
 */
export function startChild<M>(file: string, settings: object, onMessage: (message: M) => void): Child {
  const child = fork(file, [JSON.stringify(settings)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const exited = once(child, 'exit').then(() => undefined);
  child.on('message', (message) => isTrusted<M>(message) && onMessage(message));
  child.on('error', () => undefined);
  return {
    send: (message) => void (child.connected && child.send(message, () => undefined)),
    kill: () => void child.kill('SIGKILL'),
    exited,
  };
}

/** @returns what the parent passed to {@link startChild} */
export function settingsOf<S>(): S {
  const settings: S = JSON.parse(process.argv[2] ?? '{}');
  return settings;
}

function isTrusted<M>(message: unknown): message is M {
  return typeof message === 'object';
}

/** Tells the parent; does nothing where there is none. */
export function tellParent(message: object): void {
  if (process.connected) process.send?.(message);
}

/** Hears what the parent sends. */
export function onParentMessage<M>(listener: (message: M) => void): void {
  process.on('message', (message) => isTrusted<M>(message) && listener(message));
}

/** Without its parent a process of a test has nothing to do. */
export function endWithParent(): void {
  process.on('disconnect', () => process.exit());
}
