/**
 * `npm run test:protocol`: checks the model of the renewal protocol with Debian's spin, by docs/protocol/check-protocol.sh.
 * Installs spin where it is missing and apt-get may be used, else says what is missing and fails.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const script = join(import.meta.dirname, '..', 'docs', 'protocol', 'check-protocol.sh');

function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** @returns whether every one of the commands ended well */
function allRun(commands: readonly (readonly string[])[]): boolean {
  return commands.every(([program = '', ...rest]) => spawnSync(program, rest, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0);
}

function install(): void {
  const missing = [['spin', 'spin'] as const, ['cc', 'gcc'] as const].filter(([program]) => !has(program));
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name);
  // The lists of a fresh image are empty, so an install without an update finds nothing.
  const steps = [
    ['apt-get', '-qq', 'update'],
    ['apt-get', '-qq', '-y', 'install', ...packages],
  ];
  if (!has('apt-get') || !allRun(steps) || missing.some(([program]) => !has(program))) {
    process.stderr.write(`The model is checked with ${packages.join(' and ')}, which could not be installed. Install it and try again.\n`);
    process.stdout.write('0 passed, 1 failed\n');
    process.exit(1);
  }
}

install();
process.exit(spawnSync('bash', [script], { stdio: 'inherit' }).status ?? 1);
