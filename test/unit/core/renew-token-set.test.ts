import { describe, expect, test } from '@jest/globals';
import { renewAheadMs, timing } from '../../../functions/core/timing.ts';
import { groupOf, keyOf } from '../../../functions/core/token-set.ts';
import {
  anHourLater,
  answerLost,
  answers,
  HOUR,
  key,
  meanwhile,
  MINUTE,
  outage,
  ref,
  renewalBench,
  SECOND,
  unsent,
} from '../../support/renewal-bench.ts';

const invalidGrant = answers(400, { error: 'invalid_grant' });

describe('a renewal', () => {
  test('logs in where nothing is stored, and stores what it got', async () => {
    const bench = renewalBench();
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed', item: { secretVersion: 'v1', lifeMs: HOUR } });
    expect(bench.sent).toEqual(['login']);
    expect(bench.item()).toMatchObject({ lease: undefined, doubt: undefined, dueShard: 0 });
    expect(bench.item()?.dueGroup).toBe(groupOf((await bench.opened())?.origin ?? ''));
    expect(bench.account()).toMatchObject({ proven: true, refused: 0, unanswered: {} });
  });

  test('refreshes where a refresh token lives', async () => {
    const bench = await anHourLater();
    const { generation = 0 } = bench.item() ?? {};
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed', item: { generation: generation + 1 } });
    expect(bench.sent).toEqual(['refresh']);
  });

  test('sends nothing where what is stored answers', async () => {
    const bench = renewalBench();
    await bench.renew();
    expect(await bench.renew()).toMatchObject({ outcome: 'current' });
    expect(bench.sent).toEqual(['login']);
  });

  test('sends nothing while somebody else holds the lease', async () => {
    const bench = await anHourLater();
    const { clock } = bench;
    const held = { attempt: 'other', nowMs: clock.nowMs(), leaseUntilMs: clock.nowMs() + timing.leaseMs };
    await bench.store.acquire(key, { judged: bench.item()?.generation, ...held, skewMs: timing.skewMs, respectNotBefore: true });
    expect(await bench.renew()).toMatchObject({ outcome: 'wait' });
    expect(bench.sent).toEqual([]);
  });

  test.each(['readTokenSet', 'listTokenSets'])('sends nothing where %s leaves the function too little time to finish', async (slow) => {
    const bench = renewalBench();
    bench.hooks.onOperation = (name) => void (name === slow && bench.clock.advance(15 * SECOND));
    expect(await bench.renew()).toMatchObject({ outcome: 'wait' });
    expect(bench.sent).toEqual([]);
  });

  test('that is reported refused is not answered with the same token, however often the server repeats it', async () => {
    const bench = renewalBench({ behaviour: { givesRefreshTokens: false, returnsSameToken: true } });
    await bench.renew();
    bench.clock.advance(5 * MINUTE);
    const rejected = await bench.fingerprint();
    expect(await bench.renew({ rejected })).toMatchObject({ outcome: 'refused', refusal: { reason: 'too_soon' } });
    expect(await bench.renew({ rejected })).toMatchObject({ outcome: 'refused', refusal: { reason: 'too_soon' } });
    expect(bench.sent).toEqual(['login', 'login']);
  });

  test('keeps the highest number of token sets', async () => {
    const bench = renewalBench({ maxTokenSets: 2 });
    await bench.renew({ parameters: { profile: 1 } });
    await bench.renew({ parameters: { profile: 2 } });
    const third = await bench.renew({ parameters: { profile: 3 } });
    expect(third).toEqual({ outcome: 'refused', refusal: { reason: 'too_many_token_sets' } });
    expect(bench.store.tokenSetAt(keyOf(ref, { profile: 3 }))).toBeUndefined();
  });

  test('counts living token sets alone towards the highest number', async () => {
    const bench = renewalBench({ maxTokenSets: 1 });
    await bench.renew({ parameters: { profile: 1 } });
    bench.clock.advance(HOUR - 1);
    expect(await bench.renew({ parameters: { profile: 2 } })).toMatchObject({ refusal: { reason: 'too_many_token_sets' } });
    bench.clock.advance(1);
    expect(await bench.renew({ parameters: { profile: 2 } })).toMatchObject({ outcome: 'renewed' });
  });

  test('of a set that is there goes on where an operator has lowered the highest number below what is there', async () => {
    const bench = await anHourLater({ maxTokenSets: 1 });
    const other = keyOf(ref, { profile: 1 });
    bench.store.plant(other, { generation: 1, sealed: new Uint8Array(1), expiresAtMs: bench.clock.nowMs() + HOUR });
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
  });

  test('counts the life of a token, not what is left of one that the server repeats', async () => {
    const bench = renewalBench({ behaviour: { givesRefreshTokens: false, returnsSameToken: true } });
    await bench.renew();
    bench.clock.advance(40 * MINUTE);
    expect(await bench.renew({ minTtlMs: 30 * MINUTE })).toMatchObject({ outcome: 'renewed', item: { lifeMs: HOUR } });
  });

  test('counts the longest life since the last log-in: a shorter token by a refresh does not shrink it, by a log-in it does', async () => {
    const bench = await anHourLater();
    bench.server.behaviour.lifeSeconds = 600;
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed', item: { lifeMs: HOUR } });
    bench.clock.advance(HOUR);
    bench.next(invalidGrant);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed', item: { lifeMs: 10 * MINUTE } });
    expect(bench.sent).toEqual(['refresh', 'refresh', 'login']);
  });
});

