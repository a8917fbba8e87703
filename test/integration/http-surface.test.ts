import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { keyOf } from '../../functions/core/token-set.ts';
import { answerSchemas } from '../../functions/handlers/answer-schemas.ts';
import { problems } from '../../functions/handlers/problem.ts';
import { routes } from '../../functions/routes.ts';
import { startLocalRun, type CallAnswer, type LocalRun } from '../support/local-run.ts';

// Long for a machine that has more to do; nothing here measures time.
jest.setTimeout(60_000);

let run: LocalRun;
/** every problem that was provoked, by its code */
const provoked = new Map<string, CallAnswer>();
/** what no problem may hold: the accounts' credentials and every token that was vended */
const secrets = new Set<string>();
/** what is invoked for renewals; undefined: the renewing function */
let renewing: (() => unknown) | undefined;
/** answers that take their time, asked for at the start */
let slowProvider: Promise<CallAnswer>;
let heldLease: Promise<CallAnswer>;

const vendPath = (account: string): string => `/v1/tokens/${account}`;

async function vend(account: string, json: unknown = {}): Promise<CallAnswer> {
  const answer = await run.call('POST', vendPath(account), { json });
  if (answer.status === 200) secrets.add(String(answer.body['access_token']));
  return answer;
}

/** What an answer shows of itself as a problem; notes that it was provoked. */
function seen(answer: CallAnswer) {
  provoked.set(String(answer.body['code']), answer);
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    cacheControl: answer.headers.get('cache-control'),
    brokenPromises: answerSchemas.Problem.safeParse(answer.body).error?.issues,
    body: answer.body,
  };
}

/** What every problem of a code shows. */
function aProblem(status: number, code: string, members: Readonly<Record<string, unknown>> = {}) {
  return {
    status,
    type: 'application/problem+json',
    cacheControl: 'no-store',
    brokenPromises: undefined,
    body: expect.objectContaining({ status, code, type: `urn:token-vending:problem:${code}`, ...members }),
  };
}

function secretOf(account: string): Record<string, unknown> {
  return { ...run.stack.accounts[account] };
}

/** Stores an account beside `main` with the same credentials, so that no test meets another's account. */
async function anotherAccount(provider: string, account: string, changes: Record<string, unknown> = {}): Promise<string> {
  await run.storeSecret(`${provider}/${account}`, { ...secretOf(`${provider}/main`), ...changes });
  return `${provider}/${account}`;
}

/** Vends while another function stands in place of the renewing one. */
async function instead(handler: () => unknown, account: string): Promise<CallAnswer> {
  renewing = handler;
  const answer = await vend(account);
  renewing = undefined;
  return answer;
}

beforeAll(async () => {
  run = await startLocalRun({ environment: { MAX_TOKEN_SETS: '2', RENEW_FUNCTION: 'renewing' } });
  const { stack } = run;
  const handler = async (event: unknown): Promise<unknown> => {
    if (renewing !== undefined) return renewing();
    const invocation = await stack.functions.invoke(stack.nameOf('renew-token-sets'), event);
    if ('error' in invocation) throw Object.assign(new Error(invocation.error.errorMessage), { name: invocation.error.errorType });
    return invocation.result;
  };
  stack.functions.add('renewing', { handler, timeoutMs: 30_000 });
  for (const secret of Object.values(run.stack.accounts)) {
    for (const [name, value] of Object.entries(secret)) if (/password|secret/.test(name)) secrets.add(String(value));
  }
  const slow = run.stack.simulators?.byProvider['movingimage-vms'];
  if (slow === undefined) throw new Error('there are no simulators');
  slow.control.fault = { answer: 'slow_headers', delayMs: 10_500, times: 1 };
  slowProvider = vend('movingimage-vms/main');
  const nowMs = Date.now();
  const key = keyOf({ provider: 'movingimage', account: 'held' }, {});
  const lease = {
    judged: undefined,
    attempt: 'somebody-else000',
    nowMs,
    leaseUntilMs: nowMs + 16_000,
    skewMs: 2_000,
    respectNotBefore: true,
  };
  await run.store.acquire(key, lease);
  heldLease = vend('movingimage/held');
});

afterAll(() => run.stop());

