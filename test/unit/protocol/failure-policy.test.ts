import { describe, expect, test } from '@jest/globals';
import { aWorld, calls, HOUR, main, mainKey, MINUTE, pass, SECOND, start, vend } from '../../support/world/a-world.ts';
import { strictRotation } from '../../support/world/fake-provider.ts';
import type { Fault } from '../../support/world/faults.ts';
import type { World } from '../../support/world/world.ts';

const calm = { op: 'call', ms: 0 } as const;

function wrong(world: World): void {
  world.setSecret(main, { user: 'main', password: 'wrong' });
}

/** Vends every half minute, and a tick every minute, for as long as this; @returns the outcomes that were no answer */
async function live(world: World, forMs: number): Promise<unknown[]> {
  const bad: unknown[] = [];
  for (let elapsed = 0; elapsed < forMs; elapsed += MINUTE) {
    const item = world.raw.tokenSetAt(mainKey);
    if (item?.dueAtMs !== undefined && item.dueAtMs <= world.nowMs()) {
      await world.time.run(world.invoke({ command: 'renew_due', key: mainKey, dueAtMs: item.dueAtMs }).catch(() => undefined));
    }
    for (let half = 0; half < 2; half++) {
      const outcome = await vend(world);
      if (outcome.kind !== 'answered') bad.push(outcome);
      await pass(world, MINUTE / 2);
    }
  }
  return bad;
}

describe('A wrong password', () => {
  test('is tried twice in all by 200 token sets of one account', async () => {
    const world = aWorld({ stepMs: 0.1 });
    wrong(world);
    const everybody = () =>
      Promise.all(Array.from({ length: 200 }, (_none, index) => start(world, { vendor: index, parameters: { profile: String(index) } })));

    await world.time.run(everybody());
    await pass(world, 20 * MINUTE);
    await world.time.run(everybody());
    const outcomes = await world.time.run(everybody());

    expect(calls(world, 'login')).toHaveLength(2);
    expect(outcomes.every((outcome) => outcome.kind === 'refused' && outcome.refusal.reason === 'credentials_refused')).toBe(true);
  });

  test('is probed an hour, 6 and then 24 hours after the refusal before', async () => {
    const world = aWorld();
    wrong(world);
    await vend(world);
    await vend(world);
    const secondMs = calls(world, 'login')[1]?.atMs ?? 0;

    for (let elapsed = 0; elapsed < 60 * HOUR; elapsed += 10 * MINUTE) {
      await pass(world, 10 * MINUTE);
      await vend(world);
    }

    const hours = calls(world, 'login').map(({ atMs }) => Math.round(Math.abs(atMs - secondMs) / HOUR));
    expect(hours).toEqual([0, 0, 1, 7, 31, 55]);
  });

  test('is over at once when the secret changes and its event arrives', async () => {
    const world = aWorld();
    wrong(world);
    await vend(world);
    await vend(world);
    world.setSecret(main, { user: 'main', password: 'right' });

    await world.time.run(world.invoke({ command: 'secret_changed', ref: main }));

    expect(await vend(world)).toMatchObject({ kind: 'answered' });
  });

  test('is over at the latest at the next probe when no event arrives', async () => {
    const world = aWorld();
    wrong(world);
    await vend(world);
    await vend(world);
    world.setSecret(main, { user: 'main', password: 'right' });
    await pass(world, HOUR);

    expect(await vend(world)).toMatchObject({ kind: 'answered' });
  });

  test('does not stop the refresh of a token set that lives', async () => {
    const world = aWorld();
    await vend(world);
    world.provider.setPassword('main', 'changed');
    await world.time.run(world.invoke({ command: 'renew', ref: main, parameters: { profile: 'a' }, minTtlMs: 0 }));
    await world.time.run(world.invoke({ command: 'renew', ref: main, parameters: { profile: 'a' }, minTtlMs: 0 }));
    await pass(world, 58 * MINUTE);

    expect(await vend(world)).toMatchObject({ kind: 'answered', from: 'renewal' });
    expect(calls(world, 'refresh')).toHaveLength(1);
  });
});

