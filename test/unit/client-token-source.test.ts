import { describe, expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import { bearer, createTokenSource, VendError } from '../../functions/client/index.ts';
import type { Fetch, TokenSourceOptions } from '../../functions/client/index.ts';
import { handClock } from '../support/ports.ts';

interface Planned {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
  fails?: boolean;
}

const START_MS = Date.parse('2026-03-07T11:13:17Z');

/** The service: answers as planned, one plan a request, and fails on a request that nobody planned. */
function service(...plans: readonly Planned[]) {
  const asked: { url: string; body: unknown; headers: Request['headers'] }[] = [];
  const queue = [...plans];
  const fetch: Fetch = async (input, init) => {
    const request = new Request(input, init);
    asked.push({ url: request.url, body: await request.json(), headers: request.headers });
    const plan = queue.shift();
    if (plan === undefined) throw new Error('this request was not planned');
    if (plan.fails === true) throw new TypeError('fetch failed');
    await Promise.resolve();
    return Response.json(plan.body ?? {}, { status: plan.status ?? 200, headers: plan.headers ?? {} });
  };
  return { fetch, asked, left: () => queue.length };
}

function vended(name: string, expiresIn = 300): Planned {
  return {
    body: { access_token: `token-${name}`, token_type: 'Bearer', expires_in: expiresIn, fingerprint: `print-${name}`, facts: { user: 7 } },
  };
}

function refused(status: number, code: string, retryAfter?: number): Planned {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  return { status, headers, body: { type: `urn:token-vending:problem:${code}`, title: 'Refused', status, code, detail: 'Because.' } };
}

function sourceAt(fetch: Fetch, clock = handClock(START_MS), options: Partial<TokenSourceOptions> = {}) {
  return createTokenSource({
    endpoint: 'https://tokens.example/',
    account: 'vidizmo/main',
    authenticate: bearer('jwt'),
    fetch,
    clock,
    ...options,
  });
}

describe('a token source', () => {
  test('asks the service for the account, with its parameters and the proof of its caller', async () => {
    const { fetch, asked } = service(vended('a'));
    const token = await sourceAt(fetch, undefined, { parameters: { profile: 12 } }).getToken({ minTtlSeconds: 60 });
    expect(asked[0]?.url).toBe('https://tokens.example/v1/tokens/vidizmo/main');
    expect(asked[0]?.body).toEqual({ profile: 12, min_ttl: 60 });
    expect(asked[0]?.headers.get('authorization')).toBe('Bearer jwt');
    expect(token.accessToken).toBe('token-a');
    expect(token.expiresAtMs).toBe(START_MS + 300_000);
    expect(token.facts).toEqual({ user: 7 });
  });

  test('asks for a JWT before every request, because it ends as well', async () => {
    const { fetch, asked } = service(vended('a', 5), vended('b', 5));
    let given = 0;
    const source = sourceAt(fetch, undefined, { authenticate: bearer(async () => `jwt-${(given += 1)}`) });
    await source.getToken();
    await source.getToken({ minTtlSeconds: 6 });
    expect(asked.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer jwt-1', 'Bearer jwt-2']);
  });

  test('gives what it just got, however short it lives', async () => {
    const { fetch, asked } = service(vended('a', 3));
    expect((await sourceAt(fetch).getToken({ minTtlSeconds: 60 })).accessToken).toBe('token-a');
    expect(asked).toHaveLength(1);
  });

  test('answers from memory until a tenth of the life is left', async () => {
    const { fetch, asked } = service(vended('a'), vended('b'));
    const clock = handClock(START_MS);
    const source = sourceAt(fetch, clock);
    await source.getToken();
    clock.advance(270_000);
    expect((await source.getToken()).accessToken).toBe('token-a');
    clock.advance(1);
    expect((await source.getToken()).accessToken).toBe('token-b');
    expect(asked).toHaveLength(2);
  });

  test('asks anew for a token that must live longer than the one in memory', async () => {
    const { fetch } = service(vended('a', 100), vended('b', 300));
    const source = sourceAt(fetch);
    await source.getToken();
    expect((await source.getToken({ minTtlSeconds: 200 })).accessToken).toBe('token-b');
  });

  test('makes one request for many who wait', async () => {
    const { fetch, asked } = service(vended('a'));
    const source = sourceAt(fetch);
    const tokens = await Promise.all(Array.from({ length: 100 }, () => source.getToken()));
    expect(new Set(tokens.map(({ accessToken }) => accessToken))).toEqual(new Set(['token-a']));
    expect(asked).toHaveLength(1);
  });

  test('makes a second request, and only one, for those who ask for more than the first', async () => {
    const { fetch, asked } = service(vended('a', 100), vended('b', 300));
    const source = sourceAt(fetch);
    const first = source.getToken();
    const longer = await Promise.all([source.getToken({ minTtlSeconds: 200 }), source.getToken({ minTtlSeconds: 200 })]);
    expect((await first).accessToken).toBe('token-a');
    expect(longer.map(({ accessToken }) => accessToken)).toEqual(['token-b', 'token-b']);
    expect(asked).toHaveLength(2);
  });

  test('hands a failure to everybody who waited, and asks again for who comes later', async () => {
    const { fetch } = service({ fails: true }, vended('a'));
    const source = sourceAt(fetch);
    const both = await Promise.allSettled([source.getToken(), source.getToken()]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await source.getToken()).accessToken).toBe('token-a');
  });

  test('does not let a failure reach those who asked for less beside it', async () => {
    const { fetch, asked } = service(refused(400, 'bad_request'), vended('a'));
    const source = sourceAt(fetch);
    const [greedy, modest, another] = await Promise.allSettled([
      source.getToken({ minTtlSeconds: 100_000 }),
      source.getToken(),
      source.getToken(),
    ]);
    expect(greedy).toMatchObject({ status: 'rejected', reason: { code: 'bad_request' } });
    expect([modest, another]).toMatchObject([{ value: { fingerprint: 'print-a' } }, { value: { fingerprint: 'print-a' } }]);
    expect(asked.map(({ body }) => body)).toEqual([{ min_ttl: 100_000 }, {}]);
  });

  test('gives the living token to those who waited for a request that met trouble, where it is enough for them', async () => {
    const clock = handClock(START_MS);
    const { fetch, asked } = service(vended('a', 100), refused(503, 'store_unavailable', 5));
    const source = sourceAt(fetch, clock);
    await source.getToken();
    clock.advance(92_000);
    const [longer, any] = await Promise.allSettled([source.getToken({ minTtlSeconds: 60 }), source.getToken()]);
    expect(longer).toMatchObject({ status: 'rejected', reason: { code: 'store_unavailable' } });
    expect(any).toMatchObject({ value: { fingerprint: 'print-a' } });
    expect(asked).toHaveLength(2);
  });

  test('asks for itself where the request it waited for was refused a grant', async () => {
    const clock = handClock(START_MS);
    const { fetch } = service(vended('a', 100), refused(403, 'no_grant'), refused(403, 'no_grant'));
    const source = sourceAt(fetch, clock);
    await source.getToken();
    clock.advance(92_000);
    const both = await Promise.allSettled([source.getToken({ minTtlSeconds: 60 }), source.getToken()]);
    expect(both).toMatchObject([{ reason: { code: 'no_grant' } }, { reason: { code: 'no_grant' } }]);
  });

  test('waits in vain for one request of others at most, however many different asks there are', async () => {
    const { fetch, asked } = service({ fails: true });
    const answers: ((answer: Response) => void)[] = [];
    const slow: Fetch = async (...sent) => (asked.length === 0 ? fetch(...sent) : new Promise((resolve) => answers.push(resolve)));
    const source = sourceAt(slow);
    const all = Promise.allSettled([30, 20, 40, 10, 20].map((minTtlSeconds) => source.getToken({ minTtlSeconds })));
    while (answers.length < 3) await new Promise((resolve) => setImmediate(resolve));
    for (const answer of answers) answer(Response.json(vended('a').body));
    const statuses = (await all).map(({ status }) => status);
    expect(statuses).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled']);
    expect(answers).toHaveLength(3);
  });

  test('never gives the token that is reported as rejected, and reports it by its fingerprint', async () => {
    const { fetch, asked } = service(vended('a'), vended('b'));
    const source = sourceAt(fetch);
    const { fingerprint } = await source.getToken();
    expect((await source.getToken({ rejected: fingerprint })).accessToken).toBe('token-b');
    expect(asked[1]?.body).toEqual({ rejected: 'print-a' });
    expect((await source.getToken({ rejected: fingerprint })).accessToken).toBe('token-b');
  });

  test('asks once more, after Retry-After, when a renewal is under way', async () => {
    const clock = handClock(START_MS);
    const { fetch } = service(refused(503, 'renewing', 2), vended('a'));
    expect((await sourceAt(fetch, clock).getToken()).accessToken).toBe('token-a');
    expect(clock.nowMs()).toBe(START_MS + 2_000);
  });

  test('leaves a longer Retry-After to its caller', async () => {
    const { fetch, left } = service(refused(503, 'renewing', 60), vended('a'));
    await expect(sourceAt(fetch).getToken()).rejects.toMatchObject({ code: 'renewing', retryAfterSeconds: 60 });
    expect(left()).toBe(1);
  });

  test('does not ask once more where Retry-After is longer than the time that is left', async () => {
    const clock = handClock(START_MS);
    const { fetch, left } = service(refused(503, 'renewing', 2), vended('a'));
    await expect(sourceAt(fetch, clock, { timeoutMs: 2_000 }).getToken()).rejects.toMatchObject({ code: 'renewing' });
    expect(left()).toBe(1);
    expect(clock.nowMs()).toBe(START_MS);
  });

  test('gives both tries one time together', async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    let secondIsOver: boolean | undefined;
    const fetch: Fetch = async (_, init) => {
      signals.push(init?.signal);
      if (signals.length === 1) return Response.json({ code: 'renewing' }, { status: 503, headers: { 'retry-after': '1' } });
      return new Promise((_resolve, reject) => {
        signals[0]?.addEventListener('abort', () => {
          secondIsOver = signals[1]?.aborted;
          reject(new Error('aborted'));
        });
      });
    };
    // The clock stands still but for the wait between the tries; the time is that of the machine.
    const source = sourceAt(fetch, handClock(START_MS), { timeoutMs: 1_001 });
    await expect(source.getToken()).rejects.toMatchObject({ status: 0, code: 'unreachable' });
    expect(signals).toHaveLength(2);
    expect(secondIsOver).toBe(true);
  });

  test.each([
    ['a proof that never comes', { authenticate: async () => new Promise<never>(() => undefined) }],
    ['a fetch that heeds no signal', { fetch: async () => new Promise<never>(() => undefined) }],
  ])('does not wait longer than its time for %s', async (_, options) => {
    const source = sourceAt(service().fetch, undefined, { timeoutMs: 20, ...options });
    await expect(source.getToken()).rejects.toMatchObject({ status: 0, code: 'unreachable' });
  });

  test('does not ask again before Retry-After is over', async () => {
    const clock = handClock(START_MS);
    const { fetch, asked } = service(refused(503, 'backing_off', 30), vended('a'));
    const source = sourceAt(fetch, clock);
    await expect(source.getToken()).rejects.toThrow(VendError);
    clock.advance(29_999);
    await expect(source.getToken()).rejects.toMatchObject({ code: 'backing_off' });
    expect(asked).toHaveLength(1);
    clock.advance(1);
    expect((await source.getToken()).accessToken).toBe('token-a');
  });

  test('says of Retry-After what is left of it, rounded up', async () => {
    const clock = handClock(START_MS);
    const { fetch } = service(refused(503, 'backing_off', 300));
    const source = sourceAt(fetch, clock);
    const first = await source.getToken().catch((error: unknown) => error);
    clock.advance(298_001);
    const later = await source.getToken().catch((error: unknown) => error);
    expect(first).toMatchObject({ retryAfterSeconds: 300 });
    expect(later).toMatchObject({ code: 'backing_off', message: 'Refused (backing_off): Because.', retryAfterSeconds: 2 });
  });

  test('holds those who ask for as much as was refused, and asks for those who ask for less', async () => {
    const clock = handClock(START_MS);
    const { fetch, asked } = service(refused(503, 'backing_off', 300), vended('a', 50));
    const source = sourceAt(fetch, clock);
    await expect(source.getToken({ minTtlSeconds: 60 })).rejects.toMatchObject({ code: 'backing_off' });
    expect((await source.getToken()).accessToken).toBe('token-a');
    clock.advance(100_000);
    await expect(source.getToken({ minTtlSeconds: 61 })).rejects.toMatchObject({ code: 'backing_off', retryAfterSeconds: 200 });
    expect(asked).toHaveLength(2);
  });

  test('holds reports of a refused token apart from those who just want one', async () => {
    const clock = handClock(START_MS);
    const { fetch } = service(vended('a'), refused(429, 'too_soon', 600), vended('b'));
    const source = sourceAt(fetch, clock);
    const { fingerprint: rejected } = await source.getToken();
    await expect(source.getToken({ rejected })).rejects.toMatchObject({ code: 'too_soon' });
    clock.advance(280_000);
    await expect(source.getToken({ rejected })).rejects.toMatchObject({ code: 'too_soon', retryAfterSeconds: 320 });
    expect((await source.getToken()).accessToken).toBe('token-b');
  });

  test('heeds the longest of several times that it was told', async () => {
    const clock = handClock(START_MS);
    const { fetch, asked } = service(refused(503, 'backing_off', 300), refused(503, 'store_unavailable', 5), vended('a', 30));
    const source = sourceAt(fetch, clock);
    await expect(source.getToken({ minTtlSeconds: 60 })).rejects.toMatchObject({ code: 'backing_off' });
    await expect(source.getToken()).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(source.getToken({ minTtlSeconds: 60 })).rejects.toMatchObject({ code: 'backing_off' });
    clock.advance(5_000);
    await source.getToken();
    await expect(source.getToken({ minTtlSeconds: 60 })).rejects.toMatchObject({ code: 'backing_off' });
    expect(asked).toHaveLength(3);
  });

  test('asks for those for whom the living token is not enough, also right after trouble that named no time', async () => {
    const clock = handClock(START_MS);
    const { fetch } = service(vended('a'), { fails: true }, vended('b'));
    const source = sourceAt(fetch, clock);
    await source.getToken();
    clock.advance(280_000);
    expect((await source.getToken()).accessToken).toBe('token-a');
    expect((await source.getToken({ minTtlSeconds: 60 })).accessToken).toBe('token-b');
  });

  test('takes no token for younger than it is when the clock is set back', async () => {
    const clock = handClock(START_MS);
    const { fetch } = service(vended('a'), vended('b'));
    const source = sourceAt(fetch, clock);
    await source.getToken();
    clock.advance(250_000);
    await source.getToken();
    clock.advance(-200_000);
    expect((await source.getToken()).accessToken).toBe('token-b');
  });

  test('counts the life from the time after, when the clock is set back during the request', async () => {
    const clock = handClock(START_MS);
    const { fetch, asked } = service(vended('a'));
    const stepping: Fetch = async (...sent) => (clock.advance(-3_600_000), fetch(...sent));
    const source = sourceAt(stepping, clock);
    expect((await source.getToken()).expiresAtMs).toBe(clock.nowMs() + 300_000);
    await source.getToken();
    expect(asked).toHaveLength(1);
  });

  test('waits no longer than it was told when the clock is set back', async () => {
    const clock = handClock(START_MS);
    const { fetch } = service(refused(503, 'backing_off', 30), vended('a'));
    const source = sourceAt(fetch, clock);
    await expect(source.getToken()).rejects.toThrow(VendError);
    clock.advance(-3_600_000);
    expect((await source.getToken()).accessToken).toBe('token-a');
  });

  test.each([
    ['answers 5xx', refused(502, 'provider_unreadable')],
    ['answers something else in its place', { body: {} }],
    ['cannot be reached', { fails: true }],
    ['is throttled by its gateway', { status: 429, body: { message: 'Too Many Requests' } }],
  ])('goes on with the living token while the service %s', async (_, trouble) => {
    const clock = handClock(START_MS);
    const { fetch, asked } = service(vended('a'), trouble, vended('b'));
    const source = sourceAt(fetch, clock);
    await source.getToken();
    clock.advance(280_000);
    expect((await source.getToken()).accessToken).toBe('token-a');
    expect((await source.getToken()).accessToken).toBe('token-a');
    expect(asked).toHaveLength(2);
    clock.advance(5_000);
    expect((await source.getToken()).accessToken).toBe('token-b');
  });

  test('does not go on with a token that is about to end', async () => {
    const clock = handClock(START_MS);
    const { fetch } = service(vended('a'), { fails: true });
    const source = sourceAt(fetch, clock);
    await source.getToken();
    clock.advance(295_001);
    await expect(source.getToken()).rejects.toMatchObject({ status: 0, code: 'unreachable' });
  });

  test('does not go on with a token when its grant is gone', async () => {
    const clock = handClock(START_MS);
    const { fetch } = service(vended('a'), refused(403, 'no_grant'));
    const source = sourceAt(fetch, clock);
    await source.getToken();
    clock.advance(280_000);
    await expect(source.getToken()).rejects.toMatchObject({ status: 403, code: 'no_grant' });
  });

  test("tells a problem's fields", async () => {
    const body = {
      code: 'bad_request',
      title: 'Bad request',
      detail: 'min_ttl must be at most 180.',
      field: 'min_ttl',
      rule: 'must be at most 180',
      maximum_seconds: 180,
    };
    const { fetch } = service({ status: 400, body });
    const thrown = await sourceAt(fetch)
      .getToken({ minTtlSeconds: 200 })
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(VendError);
    expect(thrown).toMatchObject({
      message: 'Bad request (bad_request): min_ttl must be at most 180.',
      problem: { field: 'min_ttl', maximumSeconds: 180 },
    });
  });

  test("names API Gateway's own answers by their status", async () => {
    const { fetch } = service({ status: 401, body: { message: 'Unauthorized' } });
    await expect(sourceAt(fetch).getToken()).rejects.toMatchObject({ code: 'gateway_401', message: 'Unauthorized (gateway_401)' });
  });

  test.each([[{}], [{ access_token: 'x' }], [[]]])('takes %j for no token answer', async (body) => {
    const { fetch } = service({ body });
    await expect(sourceAt(fetch).getToken()).rejects.toMatchObject({ code: 'unreadable' });
  });

  test('prints no token', async () => {
    const { fetch } = service(vended('a'));
    const token = await sourceAt(fetch).getToken();
    expect(inspect(token, { depth: 9, showHidden: true })).not.toContain('token-a');
    expect(JSON.stringify(token)).not.toContain('token-a');
  });
});
