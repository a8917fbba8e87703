import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { close, listen } from '../../infra/local/listen.ts';
import { installPackage, makePackages, pathsIn, type Packages } from '../support/packages.ts';

// The packages as others get them: made by the project's script, the client's installed by npm into an app that has nothing else.

const root = path.join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

const plainApp = `
import { bearer, createTokenSource } from 'token-vending-client';

const source = createTokenSource({ endpoint: process.argv[2], account: 'vidizmo/main', authenticate: bearer('jwt') });
const token = await source.getToken({ minTtlSeconds: 30 });
console.log(token.authorization, token.fingerprint);
`;

const typedApp = `
import { createTokenSource, VendError, type AccessToken, type Authenticate } from 'token-vending-client';

const authenticate: Authenticate = async ({ headers }) => headers;
const source = createTokenSource({ endpoint: 'https://tokens.example', account: 'vidizmo/main', authenticate });
const token: AccessToken = await source.getToken({ minTtlSeconds: 30 });
const answer: Response = await source.withToken(fetch)('https://video.example/');
export const words: string = token.authorization + answer.status;
export const seconds = (error: unknown): number | undefined => (error instanceof VendError ? error.retryAfterSeconds : undefined);
// @ts-expect-error there is no such option
await source.getToken({ minTtl: 30 });
`;

const cdkApp = `
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { TokenVending } from 'token-vending';

const app = new App({ outdir: 'cdk.out' });
new TokenVending(new Stack(app, 'tokens'), 'Tokens', { deployment: 'tokens' });
const files = readdirSync(app.synth().directory, { recursive: true });
console.log(files.filter((file) => path.basename(file) === 'index.mjs').length, 'functions bundled');
`;

let directory: string;
let packages: Packages;

beforeAll(async () => {
  // Inside of the project, so that the construct finds the CDK there, as beside itself in an app.
  await mkdir(path.join(root, '.cache'), { recursive: true });
  directory = await mkdtemp(path.join(root, '.cache', 'packages-'));
  packages = await makePackages(path.join(directory, 'made'));
}, 60_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('the package of the client', () => {
  let app: string;
  let server: Server;
  let endpoint: string;

  beforeAll(async () => {
    app = await mkdtemp(path.join(tmpdir(), 'token-vending-app-'));
    await installPackage(packages.client, app);
    server = createServer((request, response) => {
      const asked = `${request.method} ${request.url} ${request.headers.authorization}`;
      const body = { access_token: asked, token_type: 'Bearer', expires_in: 60, fingerprint: 'print', facts: {} };
      request.resume().on('end', () => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)));
    });
    endpoint = `http://127.0.0.1:${await listen(server)}`;
  }, 60_000);

  afterAll(async () => {
    await close(server);
    await rm(app, { recursive: true, force: true });
  });

  test('brings nothing else into the app: no other package, and no command', async () => {
    const installed = await readdir(path.join(app, 'node_modules'));
    expect(installed.toSorted()).toEqual(['.package-lock.json', 'token-vending-client']);
    // What is asked for as optional would be missing without a word where there is no registry.
    const manifest: object = JSON.parse(await readFile(path.join(app, 'node_modules', 'token-vending-client', 'package.json'), 'utf8'));
    const members = ['description', 'engines', 'exports', 'license', 'name', 'sideEffects', 'type', 'version'];
    expect(Object.keys(manifest).toSorted()).toEqual(members);
  });

  test('serves an app in plain JavaScript that has nothing else installed', async () => {
    await writeFile(path.join(app, 'app.mjs'), plainApp);
    const { stdout } = await run(process.execPath, ['app.mjs', endpoint], { cwd: app });
    expect(stdout).toBe('Bearer POST /v1/tokens/vidizmo/main Bearer jwt print\n');
  });

  test('tells a TypeScript app its types, with the types of browsers alone', async () => {
    await writeFile(path.join(app, 'app.ts'), typedApp);
    const compilerOptions = { module: 'nodenext', target: 'es2024', lib: ['es2024', 'dom'], types: [], strict: true, noEmit: true };
    await writeFile(path.join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }));
    const said = await run(path.join(root, 'node_modules', '.bin', 'tsc'), ['-p', app]).catch((error: unknown) => error);
    expect(said).toMatchObject({ stdout: '' });
  });

  test('holds each of its files built, the licence, and nothing more', async () => {
    const stems = (await readdir(path.join(root, 'functions', 'client'))).map((name) => name.replace(/\.ts$/, ''));
    const built = stems.flatMap((stem) => [`${stem}.js`, `${stem}.d.ts`]);
    expect(await pathsIn(packages.client)).toEqual(['LICENSE', 'package.json', ...built].toSorted());
  });
});

