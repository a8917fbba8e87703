import { describe, expect, test } from '@jest/globals';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { synthesize } from './support/synthesize.ts';

const root = path.join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

describe('the documents', () => {
  test('have an entry in the runbook for each alarm, and none for an alarm that there is not', () => {
    const { template } = synthesize({ production: true });
    const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) =>
      String(Properties['AlarmName']).replace('tokens-test-', ''),
    );
    const [, section = ''] = /\n## Alarms\n(.*?)\n## /s.exec(read('docs/runbook.md')) ?? [];
    const entries = [...section.matchAll(/^### (\w+)$/gm)].map(([, name]) => name ?? '');
    expect(entries.toSorted()).toEqual(alarms.toSorted());
  });

  test('list every decision under its title', () => {
    const files = readdirSync(path.join(root, 'docs', 'decisions')).filter((file) => file !== 'README.md');
    const expected = files.map((file) => {
      const [, number, title] = /^# (\d+)\. (.*)$/m.exec(read(`docs/decisions/${file}`)) ?? [];
      return `- ${number}: [${title}](${file})`;
    });
    const listed = read('docs/decisions/README.md')
      .split('\n')
      .filter((line) => line.startsWith('- '));
    expect(listed).toEqual(expected.toSorted((a, b) => Number.parseInt(a.slice(2), 10) - Number.parseInt(b.slice(2), 10)));
  });

  test.each(globSync('{*.md,docs/**/*.md}', { cwd: root }))('have no link to a file that is not there: %s', (file) => {
    const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link]) => link ?? '');
    expect(links.filter((link) => !existsSync(path.join(root, path.dirname(file), link)))).toEqual([]);
  });
});
