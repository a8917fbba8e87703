import { describe, expect, test } from '@jest/globals';
import { TokenVendingError } from '../../../functions/core/errors.ts';
import type { Outcome } from '../../../functions/core/renewal.ts';
import { keepWarmMs, timing } from '../../../functions/core/timing.ts';
import { fingerprintOf } from '../../../functions/core/token-set.ts';
import type { VendOutcome } from '../../../functions/core/vend-token.ts';
import { answers, HOUR, key, MINUTE, outage, ref, renewalBench, SECOND } from '../../support/renewal-bench.ts';

type Bench = ReturnType<typeof renewalBench>;

/** With a set in the table that was obtained so long ago; nobody's memory holds it. */
async function aBench(ageMs: number, ...given: Parameters<typeof renewalBench>): Promise<Bench & { operations: string[] }> {
  const bench = renewalBench(...given);
  await bench.renew();
  bench.clock.advance(ageMs);
  bench.sent.length = 0;
  const operations: string[] = [];
  bench.hooks.onOperation = (name) => void operations.push(name);
  return { ...bench, operations };
}

function fingerprint(outcome: VendOutcome): string {
  return outcome.kind === 'answered' ? fingerprintOf(outcome.tokenSet.accessToken) : outcome.kind;
}

async function change(bench: Bench, more: object): Promise<void> {
  const account = bench.account();
  if (!account) throw new Error('The account is there.');
  await bench.store.writeAccount({ ...account, revision: account.revision + 1, ...more });
}

async function takeLease({ store, clock, item }: Bench): Promise<void> {
  const nowMs = clock.nowMs();
  const lease = { attempt: 'other', nowMs, leaseUntilMs: nowMs + timing.leaseMs, skewMs: timing.skewMs };
  await store.acquire(key, { judged: item()?.generation, ...lease, respectNotBefore: true });
}

describe('a vend', () => {
  test('of a set that nobody ever asked for has it obtained, and kept warm', async () => {
    const bench = renewalBench();
    expect(await bench.vend()).toMatchObject({ kind: 'answered', from: 'renewal', generation: bench.item()?.generation });
    expect(bench.item()?.warmUntilMs).toBe(bench.clock.nowMs() + keepWarmMs(timing, HOUR));
    expect(bench.sent).toEqual(['login']);
  });

  test('of a living set is one read of the table, and then none for ten seconds', async () => {
    const bench = await aBench(MINUTE);
    expect(await bench.vend()).toMatchObject({ kind: 'answered', from: 'table' });
    expect(await bench.vend()).toMatchObject({ kind: 'answered', from: 'memory' });
    bench.clock.advance(timing.memoryMs);
    expect(await bench.vend()).toMatchObject({ kind: 'answered', from: 'table' });
    expect(bench.operations).toEqual(['peek', 'peek']);
    expect(bench.invocations).toEqual([]);
  });

  test('of a set whose token a refresh ends is never answered from memory', async () => {
    const bench = await aBench(MINUTE, { behaviour: { refreshEndsOldToken: true } });
    await bench.vend();
    expect(await bench.vend()).toMatchObject({ from: 'table' });
  });

  test('that comes while another one reads shares its read, and its renewal', async () => {
    const bench = await aBench(58 * MINUTE);
    const outcomes = await Promise.all([bench.vend(), bench.vend(), bench.vend()]);
    expect(new Set(outcomes.map(fingerprint)).size).toBe(1);
    expect(bench.operations.filter((name) => name === 'peek')).toHaveLength(1);
    expect(bench.invocations).toHaveLength(1);
  });

  test('that asks for too much life spoils none that asks for less at the same time', async () => {
    const bench = renewalBench();
    const outcomes = await Promise.all([bench.vend({ minTtlSeconds: 2_161 }), bench.vend()]);
    expect(outcomes).toMatchObject([{ kind: 'bad_request', maximumSeconds: 2_160 }, { kind: 'answered' }]);
  });

  test('whose time is over asks for no renewal that it could not wait for', async () => {
    const bench = await aBench(HOUR);
    bench.hooks.onReply = () => bench.clock.advance(timing.vendDeadlineMs);
    expect(await bench.vend()).toMatchObject({ kind: 'renewing' });
    expect(bench.invocations).toEqual([]);
  });

  test('that reports a token does not share the renewal of one that does not: the renewing function must hear of it', async () => {
    const bench = await aBench(58 * MINUTE);
    const rejected = await bench.fingerprint();
    bench.instead.push(async (command) => {
      await new Promise(setImmediate);
      return bench.run(command);
    });
    const outcomes = await Promise.all([bench.vend(), bench.vend({ rejected })]);
    expect(bench.invocations).toMatchObject([{ rejected: undefined }, { rejected }]);
    expect(outcomes.map(fingerprint)).not.toContain(rejected);
    expect(bench.sent).toEqual(['refresh']);
  });

  test('of an account without a secret is refused', async () => {
    const bench = renewalBench();
    bench.secrets.delete();
    expect(await bench.vend()).toEqual({ kind: 'refused', refusal: { reason: 'no_account' } });
    expect(await bench.vend({ ref: { provider: 'nobody', account: 'main' } })).toEqual({
      kind: 'refused',
      refusal: { reason: 'no_account' },
    });
  });

  test('with min_ttl above 60 % of the life is a bad request', async () => {
    const bench = await aBench(MINUTE);
    expect(await bench.vend({ minTtlSeconds: 2_161 })).toEqual({ kind: 'bad_request', maximumSeconds: 2_160 });
    expect(await bench.vend({ minTtlSeconds: 2_160 })).toMatchObject({ kind: 'answered' });
  });
});

