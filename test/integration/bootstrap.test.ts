import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const bootstrap = path.join(import.meta.dirname, '..', '..', 'infra', 'bootstrap.mjs');
const dependency = { name: 'dependency', version: '1.0.0' };

describe('the bootstrap, in a fresh clone whose path has spaces', () => {
  let clone: string;

  /** A project like this one, whose one dependency lies beside it, so that no registry is asked. */
  const makeClone = (wanted: object) => {
    mkdirSync(path.join(clone, 'infra'));
    mkdirSync(path.join(clone, 'dependency'));
    cpSync(bootstrap, path.join(clone, 'infra', 'bootstrap.mjs'));
    const root = { name: 'clone', version: '1.0.0', dependencies: { dependency: 'file:dependency' } };
    const lock = {
      name: 'clone',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: { '': root, dependency: { version: '1.0.0' }, 'node_modules/dependency': { resolved: 'dependency', link: true } },
    };
    const files = { 'package.json': root, 'package-lock.json': { ...lock, ...wanted }, 'dependency/package.json': dependency };
    for (const [name, content] of Object.entries(files)) writeFileSync(path.join(clone, name), JSON.stringify(content));
    writeFileSync(
      path.join(clone, 'script.ts'),
      `const [code, ...rest]: string[] = process.argv.slice(2);
       if (code === 'wait') { process.on('SIGTERM', () => process.exit(5)); setTimeout(() => undefined, 60_000); }
       else process.exitCode = Number(code);
       console.log(JSON.stringify({ rest, first: process.env['PATH']!.split(':')[0] }));`,
    );
  };
  const start = (...args: string[]) => {
    const child = spawn(process.execPath, [path.join(clone, 'infra', 'bootstrap.mjs'), ...args], { cwd: tmpdir() });
    const run = { child, out: '', said: '', ended: once(child, 'close').then(([code]: (number | null)[]) => code) };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (run.out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (run.said += text));
    return run;
  };

  beforeEach(() => {
    clone = mkdtempSync(path.join(tmpdir(), 'a fresh clone '));
  });
  afterEach(() => rmSync(clone, { recursive: true }));

  test('installs once, runs a script with its arguments and passes its exit code on', async () => {
    makeClone({});
    const first = start('script.ts', '3', 'a b');
    expect(await first.ended).toBe(3);
    expect(first.said).toMatch(/^Installing the dependencies/);
    expect(JSON.parse(first.out)).toEqual({ rest: ['a b'], first: path.join(clone, 'node_modules', '.bin') });
    const second = start('script.ts', '0');
    expect(await second.ended).toBe(0);
    expect(second.said).toBe('');
  });

  test('installs anew when the lock file asks for something else', async () => {
    makeClone({});
    await start().ended;
    rmSync(path.join(clone, 'node_modules', '.package-lock.json'));
    const again = start('script.ts', '0');
    expect(await again.ended).toBe(0);
    expect(again.said).toMatch(/^Installing the dependencies/);
  });

  test('lets a second one wait while the first installs, and both run', async () => {
    makeClone({});
    const both = [start('script.ts', '0'), start('script.ts', '0')];
    expect(await Promise.all(both.map(({ ended }) => ended))).toEqual([0, 0]);
    expect(both.filter(({ said }) => said.includes('Installing the dependencies'))).toHaveLength(1);
    expect(existsSync(path.join(clone, '.cache', 'install.lock'))).toBe(false);
  });

  test('goes on where one that installed was killed', async () => {
    makeClone({});
    mkdirSync(path.join(clone, '.cache'));
    // No process has this id: it is above what Linux gives out.
    writeFileSync(path.join(clone, '.cache', 'install.lock'), '999999999');
    expect(await start('script.ts', '0').ended).toBe(0);
  });

  test('says in a sentence that an installation failed, beneath what npm said', async () => {
    makeClone({ packages: {} });
    const run = start('script.ts', '0');
    expect(await run.ended).toBe(1);
    expect(run.said).toMatch(/The installation failed \(npm ci ended with 1\): see npm's words above, then run this again\.\n$/);
    expect(run.out).toBe('');
  });

  test('passes signals on', async () => {
    makeClone({});
    const run = start('script.ts', 'wait');
    await once(run.child.stdout, 'data');
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(5);
  });
});
