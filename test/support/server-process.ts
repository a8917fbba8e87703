import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

const readyWithinMs = 30_000;
const stopWithinMs = 5_000;

/** A server in a process of its own. */
export interface ServerProcess {
  /** @returns what it has printed so far */
  logs: () => string;
  /** Ends it and whatever it started, and removes its directory; resolves when all of it is gone. */
  stop: () => Promise<void>;
}

/**
 * Starts a server and waits until it answers.
 *
 * @param options `directory`: its own, removed when it stops; `env`: on top of this process's; `isReady`: may throw for "not yet"
 * @throws Error with the end of what it printed, where it does not become ready
 */
export async function startServerProcess(options: {
  name: string;
  command: readonly [string, ...string[]];
  directory: string;
  env?: Readonly<Record<string, string>>;
  isReady: () => Promise<boolean>;
}): Promise<ServerProcess> {
  const { name, directory } = options;
  const [command, ...args] = options.command;
  const logFile = join(directory, 'server.log');
  const log = openSync(logFile, 'a');
  // A group of its own, so that what it starts can be ended with it.
  const child = spawn(command, args, {
    cwd: directory,
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...options.env },
  });
  closeSync(log);
  const spawned = new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const killGroup = (): void => signalGroup(child, 'SIGKILL');
  process.once('exit', killGroup);
  const logs = (): string => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  const stop = async (): Promise<void> => {
    await stopGroup(child);
    process.removeListener('exit', killGroup);
    await rm(directory, { recursive: true, force: true });
  };
  await spawned;
  if (!(await becomesReady(child, options.isReady))) {
    const tail = logs().slice(-2_000);
    await stop();
    throw new Error(`${name} did not become ready:\n${tail}`);
  }
  return { logs, stop };
}

async function becomesReady(child: ChildProcess, isReady: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + readyWithinMs;
  while (Date.now() < deadline && isRunning(child)) {
    if (await isReady().catch(() => false)) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

async function stopGroup(child: ChildProcess): Promise<void> {
  if (isRunning(child)) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
    await ended;
    clearTimeout(killer);
  }
  signalGroup(child, 'SIGKILL');
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // Nothing of the group is left.
  }
}
