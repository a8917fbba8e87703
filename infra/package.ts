import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

// npm run package -- [--to DIRECTORY]
//
// Makes the two packages that others install. Each gets a manifest of its own, because package.json is the workshop's: its tools
// and its Node binary have no place in anybody's app.

interface Workshop {
  name: string;
  version: string;
  description: string;
  license: string;
  dependencies: Readonly<Record<string, string>>;
  devDependencies: Readonly<Record<string, string>>;
}

const root = path.join(import.meta.dirname, '..');
const workshop: Workshop = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const { version, license, dependencies, devDependencies: tools } = workshop;
const common = { version, license, type: 'module' };

const client = {
  name: `${workshop.name}-client`,
  description: `Gets access tokens from a deployment of ${workshop.name}`,
  ...common,
  engines: { node: '>=18' },
  sideEffects: false,
  exports: { '.': { types: './index.d.ts', default: './index.js' } },
};

const construct = {
  name: workshop.name,
  description: workshop.description,
  ...common,
  engines: { node: '>=20.11' },
  exports: { '.': { types: './dist/infra/token-vending.d.ts', default: './dist/infra/token-vending.js' } },
  // The functions are bundled where they are deployed, of the very versions that they were tested with.
  dependencies: { ...dependencies, esbuild: tools['esbuild'] },
  peerDependencies: { 'aws-cdk-lib': `^${tools['aws-cdk-lib']}`, constructs: `^${tools['constructs']}` },
};

/** Packs a directory. @returns where the package is */
function pack(directory: string, manifest: object, to: string): string {
  writeFileSync(path.join(directory, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  cpSync(path.join(root, 'LICENSE'), path.join(directory, 'LICENSE'));
  const args = ['pack', '--ignore-scripts', '--offline', '--silent', '--pack-destination', to];
  return path.join(to, execFileSync('npm', args, { cwd: directory, encoding: 'utf8' }).trim());
}

const { values } = parseArgs({ options: { to: { type: 'string', default: path.join(root, 'dist') } } });
const to = path.resolve(values.to);
const staging = mkdtempSync(path.join(tmpdir(), 'token-vending-packages-'));
try {
  const [constructs, clients] = [path.join(staging, 'construct'), path.join(staging, 'client')];
  const built = path.join(constructs, 'dist');
  execFileSync(path.join(root, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json', '--outDir', built], {
    cwd: root,
    stdio: 'inherit',
  });
  renameSync(path.join(built, 'functions', 'client'), clients);
  mkdirSync(to, { recursive: true });
  for (const made of [pack(clients, client, to), pack(constructs, construct, to)]) process.stdout.write(`${path.relative('', made)}\n`);
} finally {
  rmSync(staging, { recursive: true });
}