describe('min_ttl', () => {
  test('above 60 % of a life that nobody knew is a bad request, and the set is kept', async () => {
    const bench = renewalBench();
    expect(await bench.renew({ minTtlMs: 40 * MINUTE })).toEqual({ outcome: 'bad_request', maximumSeconds: 2_160 });
    expect(bench.item()?.sealed).toBeDefined();
    expect(await bench.renew({ minTtlMs: 40 * MINUTE })).toMatchObject({ outcome: 'bad_request' });
    expect(bench.sent).toEqual(['login']);
  });
});

describe('the reply of the table is lost', () => {
  test('at the acquire: the lease is recognised, and its own intent is no doubt', async () => {
    const bench = await anHourLater();
    bench.hooks.onReply = (name) => (name === 'acquire' ? outage() : undefined);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.sent).toEqual(['refresh']);
  });

  test('at the acquire, with a doubt from before: the doubt is seen', async () => {
    const bench = await anHourLater();
    bench.next(answerLost);
    await bench.renew();
    bench.clock.advance(MINUTE);
    bench.hooks.onReply = (name) => (name === 'acquire' ? outage() : undefined);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.sent).toEqual(['refresh', 'login']);
  });

  test('at the commit: it is recognised, and nothing is obtained twice', async () => {
    const bench = await anHourLater();
    let lost = false;
    bench.hooks.onReply = (name) => {
      if (name !== 'commit' || lost) return;
      lost = true;
      outage();
    };
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.sent).toEqual(['refresh']);
  });

  test.each(['readAccount', 'writeAccount'] as const)("once at the log-in's answer, by %s: the log-in is kept", async (operation) => {
    const bench = renewalBench();
    let fails = 0;
    // The answer's first write is lost before it happens; then the table fails once more.
    bench.next(meanwhile(() => (fails = 2)));
    bench.hooks.onOperation = (name) => {
      const due = fails === 2 ? name === 'writeAccount' : fails === 1 && name === operation;
      if (!due) return;
      fails -= 1;
      outage();
    };
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.account()).toMatchObject({ proven: true, unanswered: {} });
    expect(bench.sent).toEqual(['login']);
  });
});

