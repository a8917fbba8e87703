import { describe, expect, test } from '@jest/globals';
import { createSystemClock, createSystemRandomness } from '../../../functions/adapters/system.ts';

describe('the machine', () => {
  test('tells the time and sleeps', async () => {
    const clock = createSystemClock();
    const beforeMs = clock.nowMs();
    await clock.sleep(5);
    expect(clock.nowMs()).toBeGreaterThan(beforeMs);
  });

  test('makes attempt ids of 16 characters that do not repeat, and fractions from 0 up to 1', () => {
    const random = createSystemRandomness();
    const ids = Array.from({ length: 1_000 }, () => random.attemptId());
    expect(new Set(ids).size).toBe(1_000);
    expect(ids.every((id) => /^[\w-]{16}$/.test(id))).toBe(true);
    const fractions = ids.map(() => random.fraction());
    expect(fractions.every((fraction) => fraction >= 0 && fraction < 1)).toBe(true);
  });
});
