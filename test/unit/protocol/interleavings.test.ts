import { describe, expect, test } from '@jest/globals';
import { isGranted, type Grant } from '../../../functions/core/grants.ts';
import { assert, array, constantFrom, nat, option, property, record } from 'fast-check';
import { aWorld, calls, main, mainKey, MINUTE, pass, SECOND, start, vend } from '../../support/world/a-world.ts';
import { strictRotation } from '../../support/world/fake-provider.ts';
import type { Fault } from '../../support/world/faults.ts';

const seeds = [1, 2, 3, 4, 5];

/** The rule said once more, as plainly as it can be. */
function allows(grant: Grant, profile: string | undefined, minTtlSeconds: number): boolean {
  return (
    grant.operations.includes('vend') &&
    grant.accounts.some((pattern) => ['*', 'fake/*', 'fake/main'].includes(pattern)) &&
    (profile === undefined || grant.parameters?.['profile'] === '*' || (grant.parameters?.['profile'] ?? []).includes(profile)) &&
    minTtlSeconds <= (grant.maxMinTtlSeconds ?? Infinity)
  );
}

describe('Cold callers', () => {
  test('1,000 on one key, as 1,000 renewing instances that share only the table, cause one log-in', async () => {
    const world = aWorld({ stepMs: 0.001 });

    const outcomes = await world.time.run(Promise.all(Array.from({ length: 1_000 }, (_none, vendor) => start(world, { vendor }))));

    expect(calls(world, 'login')).toHaveLength(1);
    const tokens = new Set(outcomes.map((outcome) => outcome.kind === 'answered' && outcome.tokenSet.accessToken.reveal()));
    expect([...tokens]).toEqual(['at.idp.example.1.0']);
  }, 120_000);
});

describe('A lost reply', () => {
  test.each(seeds)('of an acquire is recognised by its attempt, and nothing is spent twice (interleaving %d)', async (seed) => {
    const faults: Fault[] = [{ op: 'acquire', nth: 0, kind: 'reply_lost', ms: 0 }];
    const world = aWorld({ seed, faults });
    await vend(world);
    await pass(world, 57 * MINUTE);
    world.faults.start();

    const outcomes = await world.time.run(Promise.all([start(world), start(world, { vendor: 1 })]));

    expect(outcomes.every(({ kind }) => kind === 'answered')).toBe(true);
    expect(calls(world, 'refresh')).toHaveLength(1);
    expect(calls(world, 'login')).toHaveLength(1);
  });

  test.each(seeds)('of a commit is recognised by its attempt (interleaving %d)', async (seed) => {
    const world = aWorld({ seed, faults: [{ op: 'commit', nth: 0, kind: 'reply_lost', ms: 0 }] });
    world.faults.start();

    expect(await vend(world)).toMatchObject({ kind: 'answered', from: 'renewal' });
    expect(calls(world, 'login')).toHaveLength(1);
    expect(world.provider.sessions[0]?.fate).toBe('well');
  });

  test('of a commit, with a third party that commits in between, revokes nothing that lives', async () => {
    const life = { ...strictRotation, lifeSeconds: 10 };
    const faults: Fault[] = [
      { op: 'commit', nth: 0, kind: 'reply_lost', ms: 0 },
      { op: 'commit', nth: 1, kind: 'freeze_before', ms: 8_000 },
    ];
    const world = aWorld({ behaviour: life, faults });
    world.faults.start();
    const first = start(world);
    const third = world.time.sleepUntil(world.nowMs() + 6 * SECOND).then(() => start(world, { vendor: 1 }));

    await world.time.run(Promise.all([first, third]));
    await pass(world, MINUTE);

    expect(calls(world, 'refresh')).toHaveLength(1);
    expect(calls(world, 'revoke')).toHaveLength(0);
    expect(world.provider.sessions.map(({ fate }) => fate)).toEqual(['well']);
  });

  test('of a refresh at a strict provider is healed by one log-in, not by a replay', async () => {
    const world = aWorld({ faults: [{ op: 'call', nth: 0, kind: 'answer_lost', ms: 0 }] });
    await vend(world);
    await pass(world, 57 * MINUTE);
    world.faults.start();
    await vend(world);
    await pass(world, MINUTE);

    expect(await vend(world)).toMatchObject({ kind: 'answered', from: 'renewal' });
    expect(calls(world, 'refresh')).toHaveLength(1);
    expect(calls(world, 'login')).toHaveLength(2);
  });
});