describe('An outage of the provider', () => {
  test('is invisible to callers when it is shorter than what the renew-ahead window leaves', async () => {
    const window = 0.4 * HOUR;
    const invisible = window - 5 * MINUTE - 5 * MINUTE - MINUTE;
    const down: Fault[] = Array.from({ length: 200 }, (_none, nth) => ({ ...calm, nth, kind: 'unavailable' }));
    const world = aWorld({ faults: down });
    await vend(world);
    const dueAtMs = world.raw.tokenSetAt(mainKey)?.dueAtMs ?? 0;
    await live(world, dueAtMs - world.nowMs() - MINUTE);

    world.faults.start();
    const during = await live(world, invisible);
    world.faults.stop();
    const after = await live(world, HOUR);

    expect(during).toEqual([]);
    expect(after).toEqual([]);
    expect(calls(world, 'refresh').length + calls(world, 'login').length).toBeGreaterThan(1);
  });

  test('is answered with the living token, and its true rest, until that ends', async () => {
    const down: Fault[] = Array.from({ length: 200 }, (_none, nth) => ({ ...calm, nth, kind: 'unavailable' }));
    const world = aWorld({ faults: down });
    await vend(world);
    const endMs = world.nowMs() + HOUR;
    world.faults.start();
    await pass(world, 57 * MINUTE);

    const living = await vend(world);
    await pass(world, 4 * MINUTE);
    const dead = await vend(world);

    expect(living.kind === 'answered' && Math.abs(living.tokenSet.expiresAtMs - endMs)).toBeLessThan(SECOND);
    expect(dead).toMatchObject({ kind: 'refused', refusal: { reason: 'backing_off' } });
  });

  test('backs the whole account off, so that its other token sets do not call either', async () => {
    const world = aWorld({ faults: [{ ...calm, nth: 0, kind: 'rate_limited' }] });
    world.faults.start();
    const first = await vend(world);
    const second = await vend(world, { parameters: { profile: 'a' } });
    await pass(world, 31 * SECOND);

    expect([first, second]).toMatchObject([
      { kind: 'refused', refusal: { reason: 'backing_off', providerError: 'slow_down' } },
      { kind: 'refused', refusal: { reason: 'backing_off' } },
    ]);
    expect(calls(world, 'login')).toHaveLength(0);
    expect(await vend(world, { parameters: { profile: 'a' } })).toMatchObject({ kind: 'answered' });
  });
});

describe('A deleted secret', () => {
  test('forgets the account at the next renewal and vends again when it is back', async () => {
    const world = aWorld();
    await vend(world);
    world.deleteSecret(main);
    await world.time.run(world.invoke({ command: 'secret_changed', ref: main }));
    await pass(world, MINUTE);

    expect(await vend(world)).toMatchObject({ kind: 'refused', refusal: { reason: 'no_account' } });
    expect(world.raw.tokenSetAt(mainKey)?.sealed).toBeUndefined();

    world.setSecret(main, { user: 'main', password: 'right' });
    await pass(world, 2 * MINUTE);
    expect(await vend(world)).toMatchObject({ kind: 'answered' });
  });

  test('answers as if there had never been an account', async () => {
    const world = aWorld();
    world.deleteSecret(main);

    expect(await vend(world)).toEqual({ kind: 'refused', refusal: { reason: 'no_account' } });
    expect(world.raw.accountAt(main)).toBeUndefined();
  });
});

describe('A scope that is refused', () => {
  test('stops its own parameter set only', async () => {
    const world = aWorld({ faults: [{ ...calm, nth: 0, kind: 'scope_refused' }] });
    world.faults.start();

    expect(await vend(world, { parameters: { scope: 'too much' } })).toMatchObject({
      kind: 'refused',
      refusal: { reason: 'configuration' },
    });
    expect(await vend(world, { parameters: { scope: 'little' } })).toMatchObject({ kind: 'answered' });
  });
});

describe('An expired token set that TTL has not deleted', () => {
  test('is never served, also when the provider is down', async () => {
    const down: Fault[] = Array.from({ length: 20 }, (_none, nth) => ({ ...calm, nth, kind: 'unsent' }));
    const world = aWorld({ faults: down, behaviour: { ...strictRotation, lifeSeconds: 300 } });
    await vend(world);
    await pass(world, 3 * 24 * HOUR);
    world.faults.start();

    const outcomes = [await vend(world), await vend(world, { vendor: 1 })];

    expect(world.raw.tokenSetAt(mainKey)?.sealed).toBeDefined();
    expect(outcomes).toMatchObject([{ kind: 'refused' }, { kind: 'refused' }]);
  });
});