describe('the package of the construct', () => {
  let unpacked: string;
  let manifest: Record<string, unknown>;

  beforeAll(async () => {
    unpacked = path.join(directory, 'node_modules', 'token-vending');
    await mkdir(unpacked, { recursive: true });
    // A manifest above it, as an app has one; without it Node would take the name for the project's own.
    await writeFile(path.join(directory, 'package.json'), '{}');
    await run('tar', ['xzf', packages.construct, '--strip-components=1', '-C', unpacked]);
    manifest = JSON.parse(await readFile(path.join(unpacked, 'package.json'), 'utf8'));
  });

  test('asks for what its code imports and for nothing else, so for no Node', async () => {
    const files = (await pathsIn(packages.construct)).filter((file) => /\.js$|^dist\/infra\/.*\.d\.ts$/.test(file));
    const texts = await Promise.all(files.map((file) => readFile(path.join(unpacked, file), 'utf8')));
    const imported = texts.join('\n').matchAll(/(?:\bfrom |\bimport\(|^import )["']([^."'][^"']*)["']/gm);
    const names = [...imported].map(([, name = '']) => /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? '');
    const foreign = new Set(names.filter((name) => !name.startsWith('node:') && !builtinModules.includes(name)));
    const { dependencies, peerDependencies, ...rest } = manifest;
    expect([...foreign].toSorted()).toEqual(Object.keys({ ...Object(dependencies), ...Object(peerDependencies) }).toSorted());
    expect(Object.keys(rest).toSorted()).toEqual(['description', 'engines', 'exports', 'license', 'name', 'type', 'version']);
  });

  test('pins what the functions are bundled of to the versions that were tested', async () => {
    const lock: { packages: Record<string, { version: string }> } = JSON.parse(
      await readFile(path.join(root, 'package-lock.json'), 'utf8'),
    );
    const pins: Record<string, string> = Object(manifest['dependencies']);
    const tested = Object.keys(pins).map((name) => [name, lock.packages[`node_modules/${name}`]?.version]);
    expect(pins).toEqual(Object.fromEntries(tested));
  });

  test('holds the construct and the functions built, and no source, tool, local run, test or document', async () => {
    const built = (await pathsIn(packages.construct)).filter((file) => !['LICENSE', 'package.json'].includes(file));
    const sources = built.map((file) => file.replace(/^dist\//, '').replace(/(\.d\.ts|\.js)$/, '.ts'));
    expect(built.filter((file) => !/^dist\/.*(\.js|\.d\.ts)$/.test(file))).toEqual([]);
    expect(sources.filter((source) => !existsSync(path.join(root, source)))).toEqual([]);
    const belongs = /^(functions\/(?!client\/)|infra\/constructs\/|infra\/(token-vending|operations|table-definition)\.ts$)/;
    expect(sources.filter((source) => !belongs.test(source))).toEqual([]);
  });

  test('makes a stack whose functions it bundles of what it brings', async () => {
    await writeFile(path.join(directory, 'app.mjs'), cdkApp);
    const { stdout } = await run(process.execPath, ['app.mjs'], { cwd: directory });
    expect(stdout).toBe('4 functions bundled\n');
  });
});
