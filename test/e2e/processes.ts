import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

export const root = path.join(import.meta.dirname, '..', '..');

/**
 * Runs a command of this project to its end, as a person would type it.
 *
 * @returns everything that it printed
 * @throws Error with the end of what it printed, where it fails
 */
export async function run(file: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(file, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}:\n${printed.slice(-3_000)}`);
  return printed;
}

/** A process that runs beside the test. */
export interface Companion {
  /** its first line */
  firstLine: string;
  stop(): Promise<void>;
}

/** Starts a script of this project and waits for the first line that it prints. */
export async function startCompanion(script: string): Promise<Companion> {
  const child = spawn(process.execPath, [path.join(root, script)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const line = await Promise.race([once(createInterface(child.stdout), 'line'), ended.then(() => undefined)]);
  if (line === undefined) throw new Error(`${script} ended before it was ready`);
  return { firstLine: String(line[0]), stop: () => stop(child, ended) };
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  await ended;
}
