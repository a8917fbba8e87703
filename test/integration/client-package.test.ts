import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { close, listen } from '../../infra/local/listen.ts';

// The package as an app gets it: built, packed by npm, unpacked where an installation puts it, used by plain JavaScript and by TypeScript.

const root = path.join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

const app = `
import { bearer, createTokenSource } from 'token-vending/client';

const source = createTokenSource({ endpoint: process.argv[2], account: 'vidizmo/main', authenticate: bearer('jwt') });
const token = await source.getToken({ minTtlSeconds: 30 });
console.log(token.authorization, token.fingerprint);
`;

const typedApp = `
import { createTokenSource, VendError, type AccessToken, type Authenticate } from 'token-vending/client';

const authenticate: Authenticate = async ({ headers }) => headers;
const source = createTokenSource({ endpoint: 'https://tokens.example', account: 'vidizmo/main', authenticate });
const token: AccessToken = await source.getToken({ minTtlSeconds: 30 });
const answer: Response = await source.withToken(fetch)('https://video.example/');
export const words: string = token.authorization + answer.status;
export const seconds = (error: unknown): number | undefined => (error instanceof VendError ? error.retryAfterSeconds : undefined);
// @ts-expect-error there is no such option
await source.getToken({ minTtl: 30 });
`;

describe('the package', () => {
  let directory: string;
  let consumer: string;
  let server: Server;
  let endpoint: string;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'token-vending-package-'));
    const build = path.join(directory, 'build');
    consumer = path.join(directory, 'consumer');
    const installed = path.join(consumer, 'node_modules', 'token-vending');
    await mkdir(installed, { recursive: true });
    await run(path.join(root, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json', '--outDir', path.join(build, 'dist')], {
      cwd: root,
    });
    await cp(path.join(root, 'package.json'), path.join(build, 'package.json'));
    const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--offline'], { cwd: build });
    const [{ filename }]: [{ filename: string }] = JSON.parse(packed.stdout);
    await run('tar', ['xzf', path.join(build, filename), '--strip-components=1', '-C', installed]);

    server = createServer((request, response) => {
      const asked = `${request.method} ${request.url} ${request.headers.authorization}`;
      const body = { access_token: asked, token_type: 'Bearer', expires_in: 60, fingerprint: 'print', facts: {} };
      request.resume().on('end', () => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)));
    });
    endpoint = `http://127.0.0.1:${await listen(server)}`;
  }, 60_000);

  afterAll(async () => {
    await close(server);
    await rm(directory, { recursive: true, force: true });
  });

  test('serves an app in plain JavaScript that has nothing else installed', async () => {
    await writeFile(path.join(consumer, 'app.mjs'), app);
    const { stdout } = await run(process.execPath, ['app.mjs', endpoint], { cwd: consumer });
    expect(stdout).toBe('Bearer POST /v1/tokens/vidizmo/main Bearer jwt print\n');
  });

  test('tells a TypeScript app its types, with the types of browsers alone', async () => {
    await writeFile(path.join(consumer, 'package.json'), '{ "type": "module" }');
    await writeFile(path.join(consumer, 'app.ts'), typedApp);
    const compilerOptions = { module: 'nodenext', target: 'es2024', lib: ['es2024', 'dom'], types: [], strict: true, noEmit: true };
    await writeFile(path.join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }));
    const said = await run(path.join(root, 'node_modules', '.bin', 'tsc'), ['-p', consumer]).catch((error: unknown) => error);
    expect(said).toMatchObject({ stdout: '' });
  });

  test('holds what its exports name, and no source, test or document', async () => {
    const installed = path.join(consumer, 'node_modules', 'token-vending');
    const read = async (name: string) => readFile(path.join(installed, name), 'utf8');
    const { exports }: { exports: Record<string, { types: string; default: string }> } = JSON.parse(await read('package.json'));
    const files = Object.values(exports).flatMap(({ types, default: code }) => [types, code]);
    const contents = await Promise.all(files.map(read));
    expect(contents.every((content) => content.length > 0)).toBe(true);
    await expect(read('functions/client/index.ts')).rejects.toThrow('ENOENT');
  });
});
