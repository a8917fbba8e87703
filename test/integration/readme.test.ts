import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { providersById } from '../../functions/providers/index.ts';
import { viewLines } from '../../infra/local/log-view.ts';
import { startLocalStack, type LocalStack } from '../../infra/local/stack.ts';
import { region } from '../../infra/local/aws/protocol.ts';
import { snippetsOf } from '../support/markdown.ts';
import { installPackage, makePackages } from '../support/packages.ts';

// The README is what strangers paste from: each command and snippet in it runs here, or is listed with the suite that runs it.

const root = path.join(import.meta.dirname, '..', '..');
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
const snippets = snippetsOf(readme);
const commands = snippets.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trim().split('\n'));
const run = promisify(execFile);

/** Commands that need a terminal, a browser or AWS: the suite that runs them. */
const elsewhere: Readonly<Record<string, string>> = {
  'npm start': 'test/integration/local-run.test.ts',
  'npm test': '.ci/run',
  'node infra/bootstrap.mjs --bin cdk bootstrap': 'test/e2e/deployments.ts',
  'npm run deploy -- --stage sandbox': 'test/e2e/deployments.ts',
  'npm run destroy -- --stage sandbox': 'test/e2e/deployments.ts',
};

/** Does what the AWS command line does of it, where that is not installed. */
const awsStandIn = `#!/usr/bin/env node
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
const { values } = (await import('node:util')).parseArgs({ strict: false, options: { name: { type: 'string' }, 'secret-string': { type: 'string' } } });
await new SecretsManagerClient().send(new CreateSecretCommand({ Name: values.name, SecretString: values['secret-string'] }));
`;

let directory: string;
let stack: LocalStack;
let showLines: () => void;

const isInstalled = (command: string) => process.env['PATH']?.split(path.delimiter).some((place) => existsSync(path.join(place, command)));

function environment(): NodeJS.ProcessEnv {
  const { jwt, accessKeyId, secretAccessKey } = stack.callers.developer;
  return {
    PATH: `${directory}:${process.env['PATH']}`,
    HOME: directory,
    TOKENS_URL: stack.url,
    TOKENS_JWT: jwt,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: '',
  };
}

/** The operator's commands are signed with other keys than a caller's. */
async function shell(command: string): Promise<string> {
  const env = { ...environment(), ...(command.startsWith('aws ') ? stack.awsEnvironment : {}) };
  return (await run('bash', ['-euc', command], { cwd: root, env, timeout: 60_000 })).stdout;
}

/** Writes a snippet to a file and runs it. */
async function execute(name: string, text: string, command: string): Promise<string> {
  const file = path.join(directory, name);
  await writeFile(file, text);
  return (await run(command, [file], { cwd: directory, env: environment(), timeout: 120_000 })).stdout;
}

function only<T>(values: readonly T[]): T {
  const [value, ...more] = values;
  if (value === undefined || more.length > 0) throw new Error(`${values.length} in place of one`);
  return value;
}

const inLanguage = (language: string, holds = '') =>
  snippets.filter((snippet) => snippet.language === language && snippet.text.includes(holds));

beforeAll(async () => {
  // Inside of the project, so that the snippets find what they need besides the client.
  await mkdir(path.join(root, '.cache'), { recursive: true });
  directory = await mkdtemp(path.join(root, '.cache', 'readme-'));
  if (!isInstalled('aws')) {
    await writeFile(path.join(directory, 'aws'), awsStandIn);
    await chmod(path.join(directory, 'aws'), 0o755);
  }
  const { client } = await makePackages(path.join(directory, 'made'));
  await installPackage(client, directory);
  showLines = viewLines(() => undefined);
}, 60_000);
afterAll(async () => {
  showLines();
  await rm(directory, { recursive: true, force: true });
});

