import { inspect } from 'node:util';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { region } from '../../infra/local/aws/protocol.ts';
import { startLeakyProvider, type LeakyProvider, type Manner } from '../support/leaky-provider.ts';
import { startLocalRun, type CallAnswer, type LocalRun } from '../support/local-run.ts';

const LIFE_SECONDS = 8;
const credentials = {
  username: 'jo@example.com',
  password: 'canary-password-1',
  client_id: 'portal',
  client_secret: 'canary-client-secret-1',
};
const marks = [credentials.password, credentials.client_secret, 'canary-in-a-broken-secret', 'canary-in-a-request'];

// Long for a machine that has more to do; nothing here measures time.
jest.setTimeout(60_000);

let run: LocalRun;
let provider: LeakyProvider;
/** everything that left the service, the vended tokens taken out of the vend answers */
const outside: { where: string; text: string }[] = [];
const vended = new Set<string>();

function note(where: string, { status, headers, text, body }: CallAnswer): CallAnswer {
  const isVend = status === 200 && typeof body['access_token'] === 'string';
  if (isVend) vended.add(String(body['access_token']));
  const { access_token: _, ...rest } = body;
  outside.push({ where, text: JSON.stringify([status, [...headers], isVend ? rest : text]) });
  return { status, headers, text, body };
}

async function call(method: string, path: string, given?: Parameters<LocalRun['call']>[2]): Promise<CallAnswer> {
  return note(`${method} ${path}`, await run.call(method, path, given));
}

const vend = (account: string, json: unknown = {}) => call('POST', `/v1/tokens/movingimage/${account}`, { json });

/** Once each: after a log-in of unknown outcome a second vend would wait for its slot. */
async function everyCall(account: string): Promise<CallAnswer> {
  const answer = await vend(account);
  await call('GET', `/v1/accounts/movingimage/${account}`);
  await call('POST', `/v1/tokens/movingimage/${account}/revoke`, { json: {} });
  await call('POST', `/v1/accounts/movingimage/${account}/reset`, { json: {} });
  return answer;
}

async function storeAccount(account: string, secret: unknown = { issuer: provider.origin, ...credentials }): Promise<void> {
  await run.storeSecret(`movingimage/${account}`, secret);
}

function leaks(): string[] {
  const secrets = [...marks, ...provider.given, run.stack.callers.developer.jwt];
  return outside.flatMap(({ where, text }) => secrets.filter((secret) => text.includes(secret)).map((secret) => `${secret} in ${where}`));
}

beforeAll(async () => {
  jest.spyOn(process.stdout, 'write').mockImplementation((line) => outside.push({ where: 'stdout', text: String(line) }) > 0);
  jest.spyOn(process.stderr, 'write').mockImplementation((line) => outside.push({ where: 'stderr', text: String(line) }) > 0);
  for (const name of ['log', 'info', 'warn', 'error'] as const) {
    jest
      .spyOn(console, name)
      .mockImplementation((...values) => void outside.push({ where: 'console', text: inspect(values, { depth: 9 }) }));
  }
  provider = await startLeakyProvider(LIFE_SECONDS);
  run = await startLocalRun({ environment: { EGRESS_ORIGINS: provider.origin } });
});

afterAll(async () => {
  await run.stop();
  await provider.close();
  jest.restoreAllMocks();
});

const manners: Manner[] = ['refusal', 'odd_refusal', 'error_page', 'too_many', 'no_token', 'broken_json', 'odd_token', 'redirect'];

