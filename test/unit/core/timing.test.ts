import { describe, expect, test } from '@jest/globals';
import {
  backOffMs,
  dueAtMs,
  keepWarmMs,
  maximumMinTtlSeconds,
  mustRenewMs,
  renewAheadMs,
  scaleTiming,
  spacingMs,
  timing,
} from '../../../functions/core/timing.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('the numbers of the protocol', () => {
  test('a renewal has three seconds to commit after the provider budget', () => {
    expect(timing.renewalDeadlineMs).toBe(timing.providerBudgetMs + 3_000);
  });

  test('ending an old session leaves most of the provider budget to the log-in', () => {
    expect(timing.logoutMs).toBeLessThanOrEqual(timing.providerBudgetMs / 4);
  });

  test('a lease outlives the renewal deadline by the skew and a second', () => {
    expect(timing.leaseMs).toBe(timing.renewalDeadlineMs + timing.skewMs + 1_000);
  });

  test('a waiter waits for longer than a renewal takes, and stops before the API gives up', () => {
    expect(timing.waiterBudgetMs).toBeGreaterThan(timing.renewalDeadlineMs);
    expect(timing.waiterBudgetMs).toBeLessThan(timing.vendDeadlineMs);
    expect(timing.vendDeadlineMs).toBeLessThan(30_000);
  });

  test('a lease is acquired only with enough time left for a whole renewal', () => {
    expect(timing.acquireNeedsMs).toBeGreaterThanOrEqual(timing.renewalDeadlineMs + timing.skewMs);
    expect(timing.acquireNeedsMs).toBeLessThan(timing.vendDeadlineMs);
  });

  test('an unanswered log-in stops counting only after it can no longer be under way', () => {
    expect(timing.provenLapseMs).toBeGreaterThan(timing.renewalDeadlineMs);
    expect(timing.unansweredLapseMs).toBeGreaterThan(timing.provenLapseMs);
  });

  test('what one tick spreads is with the workers before the next one looks, and long before it is too old', () => {
    expect(timing.spreadMs).toBeLessThan(MINUTE);
    expect(timing.spreadMs).toBeLessThan(timing.staleMessageMs);
  });

  test('memory answers for no longer than a revocation may take to show', () => {
    expect(timing.memoryMs).toBeLessThanOrEqual(10_000);
  });

  test('probes come less and less often', () => {
    expect(timing.probesMs).toEqual([HOUR, 6 * HOUR, 24 * HOUR]);
  });
});

describe('shares of a life', () => {
  test.each([
    { lifeMs: 30_000, mustRenew: 5_000, renewAhead: 90_000, spacing: 10_000 },
    { lifeMs: 5 * MINUTE, mustRenew: 30_000, renewAhead: 2 * MINUTE, spacing: 15_000 },
    { lifeMs: HOUR, mustRenew: 5 * MINUTE, renewAhead: 24 * MINUTE, spacing: MINUTE },
    { lifeMs: 24 * HOUR, mustRenew: 5 * MINUTE, renewAhead: 9.6 * HOUR, spacing: MINUTE },
    { lifeMs: 60 * 24 * HOUR, mustRenew: 5 * MINUTE, renewAhead: 12 * HOUR, spacing: MINUTE },
  ])('a life of $lifeMs ms', ({ lifeMs, mustRenew, renewAhead, spacing }) => {
    expect(mustRenewMs(timing, lifeMs)).toBe(mustRenew);
    expect(renewAheadMs(timing, lifeMs)).toBeCloseTo(renewAhead, 3);
    expect(spacingMs(timing, lifeMs)).toBe(spacing);
  });

  test('spacing is never more than half a life and never less than two seconds', () => {
    expect(spacingMs(timing, 12_000)).toBe(6_000);
    expect(spacingMs(timing, 1_000)).toBe(2_000);
  });

  test('keep-warm lasts twice the life between a quarter of an hour and a day', () => {
    expect(keepWarmMs(timing, MINUTE)).toBe(15 * MINUTE);
    expect(keepWarmMs(timing, HOUR)).toBe(2 * HOUR);
    expect(keepWarmMs(timing, 20 * HOUR)).toBe(24 * HOUR);
  });

  test('min_ttl may ask for 60 % of the life, in whole seconds', () => {
    expect(maximumMinTtlSeconds(timing, 299_000)).toBe(179);
  });

  test('back-off doubles from one second up to five minutes, with full jitter', () => {
    expect(backOffMs(timing, 1, 0)).toBe(1_000);
    expect(backOffMs(timing, 1, 0.999)).toBeLessThan(2_000);
    expect(backOffMs(timing, 3, 1)).toBe(8_000);
    expect(backOffMs(timing, 60, 1)).toBe(5 * MINUTE);
  });
});

describe('when a set is due', () => {
  const start = 1_700_000_000_000;
  const clocks = (lifeMs: number, more: Partial<Parameters<typeof dueAtMs>[1]> = {}) => ({
    expiresAtMs: start + lifeMs,
    refreshExpiresAtMs: undefined,
    refreshLifeMs: undefined,
    lifeMs,
    refreshEndsOldToken: false,
    ...more,
  });

  test('it is due before its end by the renew-ahead window, spread by a fifth of it', () => {
    expect(dueAtMs(timing, clocks(HOUR), 0)).toBe(start + 36 * MINUTE);
    expect(dueAtMs(timing, clocks(HOUR), 1)).toBe(start + 36 * MINUTE - 0.2 * 24 * MINUTE);
  });

  test('a set that lives under two minutes is renewed on demand only', () => {
    expect(dueAtMs(timing, clocks(119_999), 0)).toBeUndefined();
    expect(dueAtMs(timing, clocks(120_000), 0)).toBe(start + 30_000);
  });

  test('a short set with a refresh session is due before that session ends of idleness', () => {
    const due = dueAtMs(timing, clocks(60_000, { refreshExpiresAtMs: start + HOUR, refreshLifeMs: HOUR }), 0.5);
    expect(due).toBe(start + 36 * MINUTE);
  });

  test('a warm set is never due later than its refresh session needs', () => {
    const due = dueAtMs(timing, clocks(2 * HOUR, { refreshExpiresAtMs: start + HOUR, refreshLifeMs: HOUR }), 0);
    expect(due).toBe(start + 36 * MINUTE);
  });

  test('a very short refresh session is not due at once', () => {
    const due = dueAtMs(timing, clocks(60_000, { refreshExpiresAtMs: start + 80_000, refreshLifeMs: 80_000 }), 0);
    expect(due).toBe(start + 40_000);
  });

  test.each([
    [5 * MINUTE, 90_000],
    [15 * MINUTE, 90_000],
    [HOUR, 5 * MINUTE],
  ])('where a refresh ends the old token, one of %d ms is due %d ms before its end and without jitter', (lifeMs, beforeMs) => {
    expect(dueAtMs(timing, clocks(lifeMs, { refreshEndsOldToken: true }), 0.7)).toBe(start + lifeMs - beforeMs);
  });
});

test('scaling divides every duration, arrays and bounds included, and leaves shares and counts', () => {
  const fast = scaleTiming(timing, 100);
  expect(fast.leaseMs).toBe(160);
  expect(fast.pollMs).toEqual([0.5, 1, 2, 4, 8]);
  expect(fast.mustRenew).toEqual({ fraction: 0.1, atLeastMs: 50, atMostMs: 3_000 });
  expect(fast.backOff.firstMs).toBe(10);
  expect(fast.loginBudget).toBe(2);
  expect(fast.warmEnough).toBe(0.75);
});