describe('the outcome of a refresh is unknown', () => {
  test('a strict provider never sees that refresh token again: the next renewal logs in', async () => {
    const bench = await anHourLater();
    bench.next(answerLost);
    expect(await bench.renew()).toMatchObject({ outcome: 'refused', refusal: { reason: 'backing_off' } });
    expect(bench.item()?.doubt?.count).toBe(1);
    bench.clock.advance(MINUTE);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.sent).toEqual(['refresh', 'login']);
  });

  test('one that does not rotate is sent it again', async () => {
    const bench = await anHourLater({ behaviour: { rotation: { kind: 'none' } } });
    bench.next(answerLost);
    await bench.renew();
    bench.clock.advance(MINUTE);
    await bench.renew();
    expect(bench.sent).toEqual(['refresh', 'refresh']);
  });

  test('but where it was surely not sent, there is no doubt', async () => {
    const bench = await anHourLater();
    bench.next(unsent);
    await bench.renew();
    expect(bench.item()).toMatchObject({ lease: undefined, doubt: undefined });
    bench.clock.advance(MINUTE);
    await bench.renew();
    expect(bench.sent).toEqual(['refresh', 'refresh']);
  });

  test('or where the table was restored: what was obtained before is in doubt', async () => {
    const bench = renewalBench({ restoreEpochMs: (nowMs) => nowMs + MINUTE });
    await bench.renew();
    bench.clock.advance(HOUR);
    await bench.secrets.read(ref, false);
    bench.secrets.set({ password: 'better' });
    bench.server.setPassword('somebody', 'better');
    await bench.renew();
    expect(bench.sent).toEqual(['login', 'login']);
    expect(bench.account()).toMatchObject({ refused: 0, secretVersion: 'v2' });
  });

  test('and stays so when a log-in has got no answer since: its refresh token is of the backup, whatever grace there is', async () => {
    const grace = { rotation: { kind: 'grace', ms: MINUTE } } as const;
    const bench = renewalBench({ restoreEpochMs: (nowMs) => nowMs + MINUTE, behaviour: grace });
    await bench.renew();
    bench.clock.advance(HOUR);
    bench.next(answers(503));
    await bench.renew();
    bench.clock.advance(5 * SECOND);
    await bench.renew();
    expect(bench.sent).toEqual(['login', 'login', 'login']);
  });
});

describe('a holder that was slower than its lease', () => {
  test('ends the session of its own log-in, although its deadlines are over, and leaves the winner alone', async () => {
    const bench = renewalBench();
    bench.next(
      meanwhile(async () => {
        bench.clock.advance(20 * SECOND);
        await bench.renew();
      }),
    );
    expect(await bench.renew()).toMatchObject({ outcome: 'current' });
    expect(bench.sent).toEqual(['login', 'login', 'revoke']);
    expect(bench.server.sessions.map((session) => session.fate)).toEqual(['well', 'revoked']);
    bench.clock.advance(HOUR);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.sent.at(-1)).toBe('refresh');
  });
});

describe('a refused refresh token', () => {
  test('leads to a log-in at once, under the same lease', async () => {
    const bench = await anHourLater();
    bench.next(invalidGrant);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.sent).toEqual(['refresh', 'login']);
  });

  test('never sends a password from memory that has changed since', async () => {
    const bench = await anHourLater();
    await bench.secrets.read(ref, false);
    bench.secrets.set({ password: 'better' });
    bench.server.setPassword('somebody', 'better');
    bench.next(invalidGrant);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed', item: { secretVersion: 'v2' } });
    expect(bench.account()).toMatchObject({ refused: 0, proven: true });
    expect(bench.sent).toEqual(['refresh', 'login']);
  });

  test('gives the lease back where the secret cannot be read before the log-in', async () => {
    const bench = await anHourLater();
    await bench.secrets.read(ref, false);
    for (const session of bench.server.sessions) session.fate = 'ended';
    bench.next(meanwhile(() => (bench.secrets.read = outage)));
    await expect(bench.renew()).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(bench.item()).toMatchObject({ lease: undefined, doubt: undefined, refreshRefused: true });
  });
});

describe('a holder that comes too late to send anything', () => {
  test('gives the lease back and says nothing of the provider', async () => {
    const bench = await anHourLater();
    bench.hooks.onReply = (name) => {
      if (name !== 'acquire') return;
      bench.hooks.onReply = undefined;
      bench.clock.advance(timing.providerBudgetMs);
    };
    expect(await bench.renew()).toMatchObject({ outcome: 'wait' });
    expect([bench.sent, bench.item()?.lease, bench.item()?.doubt]).toEqual([[], undefined, undefined]);
    expect(bench.account()).toMatchObject({ outages: 0, notBeforeMs: undefined, failure: undefined });
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
  });

  test('gives the slot of its log-in back too', async () => {
    const bench = renewalBench();
    let writes = 0;
    bench.hooks.onReply = (name) => {
      // The first write makes the account, the second takes the slot.
      if (name === 'writeAccount' && ++writes === 2) bench.clock.advance(timing.providerBudgetMs);
    };
    expect(await bench.renew()).toMatchObject({ outcome: 'wait' });
    expect([bench.sent, bench.account()]).toEqual([[], expect.objectContaining({ unanswered: {}, outages: 0, notBeforeMs: undefined })]);
  });
});