describe('marked secrets', () => {
  test('leave in the vend answer alone while everything is well', async () => {
    await storeAccount('well');
    const first = await vend('well');
    for (const manner of manners) {
      await storeAccount(`later-${manner}`);
      await vend(`later-${manner}`);
    }
    // Long enough for the token to need renewing, so that the refresh token is on the wire as well.
    await new Promise((resolve) => setTimeout(resolve, (LIFE_SECONDS / 2) * 1_000 + 200));
    const second = await vend('well');
    await run.stack.tick();
    await everyCall('well');
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body['fingerprint']).not.toBe(first.body['fingerprint']);
    expect(provider.heard.join('\n')).toContain('canary-refresh-token');
    expect(leaks()).toEqual([]);
  });

  test.each(manners)('do not leave where the provider answers a log-in, a refresh and a revocation with %s', async (manner) => {
    await storeAccount(`login-${manner}`);
    provider.manner = manner;
    const refused = await everyCall(`login-${manner}`);
    await everyCall(`later-${manner}`);
    provider.manner = 'well';
    expect(refused.status).toBeGreaterThanOrEqual(429);
    expect(leaks()).toEqual([]);
  });

  test.each([
    ['a member of the wrong type', { issuer: 'ORIGIN', ...credentials, password: ['canary-in-a-broken-secret'] }],
    ['an unknown member', { issuer: 'ORIGIN', ...credentials, passwort: 'canary-in-a-broken-secret' }],
    ['a password in the URL', { issuer: 'https://jo:canary-in-a-broken-secret@example.com', ...credentials }],
    ['a password where the URL belongs', { issuer: 'canary-in-a-broken-secret', ...credentials }],
    ['no object', 'canary-in-a-broken-secret'],
  ])('do not leave where the secret has %s', async (what, secret) => {
    const account = what.replaceAll(' ', '-');
    await storeAccount(account, JSON.parse(JSON.stringify(secret).replace('ORIGIN', provider.origin)));
    const answer = await vend(account);
    const shown = await call('GET', `/v1/accounts/movingimage/${account}`);
    await everyCall(account);
    expect([answer.status, shown.body['state']]).toEqual([503, 'misconfigured']);
    expect(leaks()).toEqual([]);
  });

  test('do not come back from a request that holds them where they do not belong', async () => {
    const path = '/v1/tokens/movingimage/well';
    await vend('well', { rejected: 'canary-in-a-request' });
    await vend('well', { min_ttl: 'canary-in-a-request' });
    await vend('well', { password: 'canary-in-a-request' });
    await call('POST', path, { body: '{"canary-in-a-request', headers: { 'content-type': 'application/json' } });
    await call('POST', path, { body: 'password=canary-in-a-request', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    await call('POST', path, { headers: { authorization: 'Bearer canary-in-a-request' } });
    await call('POST', `${path}?access_token=canary-in-a-request`);
    expect(leaks()).toEqual([]);
  });

  test('do not leave while AWS is out of order', async () => {
    await storeAccount('outage');
    for (const service of ['DynamoDB', 'SecretsManager'] as const) {
      run.faults.broken.add(service);
      await vend('outage');
      await call('GET', '/v1/accounts/movingimage/outage');
      await call('POST', '/v1/tokens/movingimage/outage/revoke', { json: {} });
      await run.stack.tick();
      run.faults.broken.clear();
    }
    expect(leaks()).toEqual([]);
  });

  test('stand in the table only sealed', async () => {
    const table = new DynamoDBClient({ endpoint: run.stack.dynamodbEndpoint, region, credentials: run.stack.awsKeys });
    const { Items = [] } = await table.send(new ScanCommand({ TableName: 'local' }));
    table.destroy();
    const bytes = Items.flatMap((item) => Object.values(item)).map(({ S, N, B }) => S ?? N ?? Buffer.from(B ?? []).toString('latin1'));
    outside.push({ where: 'table', text: bytes.join('\n') });
    expect(Items.length).toBeGreaterThan(10);
    expect(leaks()).toEqual([]);
  });

  test('would have been seen: lines were written, answers read, secrets sent', () => {
    const places = new Set(outside.map(({ where }) => where.replace(/\/.*/, '')));
    expect([...places]).toEqual(expect.arrayContaining(['stdout', 'table', 'GET ', 'POST ']));
    expect(outside.some(({ text }) => text.includes('"kind":"audit"'))).toBe(true);
    expect(marks.slice(0, 2).filter((mark) => !provider.heard.join('\n').includes(mark))).toEqual([]);
    outside.push({ where: 'control', text: `a line with ${[...provider.given][0]} in it` });
    expect(leaks()).toHaveLength(1);
  });
});
