import { describe, expect, test } from '@jest/globals';
import { aWorld, calls, fingerprint, main, mainKey, MINUTE, pass, SECOND, start, vend } from '../../support/world/a-world.ts';
import { fingerprintOf } from '../../../functions/core/token-set.ts';
import type { World } from '../../support/world/world.ts';

function revoke(world: World) {
  return world.invoke({ command: 'revoke', ref: main, parameters: {} });
}

describe('A revocation', () => {
  test('ends the session at the provider and forgets the token set', async () => {
    const world = aWorld();
    await vend(world);
    const { generation = 0 } = world.raw.tokenSetAt(mainKey) ?? {};

    const outcome = await world.time.run(revoke(world));

    expect(outcome).toEqual({ outcome: 'done', revokedAtProvider: true });
    expect(world.provider.sessions.map(({ fate }) => fate)).toEqual(['revoked']);
    expect(world.raw.tokenSetAt(mainKey)).toMatchObject({ generation: generation + 1, sealed: undefined });
  });

  test('is followed by a new log-in at the next vend', async () => {
    const world = aWorld();
    await vend(world);
    const before = await fingerprint(world);
    await world.time.run(revoke(world));
    await pass(world, 11 * SECOND);

    const outcome = await vend(world);

    expect(outcome.kind === 'answered' && fingerprintOf(outcome.tokenSet.accessToken)).not.toBe(before);
    expect(calls(world, 'login')).toHaveLength(2);
  });

  test('forgets the token set also when the provider is down', async () => {
    const world = aWorld({ faults: [{ op: 'call', nth: 0, kind: 'unavailable', ms: 0 }] });
    await vend(world);
    world.faults.start();

    expect(await world.time.run(revoke(world))).toEqual({ outcome: 'done', revokedAtProvider: false });
    expect(world.raw.tokenSetAt(mainKey)?.sealed).toBeUndefined();
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('outlasts a first log-in that is under way (interleaving %d)', async (seed) => {
    const world = aWorld({ seed, faults: [{ op: 'call', nth: 0, kind: 'slow', ms: 3_000 }] });
    world.faults.start();
    const vending = start(world);
    const revoking = world.time.sleepUntil(world.nowMs() + SECOND).then(() => revoke(world));
    await world.time.run(Promise.allSettled([vending, revoking]));
    await pass(world, MINUTE);

    const [first] = world.provider.sessions;
    const stored = await world.stored(main, {});
    const kept = world.history.findLast((event) => event.kind === 'write' && event.stored !== undefined);
    const alive = kept?.kind === 'write' ? kept.stored?.tokenSet.facts['session'] : undefined;
    expect(stored === undefined || alive !== first?.id).toBe(true);
  });
});

describe("An operator's reset", () => {
  test('clears the refusals of an account whose password is right again, and is audited', async () => {
    const world = aWorld();
    world.provider.setPassword('main', 'changed');
    await vend(world);
    await vend(world);
    world.provider.setPassword('main', 'right');
    const before = await vend(world);

    await world.time.run(world.invoke({ command: 'reset', ref: main }));

    expect(before).toMatchObject({ kind: 'refused', refusal: { reason: 'credentials_refused' } });
    expect(await vend(world)).toMatchObject({ kind: 'answered' });
    expect(world.audits).toContainEqual(expect.objectContaining({ event: 'reset', outcome: 'success', account: 'fake/main' }));
  });

  test('clears a back-off', async () => {
    const world = aWorld({ faults: [{ op: 'call', nth: 0, kind: 'rate_limited', ms: 0 }] });
    world.faults.start();
    const before = await vend(world);

    await world.time.run(world.invoke({ command: 'reset', ref: main }));

    expect(before).toMatchObject({ kind: 'refused', refusal: { reason: 'backing_off' } });
    expect(await vend(world)).toMatchObject({ kind: 'answered' });
  });

  test("clears a token set's own failure", async () => {
    const world = aWorld({ faults: [{ op: 'call', nth: 0, kind: 'scope_refused', ms: 0 }] });
    world.faults.start();
    await vend(world);

    await world.time.run(world.invoke({ command: 'reset', ref: main, parameters: {} }));

    expect(await vend(world)).toMatchObject({ kind: 'answered' });
  });

  test('spends nothing', async () => {
    const world = aWorld();
    await vend(world);
    const before = await fingerprint(world);

    await world.time.run(world.invoke({ command: 'reset', ref: main }));

    expect(await fingerprint(world)).toBe(before);
    expect(calls(world, 'login')).toHaveLength(1);
  });
});
