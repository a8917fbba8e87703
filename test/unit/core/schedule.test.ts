import { describe, expect, test } from '@jest/globals';
import { createDispatchRenewals } from '../../../functions/core/dispatch-renewals.ts';
import type { QueuedRenewals } from '../../../functions/core/ports.ts';
import { timing } from '../../../functions/core/timing.ts';
import { answers, HOUR, MINUTE, ref, renewalBench } from '../../support/renewal-bench.ts';

/** The dispatcher before the renewing function, and a schedule that ticks each minute; `perTick` says how many sets each tick queued. */
function aSchedule(...given: Parameters<typeof renewalBench>) {
  const bench = renewalBench(...given);
  const { store, clock, telemetry, run } = bench;
  const queue = {
    async send(batch: readonly QueuedRenewals[]): Promise<void> {
      for (const { partition, sets } of batch) {
        for (const { sort, dueAtMs } of sets) await run({ command: 'renew_due', key: { partition, sort }, dueAtMs });
      }
    },
  };
  const dispatch = createDispatchRenewals({ store, queue, clock, telemetry, timing, providers: new Map(), dueShards: 1 });
  return {
    ...bench,
    async ticksFor(ms: number): Promise<number> {
      let queued = 0;
      for (let passed = 0; passed < ms; passed += MINUTE) {
        clock.advance(MINUTE);
        queued += (await dispatch()).sent;
      }
      return queued;
    },
  };
}

describe('the schedule', () => {
  test("keeps a session alive for a day that would end after half an hour's idleness, although its tokens live a minute", async () => {
    const bench = aSchedule({ behaviour: { lifeSeconds: 60, refreshLifeSeconds: 1_800 } });
    bench.secrets.set({ password: 'good', keep: 'always' });
    await bench.vend();
    await bench.ticksFor(24 * HOUR);
    expect(await bench.vend()).toMatchObject({ kind: 'answered' });
    expect(bench.sent.filter((grant) => grant === 'login')).toEqual(['login']);
    // Half an hour, less the 12 minutes of its window: about 80 refreshes a day, and not one a token.
    expect(bench.sent.length).toBeLessThan(100);
  });

  test('renews what is vended now and then before anybody has to wait', async () => {
    const bench = aSchedule();
    await bench.vend();
    for (let hour = 0; hour < 12; hour++) {
      await bench.ticksFor(HOUR);
      expect(await bench.vend()).toMatchObject({ from: 'table' });
    }
    expect(bench.sent.filter((grant) => grant === 'login')).toEqual(['login']);
    expect(bench.invocations).toHaveLength(1);
  });

  test('asks a server that repeats its token again at half of what is left, and not each minute', async () => {
    const bench = aSchedule({ behaviour: { givesRefreshTokens: false, returnsSameToken: true } });
    bench.secrets.set({ password: 'good', keep: 'always' });
    await bench.vend();
    bench.clock.advance(40 * MINUTE);
    await bench.ticksFor(MINUTE);
    const { expiresAtMs = 0, dueAtMs } = bench.item() ?? {};
    expect(dueAtMs).toBe(bench.clock.nowMs() + (expiresAtMs - bench.clock.nowMs()) / 2);
    await bench.ticksFor(10 * MINUTE);
    expect(bench.sent).toEqual(['login', 'login', 'login']);
  });

  test('leaves to lapse what nobody asks for any more: it goes out of the index, and nothing is sent for it', async () => {
    const bench = aSchedule();
    await bench.vend();
    await bench.ticksFor(4 * HOUR);
    const sent = bench.sent.length;
    expect(bench.item()).toMatchObject({ dueShard: undefined, dueAtMs: undefined, dueGroup: undefined });
    expect(await bench.ticksFor(24 * HOUR)).toBe(0);
    expect(bench.sent).toHaveLength(sent);
  });

  test('goes on with what its account always keeps', async () => {
    const bench = aSchedule();
    bench.secrets.set({ password: 'good', keep: 'always' });
    await bench.run({ command: 'check', ref });
    await bench.ticksFor(24 * HOUR);
    expect(await bench.vend()).toMatchObject({ from: 'table' });
    expect(bench.invocations).toEqual([]);
  });

  test('looks at a failed set when its next try is allowed, and not each minute', async () => {
    const bench = aSchedule();
    bench.secrets.set({ password: 'good', keep: 'always' });
    await bench.vend();
    await bench.ticksFor(30 * MINUTE);
    bench.next(...Array.from({ length: 20 }, () => answers(400, { error: 'invalid_scope' })));
    const queued = await bench.ticksFor(HOUR);
    expect(queued).toBeGreaterThan(1);
    expect(queued).toBeLessThanOrEqual(HOUR / timing.setFailureMs);
  });

  test('never looks again at a set that waits for a person', async () => {
    let loginNeedsPerson = false;
    const bench = aSchedule({
      provider: (provider) => ({ ...provider, traits: () => ({ ...provider.publicTraits, loginNeedsPerson }) }),
    });
    bench.secrets.set({ password: 'good', keep: 'always' });
    await bench.vend();
    loginNeedsPerson = true;
    bench.next(answers(400, { error: 'invalid_grant' }));
    expect(await bench.ticksFor(HOUR)).toBe(1);
    expect(bench.item()).toMatchObject({ failure: { code: 'needs_consent' }, dueShard: undefined, dueGroup: undefined });
    expect(await bench.ticksFor(24 * HOUR)).toBe(0);
  });
});