describe('a request that breaks a rule', () => {
  const json = { 'content-type': 'application/json' };

  test.each([
    ['an unknown field', { json: { surprise: 1 } }, 'surprise'],
    ['a wrong type', { json: { min_ttl: 'long' } }, 'min_ttl'],
    ['something else than JSON', { body: 'min_ttl=60', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 'content-type'],
    ['broken JSON', { body: '{', headers: json }, 'body'],
    ['no object', { json: [] }, 'body'],
    ['an oversized body', { body: JSON.stringify({ a: 'x'.repeat(9_000) }), headers: json }, 'body'],
  ])('is 400 with the field: %s', async (_, given, field) => {
    expect(seen(await run.call('POST', vendPath('vidizmo/main'), given))).toEqual(aProblem(400, 'bad_request', { field }));
  });

  test.each(['min_ttl', '__proto__'])('is 400 with the field where it has a query: %s', async (field) => {
    const answer = await run.call('POST', `${vendPath('vidizmo/main')}?${field}=60`);
    expect(seen(answer)).toEqual(aProblem(400, 'bad_request', { field }));
  });

  test.each(['/v1/tokens/vidizmo/a%2Fb', '/v1/tokens/vidizmo/%2e%2e%2f', '/v1/tokens/vidizmo/a%20b', '/v1/accounts/vidizmo/a%00b'])(
    'is 400 with the field where the account is no name: %s',
    async (path) => {
      const answer = await run.call(path.startsWith('/v1/tokens') ? 'POST' : 'GET', path);
      expect(seen(answer)).toEqual(aProblem(400, 'bad_request', { field: 'account' }));
    },
  );

  test('is 400 that names the maximum where min_ttl is more than the life allows', async () => {
    const answer = await vend('vidizmo/main', { min_ttl: 3_600 });
    expect(seen(answer)).toEqual(aProblem(400, 'bad_request', { field: 'min_ttl', maximum_seconds: 90 }));
  });
});

describe('a path that nobody knows', () => {
  test.each([
    ['GET', '/'],
    ['GET', '/v1'],
    ['POST', '/v1/tokens/vidizmo'],
    ['POST', '/v1/tokens/vidizmo/main/extra/long'],
    ['GET', '/v1/tokens/vidizmo/main'],
    ['DELETE', '/v1/accounts/vidizmo/main'],
  ])('is our 404, without asking who calls: %s %s', async (method, path) => {
    expect(seen(await run.call(method, path, { headers: { authorization: '' } }))).toEqual(aProblem(404, 'not_found'));
  });
});

describe('a caller', () => {
  test('without a grant and one with, of a missing account, get the same answer', async () => {
    const stranger = await run.stack.callers.issuer.sign('stranger');
    const headers = { authorization: `Bearer ${stranger}` };
    const existing = await run.call('POST', vendPath('vidizmo/main'), { headers });
    const missing = await run.call('POST', vendPath('vidizmo/missing'), { headers });
    const granted = await run.call('POST', vendPath('vidizmo/missing'));
    expect(seen(existing)).toEqual(aProblem(403, 'no_grant'));
    expect([missing.text, granted.text]).toEqual([existing.text, existing.text]);
  });

  test('without a token is answered by API Gateway itself', async () => {
    const answer = await run.call('POST', vendPath('vidizmo/main'), { headers: { authorization: '' } });
    expect([answer.status, answer.body]).toEqual([401, { message: 'Unauthorized' }]);
  });

  test('with a token for something else is answered by API Gateway itself', async () => {
    const idToken = await run.stack.callers.issuer.sign('developer', { scope: 'openid profile' });
    const answer = await run.call('POST', vendPath('vidizmo/main'), { headers: { authorization: `Bearer ${idToken}` } });
    expect([answer.status, answer.body]).toEqual([403, { message: 'Forbidden' }]);
  });
});

describe('a token set that may not be renewed', () => {
  test('because it was renewed a moment ago is 429 with Retry-After', async () => {
    const account = await anotherAccount('vidizmo', 'eager');
    const first = await vend(account);
    const again = await vend(account, { rejected: first.body['fingerprint'] });
    expect(seen(again)).toEqual(aProblem(429, 'too_soon'));
    expect(Number(again.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('because the account has as many as it may is 429', async () => {
    const [one, two, three] = ['a', 'b', 'c'].map((letter) => `84eb61a9-75d4-42c7-8c15-84c3d777622${letter}`);
    const simulator = run.stack.simulators?.byProvider.amino;
    for (const user of Object.values(simulator?.control.users ?? {})) Object.assign(user, { scopes: [one, two, three] });
    const account = await anotherAccount('amino', 'many');
    expect((await vend(account, { login_user_profile: one })).status).toBe(200);
    expect((await vend(account, { login_user_profile: two })).status).toBe(200);
    expect(seen(await vend(account, { login_user_profile: three }))).toEqual(aProblem(429, 'too_many_token_sets'));
  });

  test('because a person must consent is 409', async () => {
    const key = keyOf({ provider: 'movingimage', account: 'consent' }, {});
    const nowMs = Date.now();
    const attempt = 'an-attempt-00000';
    const acquired = await run.store.acquire(key, {
      judged: undefined,
      attempt,
      nowMs,
      leaseUntilMs: nowMs + 1_000,
      skewMs: 0,
      respectNotBefore: true,
    });
    const failure = { code: 'needs_consent', atMs: nowMs } as const;
    await run.store.release(key, acquired?.generation ?? 0, attempt, { doubt: undefined, failure, due: 'remove' });
    expect(seen(await vend('movingimage/consent'))).toEqual(aProblem(409, 'needs_consent'));
  });
});

describe('a provider', () => {
  test('that refuses the credentials is 502 with its code', async () => {
    const account = await anotherAccount('movingimage', 'refused', { password: 'not the password' });
    secrets.add('not the password');
    expect(seen(await vend(account))).toEqual(aProblem(502, 'provider_refused', { provider_error: 'invalid_grant' }));
  });

  test('that answers without a token is 502', async () => {
    const account = await anotherAccount('vidizmo', 'unreadable');
    const simulator = run.stack.simulators?.byProvider.vidizmo;
    if (simulator !== undefined) simulator.control.fault = { answer: 'no_token', times: 1 };
    expect(seen(await vend(account))).toEqual(aProblem(502, 'provider_unreadable'));
  });

  test('that is out of order is 503 with the Retry-After that it named', async () => {
    const account = await anotherAccount('vidizmo', 'down');
    const simulator = run.stack.simulators?.byProvider.vidizmo;
    if (simulator !== undefined) simulator.control.fault = { answer: 'status', status: 503, retryAfter: '120', times: 1 };
    const answer = await vend(account);
    expect(seen(answer)).toEqual(aProblem(503, 'backing_off'));
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(100);
  });
});

describe('an account whose secret breaks a rule', () => {
  test('is 503 without the field, which only its health shows', async () => {
    const account = await anotherAccount('vidizmo', 'broken', { base_url: 'http://insecure.example.com' });
    const answer = await vend(account);
    expect(seen(answer)).toEqual(aProblem(503, 'account_misconfigured'));
    expect(answer.text).not.toContain('base_url');
    const health = await run.call('GET', `/v1/accounts/${account}`);
    expect(health.body).toMatchObject({ state: 'misconfigured', failure: { field: 'base_url' } });
  });

  test('is 503 for a host that may not be called as well', async () => {
    const account = await anotherAccount('vidizmo', 'inside', { base_url: 'https://10.1.2.3' });
    expect(seen(await vend(account))).toEqual(aProblem(503, 'account_misconfigured'));
    const health = await run.call('GET', `/v1/accounts/${account}`);
    expect(health.body).toMatchObject({ state: 'misconfigured', failure: { field: 'host' } });
    expect((await run.call('POST', `${vendPath(account)}/revoke`, { json: {} })).status).toBe(204);
  });
});

describe('the health of accounts', () => {
  test('is in the shape that OpenAPI promises', async () => {
    await vend('vidizmo/main');
    const list = await run.call('GET', '/v1/accounts');
    expect(answerSchemas.AccountList.safeParse(list.body).error?.issues).toBeUndefined();
    expect(list.text).toContain('"state":"well"');
  });

  test('holds no token and no credential', async () => {
    await vend('vidizmo/main');
    const { text } = await run.call('GET', '/v1/accounts');
    expect([...secrets].filter((secret) => text.includes(secret))).toEqual([]);
  });
});

describe('a revocation', () => {
  test('is 204, and the next vend gives another token', async () => {
    const account = await anotherAccount('vidizmo', 'revoked');
    const before = await vend(account);
    const revoked = await run.call('POST', `${vendPath(account)}/revoke`, { json: {} });
    expect([revoked.status, revoked.text, revoked.headers.get('cache-control')]).toEqual([204, '', 'no-store']);
    const after = await vend(account);
    expect(after.body['fingerprint']).not.toBe(before.body['fingerprint']);
  });
});

describe('the OpenAPI document', () => {
  test('is served to anybody, with the routes that the gateway has', async () => {
    const { body } = await run.call('GET', '/v1/openapi.json', { headers: { authorization: '' } });
    const paths = new Set(routes.map(({ path }) => path));
    paths.delete('');
    expect(Object.keys(Object(body['paths']))).toEqual([...paths]);
  });
});

describe('a function that does not work', () => {
  test('is 503 where it crashes', async () => {
    const answer = await instead(() => Promise.reject(new TypeError('a crash')), await anotherAccount('vidizmo', 'crash'));
    expect(seen(answer)).toEqual(aProblem(503, 'renewals_unavailable'));
  });

  test('is 500 where it answers nonsense', async () => {
    const answer = await instead(() => ({ outcome: 'nonsense' }), await anotherAccount('vidizmo', 'nonsense'));
    expect(seen(answer)).toEqual(aProblem(500, 'internal'));
  });
});

describe('a vend that takes its time', () => {
  test('is 504 where the provider does not answer', async () => {
    expect(seen(await slowProvider)).toEqual(aProblem(504, 'too_slow'));
  });

  test('is 503 with Retry-After where somebody else renews and does not finish', async () => {
    const answer = await heldLease;
    expect(seen(answer)).toEqual(aProblem(503, 'renewing'));
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('every problem', () => {
  const outages = ['store_unavailable', 'keys_unavailable', 'secrets_unavailable', 'grants_unavailable'];

  test('of the table was provoked here, but for the outages of AWS', () => {
    expect([...provoked.keys(), ...outages].toSorted()).toEqual(Object.keys(problems).toSorted());
  });

  test('holds no secret', () => {
    const leaks = [...provoked].filter(([, { text }]) => [...secrets].some((secret) => text.includes(secret)));
    expect(leaks).toEqual([]);
  });
});