describe('an account that backs off', () => {
  test('obeys Retry-After for all its sets', async () => {
    const bench = renewalBench();
    bench.next(answers(429, {}, { 'retry-after': '30' }));
    const retryAtMs = bench.clock.nowMs() + 30 * SECOND;
    expect(await bench.renew()).toMatchObject({ refusal: { reason: 'backing_off', retryAtMs } });
    expect(await bench.renew({ parameters: { profile: 1 } })).toMatchObject({ refusal: { reason: 'backing_off', retryAtMs } });
    expect(bench.sent).toEqual(['login']);
  });

  test('backs off longer with every outage, and forgets them with the first success', async () => {
    const bench = await anHourLater();
    for (const outages of [1, 2, 3]) {
      bench.next(answers(503));
      await bench.renew();
      expect(bench.account()?.outages).toBe(outages);
      bench.clock.advance(MINUTE);
    }
    await bench.renew();
    expect(bench.account()).toMatchObject({ outages: 0, notBeforeMs: undefined, failure: undefined });
  });

  test('counts the calls that fail together as one outage', async () => {
    const bench = renewalBench();
    const profiles = [1, 2, 3, 4, 5, 6].map((profile) => ({ parameters: { profile } }));
    for (const profile of profiles) await bench.renew(profile);
    bench.clock.advance(HOUR);
    const allSent = Promise.withResolvers<void>();
    bench.next(
      ...profiles.map(() =>
        meanwhile(() => {
          if (bench.sent.length === 2 * profiles.length) allSent.resolve();
          return allSent.promise;
        }),
      ),
    );
    bench.server.handle = () => ({
      answer: { status: 503, headers: {}, text: '' },
      handled: { sent: 'refresh', host: '', sightings: 1, good: false },
    });
    await Promise.all(profiles.map((profile) => bench.renew(profile)));
    expect(bench.account()?.outages).toBe(1);
  });
});

test('what a check obtains of an account that is not always kept is not kept warm: nobody asked for its token', async () => {
  const bench = renewalBench();
  expect(await bench.run({ command: 'check', ref })).toMatchObject({ outcome: 'renewed' });
  const { warmUntilMs, dueAtMs, dueShard } = bench.item() ?? {};
  expect([warmUntilMs, dueAtMs, dueShard]).toEqual([undefined, undefined, undefined]);
});

describe('what is due', () => {
  test('is due before its end by the renew-ahead window and a random part of the jitter', async () => {
    const bench = renewalBench();
    await bench.renew();
    const windowMs = renewAheadMs(timing, HOUR);
    expect(bench.item()?.dueAtMs).toBe((bench.item()?.expiresAtMs ?? 0) - windowMs - 0.5 * timing.jitter * windowMs);
  });

  test('is renewed while it is warm', async () => {
    const bench = renewalBench();
    await bench.renew();
    bench.clock.advance(50 * MINUTE);
    expect(await bench.due()).toMatchObject({ outcome: 'renewed' });
    expect(bench.item()?.dueAtMs).toBeGreaterThan(bench.clock.nowMs());
  });

  test('and cold leaves the index', async () => {
    const bench = renewalBench();
    await bench.renew();
    bench.clock.advance(3 * HOUR);
    await bench.due();
    expect(bench.sent).toEqual(['login']);
    expect(bench.item()).toMatchObject({ dueAtMs: undefined, dueShard: undefined });
  });

  test('and cold is renewed all the same where its account is always kept', async () => {
    const bench = renewalBench();
    bench.secrets.set({ password: 'good', keep: 'always' });
    await bench.run({ command: 'check', ref });
    bench.clock.advance(5 * HOUR);
    expect(await bench.due()).toMatchObject({ outcome: 'renewed' });
  });

  test.each([
    ['backing off', answers(429, {}, { 'retry-after': '600' }), 600 * SECOND],
    ['a refused scope', answers(400, { error: 'invalid_scope' }), timing.setFailureMs],
  ])('and refused for %s is due when the refusal ends, and not each minute', async (_why, reaction, waitMs) => {
    const bench = renewalBench();
    await bench.renew();
    bench.clock.advance(50 * MINUTE);
    bench.next(reaction);
    await bench.due();
    expect(bench.item()?.dueAtMs).toBe(bench.clock.nowMs() + waitMs);
  });

  test('and found refused, without being tried, is due when the refusal ends', async () => {
    const bench = renewalBench();
    await bench.renew();
    bench.clock.advance(50 * MINUTE);
    bench.next(answers(429, {}, { 'retry-after': '600' }));
    await bench.renew({ parameters: { profile: 1 } });
    await bench.due();
    expect(bench.item()?.dueAtMs).toBe(bench.clock.nowMs() + 600 * SECOND);
  });

  test('and cold leaves the index also where its account is refused, or it would be looked at for ever', async () => {
    const bench = renewalBench();
    await bench.renew();
    bench.secrets.set({});
    bench.clock.advance(50 * MINUTE);
    await bench.due();
    expect(bench.item()?.dueAtMs).toBe(bench.clock.nowMs() + timing.absenceMs);
    bench.clock.advance(3 * HOUR);
    expect(await bench.due()).toMatchObject({ refusal: { reason: 'misconfigured' } });
    expect(bench.item()?.dueAtMs).toBeUndefined();
  });
});