describe('memory', () => {
  test('answers no longer than ten seconds after a revocation', async () => {
    const bench = await aBench(MINUTE);
    const before = fingerprint(await bench.vend());
    await bench.run({ command: 'revoke', ref, parameters: {} });
    bench.clock.advance(timing.memoryMs);
    expect(fingerprint(await bench.vend())).not.toBe(before);
  });

  test.each([
    ['reading', 'peek', MINUTE],
    ['renewal', 'commit', HOUR],
  ])(
    'is as old as the beginning of its %s: a revocation meanwhile shows within ten seconds, however slow that was',
    async (_what, slow, ageMs) => {
      const bench = await aBench(ageMs);
      bench.hooks.onReply = async (name) => {
        if (name !== slow) return;
        bench.hooks.onReply = undefined;
        await bench.run({ command: 'revoke', ref, parameters: {} });
        bench.clock.advance(3 * SECOND);
      };
      const before = fingerprint(await bench.vend());
      bench.clock.advance(timing.memoryMs - 3 * SECOND);
      expect(fingerprint(await bench.vend())).not.toBe(before);
    },
  );

  test('answers no longer than ten seconds after the account became somebody else', async () => {
    const bench = await aBench(MINUTE);
    await bench.vend();
    bench.server.setPassword('somebody else', 'good');
    bench.secrets.set({ password: 'good', user: 'somebody else' });
    await bench.run({ command: 'secret_changed', ref });
    bench.clock.advance(timing.memoryMs);
    const outcome = await bench.vend();
    expect(outcome.kind === 'answered' && outcome.tokenSet.facts['user']).toBe('somebody else');
  });

  test('is not asked for less life than min_ttl', async () => {
    const bench = await aBench(40 * MINUTE);
    const before = fingerprint(await bench.vend());
    const outcome = await bench.vend({ minTtlSeconds: 1_800 });
    expect(outcome).toMatchObject({ kind: 'answered', from: 'renewal' });
    expect(fingerprint(outcome)).not.toBe(before);
  });
});

describe('a reported token', () => {
  test('is looked up strongly throughout, and replaced', async () => {
    const bench = await aBench(MINUTE, { store: { staleReads: () => true } });
    const rejected = fingerprint(await bench.vend());
    bench.operations.length = 0;
    const outcome = await bench.vend({ rejected });
    expect(outcome).toMatchObject({ kind: 'answered', from: 'renewal' });
    expect(fingerprint(outcome)).not.toBe(rejected);
    expect(bench.operations).not.toContain('peek');
  });

  test('is not given back while it cannot be replaced, but others still get it', async () => {
    const bench = await aBench(MINUTE);
    const rejected = await bench.fingerprint();
    bench.next(answers(503));
    expect(await bench.vend({ rejected })).toMatchObject({ kind: 'refused', refusal: { reason: 'backing_off' } });
    expect(fingerprint(await bench.vend())).toBe(rejected);
  });
});

describe('while somebody else renews', () => {
  test('the living token is answered at once', async () => {
    const bench = await aBench(58 * MINUTE);
    await takeLease(bench);
    const startedAtMs = bench.clock.nowMs();
    expect(await bench.vend()).toMatchObject({ kind: 'answered', from: 'table' });
    expect(bench.clock.nowMs()).toBe(startedAtMs);
  });

  test('a vend without a living token waits for theirs', async () => {
    const bench = await aBench(HOUR);
    await takeLease(bench);
    const { generation = 0 } = bench.item() ?? {};
    let polls = 0;
    bench.hooks.onOperation = async (name) => {
      if (name !== 'peek' || ++polls !== 5) return;
      await bench.store.release(key, generation, 'other', { doubt: undefined, due: 'keep' });
      await bench.renew();
    };
    expect(await bench.vend()).toMatchObject({ kind: 'answered', from: 'table', generation: generation + 1 });
    expect(bench.invocations).toEqual([]);
  });

  test('it gives up within its budget, after a last strong read, and says when the lease ends', async () => {
    const bench = await aBench(HOUR);
    await takeLease(bench);
    const startedAtMs = bench.clock.nowMs();
    const retryAtMs = startedAtMs + timing.leaseMs + timing.skewMs;
    bench.operations.length = 0;
    expect(await bench.vend()).toEqual({ kind: 'renewing', retryAtMs });
    expect(bench.clock.nowMs() - startedAtMs).toBeLessThan(timing.waiterBudgetMs + SECOND);
    expect(bench.operations.slice(-2)).toEqual(['readAccount', 'readTokenSet']);
    expect(bench.operations.length).toBeLessThan(60);
  });
});

