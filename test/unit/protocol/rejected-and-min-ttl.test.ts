import { describe, expect, test } from '@jest/globals';
import { fingerprintOf } from '../../../functions/core/token-set.ts';
import { aWorld, calls, fingerprint, main, MINUTE, pass, SECOND, start, vend } from '../../support/world/a-world.ts';
import type { Vend } from '../../support/world/history.ts';

function givenBy(outcome: Vend['outcome']): string | undefined {
  return outcome.kind === 'answered' ? fingerprintOf(outcome.tokenSet.accessToken) : undefined;
}

describe('A reported token', () => {
  test('is renewed once when 100 callers report it', async () => {
    const world = aWorld({ stepMs: 0.01 });
    await vend(world);
    await pass(world, 10 * MINUTE);
    const rejected = await fingerprint(world);

    const outcomes = await world.time.run(Promise.all(Array.from({ length: 100 }, (_none, vendor) => start(world, { vendor, rejected }))));

    expect(calls(world, 'refresh')).toHaveLength(1);
    expect(new Set(outcomes.map((outcome) => givenBy(outcome))).size).toBe(1);
    expect(outcomes.every((outcome) => outcome.kind === 'answered' && givenBy(outcome) !== rejected)).toBe(true);
  });

  test('causes no renewal when a newer one is stored', async () => {
    const world = aWorld();
    await vend(world);
    const rejected = await fingerprint(world);
    await pass(world, 10 * MINUTE);
    await vend(world, { rejected });

    await pass(world, 10 * MINUTE);
    const outcome = await vend(world, { rejected });

    expect(outcome.kind).toBe('answered');
    expect(calls(world, 'refresh')).toHaveLength(1);
  });

  test('is refused as too soon within the spacing, and never given back', async () => {
    const world = aWorld();
    await vend(world);
    const obtainedAtMs = world.nowMs();
    await pass(world, 30 * SECOND);

    const outcome = await vend(world, { rejected: await fingerprint(world) });

    expect(outcome).toMatchObject({ kind: 'refused', refusal: { reason: 'too_soon' } });
    const retryAtMs = outcome.kind === 'refused' ? (outcome.refusal.retryAtMs ?? 0) : 0;
    expect(Math.abs(retryAtMs - (obtainedAtMs + MINUTE))).toBeLessThan(SECOND);
    expect(calls(world, 'refresh')).toHaveLength(0);
  });

  test('is still given to those who do not report it while it cannot be renewed', async () => {
    const world = aWorld({ faults: [{ op: 'call', nth: 0, kind: 'unavailable', ms: 0 }] });
    await vend(world);
    await pass(world, 10 * MINUTE);
    const rejected = await fingerprint(world);
    world.faults.start();

    const reporter = await vend(world, { rejected });
    const other = await vend(world, { vendor: 1 });

    expect(reporter).toMatchObject({ kind: 'refused', refusal: { reason: 'backing_off' } });
    expect(givenBy(other)).toBe(rejected);
  });

  test('stays away from its reporter though every eventual read is one write late', async () => {
    const stale = Array.from({ length: 30 }, (_none, nth) => ({ op: 'peek', nth, kind: 'stale' as const, ms: 0 }));
    const world = aWorld({ faults: stale });
    await vend(world);
    await pass(world, 10 * MINUTE);
    const rejected = await fingerprint(world);
    world.faults.start();

    const outcomes = await world.time.run(Promise.all([0, 1, 2, 3].map((vendor) => start(world, { vendor, rejected }))));

    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['answered', 'answered', 'answered', 'answered']);
    expect(outcomes.some((outcome) => givenBy(outcome) === rejected)).toBe(false);
  });
});

describe('min_ttl', () => {
  test('renews when less than it is left', async () => {
    const world = aWorld();
    await vend(world);
    await pass(world, 40 * MINUTE);

    const outcome = await vend(world, { minTtlSeconds: 2_000 });

    expect(outcome.kind === 'answered' && outcome.tokenSet.expiresAtMs - world.nowMs()).toBeGreaterThan(2_000 * SECOND);
    expect(calls(world, 'refresh')).toHaveLength(1);
  });

  test('costs nothing when more than it is left', async () => {
    const world = aWorld();
    await vend(world);

    await vend(world, { minTtlSeconds: 2_000 });

    expect(calls(world, 'refresh')).toHaveLength(0);
  });

  test('above 60 % of the life is a bad request that names the maximum', async () => {
    const world = aWorld();
    await vend(world);

    expect(await vend(world, { minTtlSeconds: 2_161 })).toEqual({ kind: 'bad_request', maximumSeconds: 2_160 });
  });

  test('is judged by the life only after the first token was obtained and kept', async () => {
    const world = aWorld();

    expect(await vend(world, { minTtlSeconds: 3_000 })).toEqual({ kind: 'bad_request', maximumSeconds: 2_160 });
    expect(await world.stored(main, {})).toBeDefined();
    expect(calls(world, 'login')).toHaveLength(1);
  });
});
