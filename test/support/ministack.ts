import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { startServerProcess } from './server-process.ts';
import type { ServerProcess } from './server-process.ts';

/**
 * The exact release that the suites were written against. Tried with it: it answers a call in about 1 ms (no delay of small
 * packets any more) and deletes a stack by its ARN, so it runs as it comes, without a patch.
 */
export const ministackVersion = '1.5.33';

/** With it the emulator checks the signatures of JWTs; without it every token is refused. */
const cryptographyVersion = '50.0.2';

const cache = join(import.meta.dirname, '../../.cache');
const run = promisify(execFile);

/** A running emulator; stopping it also ends the functions that it runs. */
export interface Ministack extends ServerProcess {
  /** `http://127.0.0.1:<port>`, or https where its environment says `USE_SSL=1`, for `AWS_ENDPOINT_URL` */
  endpoint: string;
  port: number;
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
  const endpoint = `${options.env?.['USE_SSL'] === '1' ? 'https' : 'http'}://127.0.0.1:${port}`;
  const server = await startServerProcess({
    name: `ministack on port ${port}`,
    command: [python, '-m', 'ministack'],
    directory: temporary,
    env: {
      MINISTACK_HOST: '127.0.0.1',
      BIND_HOST: '127.0.0.1',
      IOT_MTLS_ENABLED: '0',
      TMPDIR: temporary,
      ...options.env,
      GATEWAY_PORT: String(port),
    },
    isReady: async () => (await fetch(`${endpoint}/_ministack/health`, { signal: AbortSignal.timeout(1_000) })).ok,
  });
  return { endpoint, port, ...server };
}
