import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const root = path.join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

/** The packages that others install, made as `npm run package` makes them. */
export interface Packages {
  /** of the client: the file that an app installs */
  client: string;
  /** of the CDK construct */
  construct: string;
}

/** @param directory where they go */
export async function makePackages(directory: string): Promise<Packages> {
  const { stdout } = await run(process.execPath, [path.join(root, 'infra', 'package.ts'), '--to', directory], { cwd: root });
  const [client = '', construct = ''] = stdout.trim().split('\n');
  return { client: path.resolve(root, client), construct: path.resolve(root, construct) };
}

/**
 * Installs a package as the README says, into an app that has nothing yet. No registry is asked and no cache is read: what the
 * package does not bring itself makes it fail.
 *
 * @param app directory of the app; made where it is not there
 */
export async function installPackage(file: string, app: string): Promise<void> {
  await mkdir(app, { recursive: true });
  await writeFile(path.join(app, 'package.json'), '{ "name": "app", "private": true, "type": "module" }');
  await run('npm', ['install', '--offline', '--cache', path.join(app, '.no-cache'), '--no-audit', '--no-fund', file], { cwd: app });
}

/** @returns the paths in a package, sorted, without the folder `package` that npm puts all in */
export async function pathsIn(file: string): Promise<readonly string[]> {
  const { stdout } = await run('tar', ['tzf', file]);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.replace(/^package\//, ''))
    .toSorted();
}
