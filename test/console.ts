/**
 * `npm run test:console`: tries the console in Debian's Chromium. Installs that where it is missing and apt-get may be used, else
 * says what is missing and fails. `CHROMIUM=/path/to/chromium` names another one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const chromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

function runs(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}

/** The lists of a fresh image are empty, so an install without an update finds nothing. */
function install(): boolean {
  process.stderr.write('Installing Chromium with apt-get: this is done once and takes a minute or two.\n');
  return (
    runs('apt-get', '-qq', 'update') && runs('apt-get', '-qq', '-y', 'install', '--no-install-recommends', 'chromium', 'fonts-dejavu-core')
  );
}

if (!existsSync(chromium) && (process.env['CHROMIUM'] !== undefined || !install())) {
  process.stderr.write(`${chromium} is missing and could not be installed. Install Chromium, or name one in CHROMIUM, and try again.\n`);
  process.exit(1);
}
const jest = [path.join(root, 'infra', 'bootstrap.mjs'), '--jest', '--config', 'test/console/jest.config.mjs', ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, jest, { cwd: root, stdio: 'inherit' }).status ?? 1);