describe('the renewing function', () => {
  test('is believed when it says that what is stored answers, whatever our clock makes of it', async () => {
    const bench = await aBench(58 * MINUTE);
    bench.instead.push(async () => ({ outcome: 'current', item: bench.item() }));
    expect(await bench.vend()).toMatchObject({ kind: 'answered', from: 'table' });
    expect(bench.invocations).toHaveLength(1);
  });

  test('is not asked in a tight loop when what it answers with is over by our clock', async () => {
    const bench = await aBench(HOUR + MINUTE);
    const current = async (): Promise<Outcome> => ({ outcome: 'current', item: bench.item() });
    bench.instead.push(...Array.from({ length: 1_000 }, () => current));
    const startedAtMs = bench.clock.nowMs();
    expect(await bench.vend()).toMatchObject({ kind: 'renewing' });
    expect(bench.clock.nowMs() - startedAtMs).toBeLessThan(timing.waiterBudgetMs + SECOND);
    expect(bench.invocations.length).toBeLessThan(50);
  });

  test('refuses, and the living token is answered', async () => {
    const bench = await aBench(58 * MINUTE);
    const before = await bench.fingerprint();
    bench.next(answers(503));
    expect(fingerprint(await bench.vend())).toBe(before);
  });

  test.each([
    ['somebody else', { identity: 'somebody else' }],
    ['gone', { identity: '', secretVersion: '' }],
  ])('refuses because the account has just become %s, and the living token of before is not answered', async (_what, more) => {
    const bench = await aBench(58 * MINUTE);
    const refusal = { reason: 'credentials_refused' } as const;
    bench.instead.push(async () => {
      await change(bench, more);
      return { outcome: 'refused', refusal };
    });
    expect(await bench.vend()).toEqual({ kind: 'refused', refusal });
  });

  test('cannot be reached, and the living token is answered, also where the table fails meanwhile', async () => {
    const bench = await aBench(58 * MINUTE);
    const before = await bench.fingerprint();
    bench.instead.push(async () => {
      bench.hooks.onOperation = outage;
      throw new TokenVendingError('renewals_unavailable');
    });
    expect(fingerprint(await bench.vend())).toBe(before);
  });

  test('cannot be reached, and without a living token the caller is told', async () => {
    const bench = await aBench(HOUR);
    bench.instead.push(async () => {
      throw new TokenVendingError('too_slow');
    });
    await expect(bench.vend()).rejects.toMatchObject({ code: 'too_slow' });
  });
});

describe('what is vended stays warm', () => {
  test('and is written only when a quarter of its warm time is over', async () => {
    const bench = await aBench(20 * MINUTE);
    await bench.vend();
    expect(bench.operations).toEqual(['peek']);
    bench.clock.advance(11 * MINUTE);
    await bench.vend();
    expect(bench.operations).toEqual(['peek', 'peek', 'markWarm']);
    expect(bench.item()?.warmUntilMs).toBe(bench.clock.nowMs() + keepWarmMs(timing, HOUR));
  });

  test('comes back into the index that it had left', async () => {
    const bench = await aBench(20 * MINUTE);
    const { generation = 0, dueAtMs = 0, dueShard, dueGroup } = bench.item() ?? {};
    await bench.store.moveDue(key, generation, dueAtMs, undefined);
    expect(bench.item()?.dueGroup).toBeUndefined();
    bench.clock.advance(11 * MINUTE);
    await bench.vend();
    expect(bench.item()).toMatchObject({ dueShard, dueAtMs, dueGroup });
  });

  test('and gets the tag of its origin where an older version wrote its due keys', async () => {
    const bench = await aBench(20 * MINUTE);
    const { dueGroup, ...older } = bench.item() ?? { generation: 0 };
    bench.store.plant(key, older);
    bench.clock.advance(11 * MINUTE);
    await bench.vend();
    expect(bench.item()).toMatchObject({ dueAtMs: older.dueAtMs, dueGroup });
  });

  test('and is not due before the back-off of its account ends', async () => {
    const bench = await aBench(31 * MINUTE);
    bench.next(answers(429, {}, { 'retry-after': '600' }));
    await bench.renew({ parameters: { profile: 1 } });
    const { dueAtMs = 0 } = bench.item() ?? {};
    await bench.vend();
    expect(bench.item()?.dueAtMs).toBe(bench.clock.nowMs() + 600 * SECOND);
    expect(bench.item()?.dueAtMs).toBeGreaterThan(dueAtMs);
  });

  test('or not, where the table fails: the caller has a token all the same', async () => {
    const bench = await aBench(31 * MINUTE);
    bench.hooks.onOperation = (name) => (name === 'markWarm' ? outage() : undefined);
    expect(await bench.vend()).toMatchObject({ kind: 'answered' });
  });
});
