import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { DeleteSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { close, listen } from '../../infra/local/listen.ts';

const main = path.join(import.meta.dirname, '..', '..', 'infra', 'local', 'main.ts');

/** A run of `npm start` without npm. */
class Run {
  readonly child: ChildProcess;
  output = '';
  readonly ended: Promise<number | null>;

  constructor(args: readonly string[], temporary: string) {
    const env = { ...process.env, TMPDIR: temporary };
    this.child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.ended = once(this.child, 'close').then(([code]: (number | null)[]) => code ?? null);
  }

  async ready(): Promise<void> {
    while (!this.output.includes('renewals are written below')) {
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}: ${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  curlLines(): string[] {
    return this.output.split('\n').filter((line) => line.startsWith('curl'));
  }

  /** Has what the aws command line has, once the file is sourced that is named on the terminal. */
  secretsManager(): SecretsManagerClient {
    const [, file = ''] = /\. '(.+)'; aws secretsmanager list-secrets/.exec(this.output) ?? [];
    const { AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = parseEnv(readFileSync(file, 'utf8'));
    const credentials = { accessKeyId: AWS_ACCESS_KEY_ID ?? '', secretAccessKey: AWS_SECRET_ACCESS_KEY ?? '' };
    return new SecretsManagerClient({ endpoint: AWS_ENDPOINT_URL ?? '', region: AWS_REGION ?? '', credentials });
  }

  /** Does what the curl line of an account does. */
  async paste(account: string): Promise<{ status: number; token: unknown; expiresIn: unknown }> {
    const line = this.curlLines().find((candidate) => candidate.endsWith(`/${account}`)) ?? '';
    const [, authorization = '', url = ''] = /^curl -sS -X POST -H 'Authorization: (.+)' (http:\S+)$/.exec(line) ?? [];
    const answer = await fetch(url, { method: 'POST', headers: { authorization } });
    const body: { access_token?: unknown; expires_in?: unknown } = JSON.parse(await answer.text());
    return { status: answer.status, token: body.access_token, expiresIn: body.expires_in };
  }
}

describe('npm start', () => {
  let directory: string;
  let runs: Run[];
  const start = (...args: string[]) => {
    const run = new Run(args, directory);
    runs.push(run);
    return run;
  };
  const fails = async (...args: string[]) => {
    const run = start(...args);
    return { code: await run.ended, said: run.output };
  };
  const secretsFile = (content: string) => {
    const file = path.join(directory, 'accounts.json');
    writeFileSync(file, content);
    return file;
  };

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'local run '));
    runs = [];
  });
  afterEach(async () => {
    for (const run of runs) run.child.kill('SIGKILL');
    await Promise.all(runs.map(({ ended }) => ended));
    rmSync(directory, { recursive: true });
  });

  test('prints one curl line an account, and with --data vends the same token after kill -9', async () => {
    const first = start('--port', '0', '--data', directory, '--life', '3600');
    await first.ready();
    const before = await first.paste('vidizmo/main');
    expect(before.status).toBe(200);
    expect(new Set(first.curlLines().map((line) => line.replace(/.*\/tokens\//, ''))).size).toBe(first.curlLines().length);
    expect(first.curlLines().length).toBeGreaterThan(0);
    first.child.kill('SIGKILL');
    await first.ended;
    const second = start('--port', '0', '--data', directory, '--life', '3600');
    await second.ready();
    const after = await second.paste('vidizmo/main');
    expect(after).toEqual({ ...before, expiresIn: expect.any(Number) });
    expect(after.expiresIn).toBeLessThanOrEqual(Number(before.expiresIn));
  });

  test('brings a deleted demo account back at the next start, and follows another life', async () => {
    const first = start('--port', '0', '--data', directory, '--life', '3600');
    await first.ready();
    await first.secretsManager().send(new DeleteSecretCommand({ SecretId: 'local/vidizmo/main' }));
    expect((await first.paste('vidizmo/main')).status).toBe(403);
    first.child.kill('SIGINT');
    expect(await first.ended).toBe(0);
    const second = start('--port', '0', '--data', directory, '--life', '130');
    await second.ready();
    const { status, expiresIn } = await second.paste('vidizmo/main');
    expect(status).toBe(200);
    expect(expiresIn).toBeLessThanOrEqual(130);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('ends cleanly on %s, sent twice as a terminal and npm do', async (signal) => {
    const run = start('--port', '0');
    await run.ready();
    run.child.kill(signal);
    run.child.kill(signal);
    expect(await run.ended).toBe(0);
  });

  test('says so where the port is taken', async () => {
    const server = createServer();
    const port = await listen(server);
    expect(await fails('--port', String(port))).toEqual({
      code: 1,
      said: `Port ${port} is taken: end what listens there, or choose another with --port N.\n`,
    });
    await close(server);
  });

  test('says so where another run has the data', async () => {
    const first = start('--port', '0', '--data', directory);
    await first.ready();
    expect(await fails('--port', '0', '--data', directory)).toEqual({
      code: 1,
      said: `${directory} is in use by another run: end that one first.\n`,
    });
  });

  test('says what is wrong with the secrets file, and nothing else', async () => {
    const { code, said } = await fails('--port', '0', '--secrets', secretsFile('{"vidizmo/main":{"pasword":"hunter2"}}'));
    expect(code).toBe(1);
    expect(said).toMatch(/^.+accounts\.json: vidizmo\/main: \w+ must .+\.\n$/);
    expect(said).not.toContain('hunter2');
  });

  test("takes one's own accounts in place of the simulators", async () => {
    const content = { 'vidizmo/mine': { base_url: 'https://127.0.0.1:9', email: 'a@example.com', password: 'p' } };
    const run = start('--port', '0', '--secrets', secretsFile(JSON.stringify(content)));
    await run.ready();
    expect(run.curlLines().map((line) => line.replace(/.*\/tokens\//, ''))).toEqual(['vidizmo/mine']);
    // Nobody listens there: the provider was really asked.
    expect((await run.paste('vidizmo/mine')).status).toBe(503);
  });

  test('says what is wrong with a flag', async () => {
    const said = "Unknown option '--frobnicate'. Run npm start -- --help for what there is.\n";
    expect(await fails('--frobnicate')).toEqual({ code: 1, said });
  });
});
