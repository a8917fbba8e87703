import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..', '..');

/** A command as an operator runs it, in a process of its own. */
function run(command: string, line: string) {
  const args = [path.join(root, 'infra', `${command}.ts`), ...line.split(' ')];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env: { PATH: process.env['PATH'] }, encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
}

describe('a local run without its URL', () => {
  test.each(['--local --help', '--from T --local --help', '--help --from T --local'])('is understood by npm run restore -- %s', (line) => {
    expect(run('restore', line).said).toMatch(/^Copies what a deployment's token table has lost/);
  });

  test.each([
    ['--local', 'http://127.0.0.1:8787/console'],
    ['--local http://127.0.0.1:9999', 'http://127.0.0.1:9999/console'],
  ])('serves the console itself, and npm run console -- %s says where', (line, url) => {
    expect(run('console', line)).toEqual({ status: 1, said: `A local run serves the console itself: open ${url}\n` });
  });
});

test.each(['restore', 'console'])('npm run %s says what it does not understand, and nothing else', (command) => {
  expect(run(command, '--everywhere')).toEqual({ status: 1, said: expect.stringMatching(/^Unknown option '--everywhere'.*\n$/) });
});
