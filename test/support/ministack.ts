import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';

/**
 * The exact release that the suites were written against. Tried with it: it answers a call in about 1 ms (no delay of small
 * packets any more) and deletes a stack by its ARN, so it runs as it comes, without a patch.
 */
export const ministackVersion = '1.5.33';

/** With it the emulator checks the signatures of JWTs; without it every token is refused. */
const cryptographyVersion = '50.0.2';

const cache = join(import.meta.dirname, '../../.cache');
const readyWithinMs = 30_000;
const stopWithinMs = 5_000;
const run = promisify(execFile);

/** A running emulator. */
export interface Ministack {
  /** `http://127.0.0.1:<port>`, for `AWS_ENDPOINT_URL` */
  endpoint: string;
  port: number;
  /** @returns what it has printed so far */
  logs: () => string;
  /** Ends it and the functions that it runs; resolves when all of it is gone. */
  stop: () => Promise<void>;
}

/**
 * Installs the emulator into a virtual environment of its own under `.cache/`, once.
 *
 * @returns path of the environment's Python
 * @throws Error where Python 3 with `venv`, or the package, is not to be had
 */
export async function installMinistack(): Promise<string> {
  const home = join(cache, `ministack-${ministackVersion}-cryptography-${cryptographyVersion}`);
  const python = join(home, 'bin/python');
  if (existsSync(python)) return python;
  await mkdir(cache, { recursive: true });
  // Made beside its place and moved there when it is whole, so that a broken or a second install leaves nothing half done.
  const building = await mkdtemp(join(cache, 'ministack-building-'));
  try {
    await run('python3', ['-m', 'venv', building]);
    await run(join(building, 'bin/python'), [
      '-m',
      'pip',
      'install',
      '--quiet',
      `ministack==${ministackVersion}`,
      `cryptography==${cryptographyVersion}`,
    ]);
    await rename(building, home).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } catch (error) {
    throw new Error(`ministack ${ministackVersion} could not be installed with python3 -m venv and pip`, { cause: error });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return python;
}

/**
 * Installs (once) and starts the emulator on 127.0.0.1.
 *
 * @param options `port`: a free one by default; `env`: variables for it and for the functions that it runs, on top of this
 *   process's own (`SSL_CERT_FILE`, `NODE_EXTRA_CA_CERTS`, a `PATH` with Node 24 first, …)
 * @returns the emulator, ready to answer
 * @throws Error where it cannot be installed or does not become ready
 */
export async function startMinistack(options: { port?: number; env?: Readonly<Record<string, string>> } = {}): Promise<Ministack> {
  const python = await installMinistack();
  const port = options.port ?? (await freePort());
  // Functions are unpacked here: below no package.json with "type": "module", else every call of one is a 502.
  const temporary = await mkdtemp(join(tmpdir(), 'ministack-'));
  const logFile = join(temporary, 'ministack.log');
  const log = openSync(logFile, 'a');
  const child = spawn(python, ['-m', 'ministack'], {
    cwd: temporary,
    // A group of its own, so that stopping it also ends the functions that it started.
    detached: true,
    stdio: ['ignore', log, log],
    env: {
      ...process.env,
      MINISTACK_HOST: '127.0.0.1',
      BIND_HOST: '127.0.0.1',
      IOT_MTLS_ENABLED: '0',
      TMPDIR: temporary,
      ...options.env,
      GATEWAY_PORT: String(port),
    },
  });
  closeSync(log);
  const killGroup = (): void => signalGroup(child, 'SIGKILL');
  process.once('exit', killGroup);
  const logs = (): string => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  const stop = async (): Promise<void> => {
    await stopGroup(child);
    process.removeListener('exit', killGroup);
    await rm(temporary, { recursive: true, force: true });
  };
  const endpoint = `http://127.0.0.1:${port}`;
  if (!(await isReady(child, `${endpoint}/_ministack/health`))) {
    const tail = logs().slice(-2_000);
    await stop();
    throw new Error(`ministack did not become ready on port ${port}:\n${tail}`);
  }
  return { endpoint, port, logs, stop };
}

async function isReady(child: ChildProcess, health: string): Promise<boolean> {
  const deadline = Date.now() + readyWithinMs;
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    const answer = await fetch(health, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
    if (answer?.ok) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
    await ended;
    clearTimeout(killer);
  }
  signalGroup(child, 'SIGKILL');
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // Nothing of the group is left.
  }
}
