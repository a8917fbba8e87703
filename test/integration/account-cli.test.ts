import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { region } from '../../infra/local/aws/protocol.ts';
import type { AwsEnvironment } from '../../infra/local/environment.ts';
import { close, listen } from '../../infra/local/listen.ts';
import { viewLines } from '../../infra/local/log-view.ts';
import { operationsParameter } from '../../infra/operations.ts';
import { startLocalRun, type LocalRun } from '../support/local-run.ts';

const root = path.join(import.meta.dirname, '..', '..');

interface Said {
  code: number;
  out: string;
  err: string;
}

let local: LocalRun;
let showLines: () => void;

/** The command as an operator runs it, in a process of its own. */
function account(line: string, env: Readonly<Record<string, string>> = {}): Promise<Said> {
  const args = [path.join(root, 'infra', 'account.ts'), ...line.split(' ')];
  return new Promise((resolve) => {
    const options = { cwd: root, env: { PATH: process.env['PATH'], ...env }, timeout: 60_000 };
    const child = execFile(process.execPath, args, options, (_, out, err) => resolve({ code: child.exitCode ?? -1, out, err }));
  });
}

const here = (line: string) => account(`${line} --local ${local.stack.url}`);
const vend = (name: string) => local.call('POST', `/v1/tokens/${name}`, { json: {} });

beforeAll(async () => {
  showLines = viewLines(() => undefined);
  local = await startLocalRun({ lifeSeconds: 300 });
});
afterAll(async () => {
  await local.stop();
  showLines();
});

describe('npm run account, against a local run', () => {
  test('lists every account with its state', async () => {
    await vend('movingimage/main');
    await vend('amino/main');
    const { code, out } = await here('list');
    expect(code).toBe(0);
    expect(out).toMatch(/^ACCOUNT +STATE +TOKEN SETS +NEXT TRY +LAST FAILURE\namino\/main +well +1 living of 1 +- +-\n/);
    expect(out).toMatch(/\nmovingimage\/main +well +1 living of 1/);
  });

  test('checks that a provider takes a secret, by one log-in, and then without asking again', async () => {
    const counters = local.stack.simulators?.byProvider.vidizmo.counters;
    expect(await here('check vidizmo/main')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^The secret is well-formed, and vidizmo takes it: it just gave a token that lives until 20.*\n$/),
    });
    expect(await here('check vidizmo/main')).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was sent now.') });
    expect(counters?.logins).toBe(1);
  });

  test('shows the clocks of an account', async () => {
    const { code, out } = await here('show vidizmo/main');
    expect(code).toBe(0);
    expect(out).toMatch(/^vidizmo\/main: well\n {2}secret {8}version \S+, proven by a log-in\n {2}set#\S+: living, generation \d+\n/);
    expect(out).toMatch(/obtained +20.* ago\)\n +expires +20.*\(in \d+ (s|min)\)/);
  });

  test('revokes at the provider', async () => {
    const before = await vend('vidizmo/main');
    expect(await here('revoke vidizmo/main')).toMatchObject({ code: 0, out: 'The token is revoked at the provider and forgotten here.\n' });
    expect((await here('show vidizmo/main')).out).toContain(': empty, generation');
    expect((await vend('vidizmo/main')).body['access_token']).not.toBe(before.body['access_token']);
  });

  test('says which member of a secret breaks which rule', async () => {
    await local.storeSecret('vidizmo/broken', { base_url: 'http://portal.example.com', email: 'jo@example.com', password: 'x' });
    const { code, out } = await here('check vidizmo/broken');
    expect(code).toBe(1);
    expect(out).toContain('The secret breaks a rule: base_url must be an https URL');
    expect(out).toContain('aws secretsmanager put-secret-value --secret-id local/vidizmo/broken');
    expect((await here('list')).code).toBe(1);
  });

  test('says that a provider refuses the credentials, resets the count, and never prints them', async () => {
    const password = 'wrong-but-secret-password';
    await local.storeSecret('vidizmo/wrong', { ...local.stack.accounts['vidizmo/main'], password });
    const refused = await here('check vidizmo/wrong');
    expect(refused.code).toBe(1);
    expect(refused.out).toContain('vidizmo refuses the credentials.');
    const shown = await here('show vidizmo/wrong');
    expect(shown).toMatchObject({ code: 1, out: expect.stringContaining('vidizmo/wrong: refused') });
    expect(await here('reset vidizmo/wrong')).toMatchObject({ code: 0, out: expect.stringContaining('is reset') });
    expect((await here('show vidizmo/wrong')).out).toContain('vidizmo/wrong: well');
    expect(refused.out + refused.err + shown.out).not.toContain(password);
  });

  test('says how to add an account that is missing', async () => {
    const { code, out } = await here('check vidizmo/nowhere');
    expect(code).toBe(1);
    expect(out).toContain('There is no secret local/vidizmo/nowhere');
    expect(out).toContain('aws secretsmanager create-secret --name local/vidizmo/nowhere');
    expect(await here('show vidizmo/nowhere')).toMatchObject({ code: 1, out: expect.stringContaining('was never asked for') });
    expect(await here('revoke vidizmo/nowhere')).toMatchObject({ code: 1, out: expect.stringContaining('There is no secret') });
  });

  test('ends with 2 when it did not understand, and 1 when nobody is there', async () => {
    expect(await here('check vimeo/main')).toMatchObject({ code: 2, out: '', err: expect.stringContaining('There is no provider vimeo') });
    const nobody = await account('list --local http://127.0.0.1:9');
    expect(nobody).toMatchObject({ code: 1, err: expect.stringContaining('No local run answers at http://127.0.0.1:9') });
    expect(await account('--help')).toMatchObject({ code: 0, out: expect.stringContaining('npm run account -- COMMAND') });
  });
});

