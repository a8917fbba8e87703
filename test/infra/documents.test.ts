import { describe, expect, test } from '@jest/globals';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { callsOf } from '../../infra/constructs/grants.ts';
import { snippetsOf } from '../support/markdown.ts';
import { synthesize } from './support/synthesize.ts';

const root = path.join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

interface Policy {
  Statement: { Effect: string; Action: unknown; Resource: unknown }[];
}

/** An ARN of a template as it is in AWS, with the documents' id of the API. */
function arnOf(value: unknown): string {
  const {
    'Fn::Join': [, parts],
  } = value as { 'Fn::Join': [string, (string | { Ref: string })[]] };
  return parts.map((part) => (typeof part === 'string' ? part : part.Ref === 'AWS::Partition' ? 'aws' : 'a1b2c3d4e5')).join('');
}

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

  test('name members of the operations parameter in the runbook that it has', () => {
    const { template } = synthesize();
    const [parameter] = Object.values(template.findResources('AWS::SSM::Parameter', { Properties: { Name: '/tokens-test/operations' } }));
    const value = JSON.stringify(parameter?.['Properties']);
    const named = [...read('docs/runbook.md').matchAll(/the parameter's `(\w+)`/g)].map(([, name]) => name ?? '');
    expect(named).toEqual(expect.arrayContaining(['deadLetters', 'table']));
    expect(named.filter((name) => !value.includes(`\\"${name}\\":`))).toEqual([]);
  });

  test("show callers the policy that `grantVend` writes, and each operation's calls", () => {
    const callers = read('docs/callers.md');
    const { template, stack, vending } = synthesize({}, (stack, vending) =>
      vending.grantVend(new Role(stack, 'Importer', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') }), 'vidizmo/main'),
    );
    const policies = Object.values(template.findResources('AWS::IAM::Policy')) as { Properties: { PolicyDocument: Policy } }[];
    const written = policies
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
      .filter(({ Action }) => Action === 'execute-api:Invoke');
    const [shown] = snippetsOf(callers).flatMap(({ language, text }) => (language === 'json' ? [JSON.parse(text) as Policy] : []));
    expect(written).toHaveLength(1);
    expect(shown?.Statement).toEqual([{ ...written[0], Resource: arnOf(written[0]?.Resource) }]);
    expect(shown?.Statement[0]?.Resource).toBe(`${arnOf(stack.resolve(vending.vendArn))}/vidizmo/main`);
    for (const operation of ['vend', 'revoke', 'inspect', 'reset'] as const) {
      const [, row = ''] = new RegExp(`^\\| \`${operation}\` +\\| (.*?) +\\|$`, 'm').exec(callers) ?? [];
      expect(row).toBe(
        callsOf([operation], '{provider}/{account}')
          .map(({ method, path }) => `\`${method}${path}\``)
          .join(' and '),
      );
    }
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

  test('name no test that is not there', () => {
    const named = globSync('{*.md,docs/**/*.md}', { cwd: root }).flatMap((file) => read(file).match(/\btest\/[\w/.-]+\.test\.ts/g) ?? []);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((test) => !existsSync(path.join(root, test)))).toEqual([]);
  });

  test.each(globSync('{*.md,docs/**/*.md}', { cwd: root }))('have no link to a file that is not there: %s', (file) => {
    const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link]) => link ?? '');
    expect(links.filter((link) => !existsSync(path.join(root, path.dirname(file), link)))).toEqual([]);
  });
});
