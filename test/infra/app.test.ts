import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';

const root = path.join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(path.join(tmpdir(), 'token-vending-app-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Synthesizes the real app as the CDK CLI does, with cdk-nag, in a process of its own. */
function synthesize(name: string, context: Record<string, unknown>) {
  const output = path.join(directory, name);
  const result = spawnSync(process.execPath, ['infra/app.ts'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, CDK_OUTDIR: output, CDK_CONTEXT_JSON: JSON.stringify(context) },
  });
  return { ...result, output };
}

const withoutBundling = { 'aws:cdk:bundling-stacks': [] };

/** @returns the names of a template's outputs */
function outputsOf(file: string): string[] {
  const template: { Outputs: object } = JSON.parse(readFileSync(file, 'utf8'));
  return Object.keys(template.Outputs);
}

describe('the app', () => {
  test.each(['sandbox', 'production'])(
    'cdk-nag finds nothing in stage %s that has no written reason, the stack has its name, and says what an operator needs',
    (stage) => {
      const { status, stderr, stdout, output } = synthesize(`nag-${stage}`, { stage, ...withoutBundling });
      expect(`${stdout}${stderr}`).not.toContain('AwsSolutions-');
      expect(status).toBe(0);
      expect(readdirSync(output)).toContain(`token-vending-${stage}.template.json`);
      expect(outputsOf(path.join(output, `token-vending-${stage}.template.json`))).toEqual([
        'Url',
        'SecretPrefix',
        'GrantsPath',
        'VendArn',
      ]);
    },
  );

  test.each([
    ['a stage with a slash', { stage: 'a/b' }, 'must be lower case letters'],
    ['a configuration with a misspelt member', { config: 'misspelt' }, 'Unrecognized key'],
  ])('%s is refused with a plain reason', (_, context, reason) => {
    const config = path.join(directory, 'misspelt.ts');
    writeFileSync(config, "export const config = { name: 'x', everyStage: { grant: [] }, stages: {} };");
    const { status, stderr } = synthesize('refused', { ...withoutBundling, ...context, ...('config' in context ? { config } : {}) });
    expect(status).not.toBe(0);
    expect(stderr).toContain(reason);
  });
});

const bytesOf = (file: string) => readFileSync(file).byteLength;

describe('the bundles', () => {
  const { output, status, stderr } = synthesize('bundled', { stage: 'bundled' });
  const entries = readdirSync(output, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('index.mjs'));
  const files = entries.flatMap((entry) => {
    const folder = path.dirname(path.join(output, entry));
    return readdirSync(folder).map((file) => path.join(folder, file));
  });

  test('each function is a small entry and the pieces that it loads when needed: minified ES modules of at most 750 KB, and nothing else', () => {
    expect(`${status} ${stderr}`).toMatch(/^0 /);
    expect(entries).toHaveLength(4);
    expect(files.filter((file) => !file.endsWith('.mjs'))).toEqual([]);
    for (const entry of entries) {
      const folder = path.dirname(path.join(output, entry));
      const whole = readdirSync(folder).reduce((sum, file) => sum + bytesOf(path.join(folder, file)), 0);
      expect(bytesOf(path.join(output, entry))).toBeLessThan(300 * 1_024);
      expect(whole).toBeLessThan(750 * 1_024);
    }
  });

  test('what runs locally, in tests or at synthesis is in none of them', () => {
    for (const file of files) {
      const code = readFileSync(file, 'utf8');
      expect(code).not.toMatch(/dynalite|peculiar|aws-cdk-lib|simulator|\/v4\/classic/);
    }
  });
});