test('an old message for a set that was renewed since makes it due no earlier, also where its account is refused', async () => {
  const bench = renewalBench();
  await bench.vend();
  const { dueAtMs = 0 } = bench.item() ?? {};
  bench.secrets.set({});
  bench.clock.advance(MINUTE);
  expect(await bench.due()).toMatchObject({ refusal: { reason: 'misconfigured' } });
  expect(bench.item()?.dueAtMs).toBeGreaterThanOrEqual(dueAtMs);
});

describe('a provider where a log-in needs a person', () => {
  test('has its sets kept for as long as nobody revokes them, and any other has them deleted a week after their end', async () => {
    let loginNeedsPerson = false;
    const bench = await anHourLater({
      provider: (plain) => ({ ...plain, traits: (credentials) => ({ ...plain.traits(credentials), loginNeedsPerson }) }),
    });
    await bench.renew({ parameters: { profile: 1 } });
    loginNeedsPerson = true;
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.store.ttlSweep(bench.clock.nowMs() + 10 * 365 * 24 * HOUR)).toBe(1);
    expect(bench.item()?.sealed).toBeDefined();
  });

  test('is sent a doubtful refresh token once more; then the set waits for the person, and leaves the index', async () => {
    let person = false;
    const bench = await anHourLater({
      provider: (plain) => ({ ...plain, traits: (credentials) => ({ ...plain.traits(credentials), loginNeedsPerson: person }) }),
    });
    person = true;
    bench.next(answerLost, answerLost);
    await bench.renew();
    bench.clock.advance(MINUTE);
    await bench.renew();
    bench.clock.advance(MINUTE);
    expect(await bench.due()).toEqual({ outcome: 'refused', refusal: { reason: 'needs_consent', providerError: undefined } });
    expect(bench.sent).toEqual(['refresh', 'refresh']);
    expect(bench.item()).toMatchObject({ dueAtMs: undefined, failure: { code: 'needs_consent', notBeforeMs: undefined } });
    expect(await bench.renew()).toMatchObject({ outcome: 'refused', refusal: { reason: 'needs_consent' } });
  });
});

test('who may not log in yet waits, gives the lease back, and is no failure of the provider', async () => {
  const bench = renewalBench();
  const second = Promise.withResolvers<unknown>();
  bench.next(meanwhile(() => second.promise));
  const first = bench.renew();
  second.resolve(await bench.renew({ parameters: { profile: 1 } }));
  expect(await second.promise).toMatchObject({ outcome: 'wait' });
  expect(await first).toMatchObject({ outcome: 'renewed' });
  expect(bench.sent).toEqual(['login']);
  expect(bench.store.tokenSetAt(keyOf(ref, { profile: 1 }))).toMatchObject({ lease: undefined, doubt: undefined });
  expect(bench.telemetry.metrics.map(({ name }) => name)).not.toContain('ProviderFailure');
});