/** What a run's file holds, with changes. */
function itsFile(changes: Partial<AwsEnvironment>): string {
  const variables = Object.entries({ ...local.stack.awsEnvironment, ...changes });
  return variables.map(([name, value]) => `${name}=${value}\n`).join('');
}

describe('npm run account, against what is no run of this user', () => {
  let directory: string;
  let file: string;
  let server: Server;
  let url: string;

  beforeAll(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'no-run-'));
    file = path.join(directory, 'environment');
    server = createServer((_, response) => response.end(JSON.stringify({ deployment: 'local', environment: file })));
    url = `http://127.0.0.1:${await listen(server)}`;
  });
  afterAll(async () => {
    await close(server);
    rmSync(directory, { recursive: true });
  });

  test('says whose it is where its keys cannot be read', async () => {
    expect(await account(`list --local ${url}`)).toEqual({
      code: 1,
      out: '',
      err: `The local run at ${url} answers to whoever started it alone: its keys are in ${file}, for their eyes only.\n`,
    });
  });

  test('takes no keys for AWS itself from a file that somebody names, such as an .env of this user', async () => {
    for (const name of ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_DYNAMODB'] as const) {
      writeFileSync(file, itsFile({ [name]: 'https://dynamodb.eu-central-1.amazonaws.com' }));
      expect(await account(`list --local ${url}`)).toMatchObject({
        code: 1,
        err: expect.stringContaining('answers to whoever started it'),
      });
    }
    writeFileSync(file, itsFile({}));
    expect(await account(`show amino/main --local ${url}`)).toMatchObject({ code: 0, out: expect.stringContaining('amino/main: well') });
  });

  // Only the superuser can give a file away.
  if (process.getuid?.() === 0) {
    test('takes no keys from a file of another user', async () => {
      writeFileSync(file, itsFile({}));
      chownSync(file, 65_534, 65_534);
      expect(await account(`list --local ${url}`)).toMatchObject({
        code: 1,
        err: expect.stringContaining('answers to whoever started it'),
      });
    });
  }

  test('says that no run answers where something else does', async () => {
    const other = createServer((_, response) => response.end('<html>'));
    const elsewhere = `http://127.0.0.1:${await listen(other)}`;
    expect((await account(`list --local ${elsewhere}`)).err).toContain(`No local run answers at ${elsewhere}`);
    await close(other);
  });
});

/** An operator's environment, signed in to an AWS account in which the local run is a deployment. */
function signedIn(): Readonly<Record<string, string>> {
  return { ...local.stack.awsEnvironment, AWS_EC2_METADATA_DISABLED: 'true' };
}

describe('npm run account, against a deployment', () => {
  test('finds table and function by the name of the deployment or its stage', async () => {
    const ssm = new SSMClient({ endpoint: local.stack.aws.origin, region, credentials: local.stack.awsKeys });
    const names = { table: 'local', renew: local.stack.nameOf('renew-token-sets'), url: local.stack.url, secrets: 'local' };
    const Name = operationsParameter('token-vending-blue');
    await ssm.send(new PutParameterCommand({ Name, Value: JSON.stringify(names), Type: 'String' }));
    ssm.destroy();
    expect(await account('check amino/main --stage blue', signedIn())).toMatchObject({
      code: 0,
      out: expect.stringMatching(/amino (takes it|has taken)/),
    });
    expect((await account('show amino/main --deployment token-vending-blue', signedIn())).out).toContain('amino/main: well');
  });

  test('says that there is no such deployment', async () => {
    const { code, err } = await account('list --stage green', signedIn());
    expect([code, err]).toEqual([1, expect.stringContaining('There is no deployment token-vending-green in this AWS account and region')]);
  });

  test('says that there are no credentials', async () => {
    const { err } = await account('list --stage green', {
      AWS_REGION: region,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    });
    expect(err).toMatch(/^There are no AWS credentials/);
  });

  test('says that there is no region', async () => {
    const { err } = await account('list --stage green', { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' });
    expect(err).toMatch(/^There is no AWS region/);
  });
});