describe('A crash of the holder', () => {
  test.each<[Fault['kind'], string]>([
    ['crash_before', 'acquire'],
    ['crash_after', 'acquire'],
    ['crash_before', 'call'],
    ['crash_after', 'call'],
    ['crash_before', 'commit'],
    ['crash_after', 'commit'],
  ])('(%s %s) leaves its waiters with a token within lease and deadline, over at most two calls', async (kind, op) => {
    const world = aWorld({ faults: [{ op, nth: 0, kind, ms: 0 }] });
    await vend(world);
    await pass(world, 59 * MINUTE + 57 * SECOND);
    world.faults.start();
    const crashing = start(world);
    await pass(world, 40);
    const startedAtMs = world.nowMs();

    const first = await vend(world, { vendor: 1 });
    const outcome = first.kind === 'answered' ? first : await vend(world, { vendor: 1 });

    expect(outcome).toMatchObject({ kind: 'answered' });
    expect(world.nowMs() - startedAtMs).toBeLessThan(world.timing.leaseMs + world.timing.skewMs + world.timing.renewalDeadlineMs);
    expect(await world.time.run(crashing)).toMatchObject({ kind: 'failed', code: 'renewals_unavailable' });
  });
});

describe('The queue', () => {
  test('may deliver a message twice, and the set is renewed once', async () => {
    const world = aWorld();
    await vend(world);
    const dueAtMs = world.raw.tokenSetAt(mainKey)?.dueAtMs ?? 0;
    await world.time.runUntil(dueAtMs + SECOND);
    const message = { command: 'renew_due', key: mainKey, dueAtMs } as const;

    const both = await world.time.run(Promise.all([world.invoke(message), world.invoke(message)]));
    const late = await world.time.run(world.invoke(message));

    expect(both.map(({ outcome }) => outcome)).toContain('renewed');
    expect(late.outcome).toBe('current');
    expect(calls(world, 'refresh')).toHaveLength(1);
  });

  test('stops renewing what nobody asked for lately', async () => {
    const world = aWorld();
    await vend(world);
    for (let renewals = 0; renewals < 10; renewals++) {
      const dueAtMs = world.raw.tokenSetAt(mainKey)?.dueAtMs;
      if (dueAtMs === undefined) break;
      await world.time.runUntil(dueAtMs);
      await world.time.run(world.invoke({ command: 'renew_due', key: mainKey, dueAtMs }));
    }

    expect(world.raw.tokenSetAt(mainKey)?.dueAtMs).toBeUndefined();
    expect(calls(world, 'refresh').length).toBeGreaterThanOrEqual(1);
    expect(calls(world, 'refresh').length).toBeLessThanOrEqual(4);
  });
});

describe('A restored table', () => {
  test('counts as in doubt: a strict refresh token from before it is not sent again', async () => {
    const world = aWorld({ restoreEpochMs: Date.UTC(2031, 4, 6, 9) });
    await vend(world);
    await world.time.runUntil(Date.UTC(2031, 4, 6, 9, 30));

    expect(await vend(world)).toMatchObject({ kind: 'answered' });
    expect(calls(world, 'refresh')).toHaveLength(0);
    expect(calls(world, 'login')).toHaveLength(2);
  });
});

describe('Grants', () => {
  const someGrant = record({
    caller: constantFrom('one'),
    operations: array(constantFrom('vend' as const, 'revoke' as const, 'inspect' as const)),
    accounts: array(constantFrom('fake/main', 'fake/*', 'other/main', '*'), { maxLength: 2 }),
    parameters: option(record({ profile: constantFrom<'*' | readonly string[]>('*', ['a'], []) }), { nil: undefined }),
    maxMinTtlSeconds: option(nat(100), { nil: undefined }),
  });

  test('a vend has one grant that allows operation, account, every parameter and min_ttl together', () => {
    assert(
      property(
        array(someGrant, { maxLength: 3 }),
        option(constantFrom('a', 'b'), { nil: undefined }),
        nat(120),
        (grants, profile, minTtlSeconds) => {
          const parameters = profile === undefined ? undefined : { profile };
          const granted = isGranted(grants, { operation: 'vend', partition: 'fake/main', parameters, minTtlSeconds });
          expect(granted).toBe(grants.some((grant) => allows(grant, profile, minTtlSeconds)));
        },
      ),
    );
    expect(isGranted([], { operation: 'vend', partition: main.provider })).toBe(false);
  });
});
