import { describe, expect, test } from '@jest/globals';
import { timing } from '../../../functions/core/timing.ts';
import { answerLost, answers, HOUR, key, MINUTE, outage, ref, renewalBench } from '../../support/renewal-bench.ts';

type Bench = ReturnType<typeof renewalBench>;
const revoke = (bench: Bench) => bench.run({ command: 'revoke', ref, parameters: {} });

async function takeLease({ store, clock, item }: Bench): Promise<void> {
  const nowMs = clock.nowMs();
  const lease = { attempt: 'other', nowMs, leaseUntilMs: nowMs + timing.leaseMs, skewMs: timing.skewMs };
  await store.acquire(key, { judged: item()?.generation, ...lease, respectNotBefore: true });
}

describe('a revocation', () => {
  test('of a set that is not there has nothing to do, and of no account is refused', async () => {
    const bench = renewalBench();
    expect(await revoke(bench)).toEqual({ outcome: 'done' });
    bench.secrets.delete();
    bench.clock.advance(MINUTE);
    expect(await revoke(bench)).toEqual({ outcome: 'refused', refusal: { reason: 'no_account' } });
  });

  test('has nothing to do either where the secret breaks a rule', async () => {
    const bench = renewalBench();
    bench.secrets.set({ base_url: 17 });
    expect(await revoke(bench)).toEqual({ outcome: 'done' });
  });

  test('is held up by no failure and no spacing', async () => {
    const bench = renewalBench();
    await bench.renew();
    expect(await revoke(bench)).toEqual({ outcome: 'done', revokedAtProvider: true });
    await bench.renew();
    bench.clock.advance(HOUR);
    bench.next(answers(400, { error: 'invalid_scope' }));
    await bench.renew();
    expect(await revoke(bench)).toEqual({ outcome: 'done', revokedAtProvider: true });
    expect(bench.item()).toEqual({ generation: bench.item()?.generation, committedBy: bench.item()?.committedBy });
  });

  test.each([
    ['whose last refresh never got an answer', {}],
    ['from before a restore of the table', { restoreEpochMs: (nowMs: number) => nowMs + MINUTE }],
  ])('does not send the doubtful refresh token of a set %s, but forgets it', async (_why, options) => {
    const bench = renewalBench(options);
    await bench.renew();
    bench.clock.advance(HOUR);
    if (!('restoreEpochMs' in options)) {
      bench.next(answerLost);
      await bench.renew();
    }
    expect(await revoke(bench)).toEqual({ outcome: 'done', revokedAtProvider: false });
    expect(bench.sent).not.toContain('revoke');
    expect(bench.item()?.sealed).toBeUndefined();
  });

  test('waits for who holds the lease, but not for longer than its function runs', async () => {
    const bench = renewalBench();
    await bench.renew();
    await takeLease(bench);
    const startedAtMs = bench.clock.nowMs();
    expect(await revoke(bench)).toMatchObject({ outcome: 'wait' });
    expect(bench.clock.nowMs() - startedAtMs).toBeLessThan(29_500);
    expect(bench.item()?.sealed).toBeDefined();
    bench.clock.advance(timing.leaseMs);
    expect(await revoke(bench)).toMatchObject({ outcome: 'done' });
  });

  test('whose last reply is lost recognises its write', async () => {
    const bench = renewalBench();
    await bench.renew();
    const { generation = 0 } = bench.item() ?? {};
    bench.hooks.onReply = (name) => {
      if (name !== 'forget') return;
      bench.hooks.onReply = undefined;
      outage();
    };
    expect(await revoke(bench)).toEqual({ outcome: 'done', revokedAtProvider: true });
    expect(bench.item()?.generation).toBe(generation + 1);
  });

  test('whose last reply is lost leaves alone who has logged in since', async () => {
    const bench = renewalBench();
    await bench.renew();
    bench.hooks.onReply = async (name) => {
      if (name !== 'forget') return;
      bench.hooks.onReply = undefined;
      await bench.renew();
      outage();
    };
    expect(await revoke(bench)).toEqual({ outcome: 'done', revokedAtProvider: true });
    expect(bench.server.sessions.map(({ fate }) => fate)).toEqual(['revoked', 'well']);
  });
});

describe('a reset', () => {
  test('of one token set clears its failure and leaves those of others', async () => {
    const bench = renewalBench();
    for (const profile of [1, 2]) {
      bench.next(answers(400, { error: 'invalid_scope' }));
      await bench.renew({ parameters: { profile } });
    }
    await bench.run({ command: 'reset', ref, parameters: { profile: 1 } });
    expect(await bench.renew({ parameters: { profile: 1 } })).toMatchObject({ outcome: 'renewed' });
    expect(await bench.renew({ parameters: { profile: 2 } })).toMatchObject({ refusal: { reason: 'configuration' } });
  });

  test('makes due at once what the back-off had put off', async () => {
    const bench = renewalBench();
    await bench.renew();
    bench.clock.advance(50 * MINUTE);
    bench.next(answers(429, {}, { 'retry-after': '600' }));
    await bench.due();
    await bench.run({ command: 'reset', ref });
    expect(bench.item()?.dueAtMs).toBe(bench.clock.nowMs());
    expect(await bench.due()).toMatchObject({ outcome: 'renewed' });
  });

  test('whose reply is lost is done once', async () => {
    const bench = renewalBench();
    bench.next(answers(503));
    await bench.renew();
    const { revision = 0 } = bench.account() ?? {};
    bench.hooks.onReply = (name) => {
      if (name !== 'writeAccount') return;
      bench.hooks.onReply = undefined;
      outage();
    };
    expect(await bench.run({ command: 'reset', ref })).toEqual({ outcome: 'done' });
    expect(bench.account()).toMatchObject({ revision: revision + 1, outages: 0, notBeforeMs: undefined });
  });

  test('of an account that is not there is refused', async () => {
    expect(await renewalBench().run({ command: 'reset', ref })).toEqual({ outcome: 'refused', refusal: { reason: 'no_account' } });
  });
});