describe('the README, with callers by JWT', () => {
  beforeAll(async () => {
    stack = await startLocalStack();
  });
  afterAll(() => stack.stop());

  test('holds no command that nobody runs', () => {
    const here = /^(curl|aws secretsmanager create-secret|npm run account|npm install) /;
    expect(commands.filter((command) => !here.test(command) && !(command in elsewhere))).toEqual([]);
    expect(Object.keys(elsewhere).filter((command) => !commands.includes(command))).toEqual([]);
    expect(Object.values(elsewhere).filter((suite) => !existsSync(path.join(root, suite)))).toEqual([]);
  });

  test('names scripts that exist, and no file that does not', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? '');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => link ?? '');
    expect(links.filter((link) => !existsSync(path.join(root, link)))).toEqual([]);
  });

  test.each(commands.filter((command) => command.startsWith('aws ')))(
    'stores a secret that its provider takes for well-formed: %s',
    async (command) => {
      const [, name = '', secret = ''] = /--name (\S+) --secret-string '(.*)'$/.exec(command) ?? [];
      const [, provider = ''] = name.split('/');
      expect(providersById().get(provider)?.credentials.safeParse(JSON.parse(secret)).success).toBe(true);
      await shell(command);
      expect(stack.aws.counters()['secretsmanager.CreateSecret']).toBeGreaterThan(0);
    },
  );

  test('stores a secret with that line, and the account vends with nothing deployed', async () => {
    const line = only(commands.filter((command) => command.startsWith('aws ') && command.includes('/vidizmo/')));
    const secret = JSON.stringify({ ...stack.accounts['vidizmo/main'] });
    await shell(line.replace('token-vending-sandbox/vidizmo/main', 'local/vidizmo/second').replace(/'\{.*\}'/, `'${secret}'`));
    const curl = only(commands.filter((command) => command.includes('TOKENS_JWT')));
    const answer: unknown = JSON.parse(await shell(curl.replace('vidizmo/main', 'vidizmo/second')));
    expect(answer).toMatchObject({ provider: 'vidizmo', account: 'second', access_token: expect.any(String) });
  });

  test('checks an account with the line that is printed', async () => {
    const line = only(commands.filter((command) => command.startsWith('npm run account')));
    const said = await shell(line.replace('npm run', 'npm run --silent').replace('--stage sandbox', `--local ${stack.url}`));
    expect(said).toMatch(/^The secret is well-formed, and vidizmo (takes it|has taken)/);
  });

  test('vends with curl, and answers what it shows', async () => {
    const answer: Record<string, unknown> = JSON.parse(await shell(only(commands.filter((command) => command.includes('TOKENS_JWT')))));
    const shown: Record<string, unknown> = JSON.parse(only(inLanguage('json')).text);
    expect(Object.keys(answer)).toEqual(Object.keys(shown));
  });

  test('installs the client by the file that is made', async () => {
    const [, file = ''] =
      /^npm install \.\.\/token-vending\/dist\/(\S+)$/.exec(only(commands.filter((command) => command.startsWith('npm install')))) ?? [];
    expect(readdirSync(path.join(directory, 'made'))).toContain(file);
  });

  test('vends from TypeScript', async () => {
    const { text } = only(inLanguage('ts', 'bearer'));
    expect(await execute('bearer.ts', text, process.execPath)).toMatch(/^[\w-]{43} 20\d\d-/);
  });

  const others = [
    ['Python', 'python', 'vend.py', 'python3', /^[\w-]{43} 20\d\d-/],
    ['Java', 'java', 'Vend.java', 'java', /^vended: HTTP 200\n$/],
  ] as const;
  test.each(others.filter(([, , , command]) => isInstalled(command)))(
    'vends from %s',
    async (_, language, file, command, expected) => {
      expect(await execute(file, only(inLanguage(language)).text, command)).toMatch(expected);
    },
    120_000,
  );
});

describe('the README, with callers by IAM', () => {
  beforeAll(async () => {
    stack = await startLocalStack({ callers: 'iam' });
  });
  afterAll(() => stack.stop());

  test('vends with curl', async () => {
    const answer: unknown = JSON.parse(await shell(only(commands.filter((command) => command.includes('--aws-sigv4')))));
    expect(answer).toMatchObject({ provider: 'vidizmo', access_token: expect.any(String) });
  });

  test('vends from TypeScript', async () => {
    const { text } = only(inLanguage('ts', 'SignatureV4'));
    expect(await execute('sigv4.ts', text, process.execPath)).toMatch(/^[\w-]{43}\n$/);
  });
});
