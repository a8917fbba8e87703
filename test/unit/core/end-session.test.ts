import { describe, expect, test } from '@jest/globals';
import { mayRevokeSpare } from '../../../functions/core/end-session.ts';
import type { SpareFacts } from '../../../functions/core/renewal-deps.ts';
import { timing } from '../../../functions/core/timing.ts';
import { HOUR, key, meanwhile, ref, renewalBench, type Reaction } from '../../support/renewal-bench.ts';
import { aProvider, traitsOf } from '../../support/world/a-provider.ts';
import { strictRotation } from '../../support/world/fake-provider.ts';

type Bench = ReturnType<typeof renewalBench>;

/** The lease lapses before an operator takes it. */
function revokedMeanwhile(bench: Bench): Reaction {
  return meanwhile(async () => {
    bench.clock.advance(timing.leaseMs + timing.skewMs + 1);
    await bench.run({ command: 'revoke', ref, parameters: {} });
  });
}

describe('a spare', () => {
  const traits = aProvider('fake', traitsOf(strictRotation)).publicTraits;
  const spare: SpareFacts = { call: 'login', acquiredGeneration: 7, storedGeneration: 8, traits };

  test.each([
    ['of a log-in right before the stored set', {}, true],
    ['whose revocation ends that token alone', { traits: { ...traits, revocationEnds: 'token' } }, true],
    ['of a refresh: the stored set is of the same session', { call: 'refresh' }, false],
    ['of a generation that nobody knows any more', { storedGeneration: 9 }, false],
    ['whose revocation ends every session of the user', { traits: { ...traits, revocationEnds: 'user' } }, false],
    ['that the server may have given to others as well', { traits: { ...traits, returnsSameToken: true } }, false],
  ] as const)('%s is ended where that harms nobody', (_what, more, isEnded) => {
    expect(mayRevokeSpare({ ...spare, ...more })).toBe(isEnded);
  });
});

test('a revocation sends no token of another identity, and forgets the set all the same', async () => {
  const bench = renewalBench();
  await bench.renew();
  bench.secrets.set({ password: 'good', user: 'somebody else' });
  await bench.run({ command: 'secret_changed', ref });
  expect(await bench.run({ command: 'revoke', ref, parameters: {} })).toEqual({ outcome: 'done', revokedAtProvider: false });
  expect(bench.sent).toEqual(['login']);
  expect(bench.item()?.sealed).toBeUndefined();
});

test('a revocation during a first log-in does not say that it is done while that may still store its token', async () => {
  const bench = renewalBench();
  let outcome: unknown;
  bench.next(meanwhile(async () => (outcome = await bench.run({ command: 'revoke', ref, parameters: {} }))));
  await bench.renew();
  expect(outcome).toMatchObject({ outcome: 'wait' });
});

describe('a holder that was slower than its lease ends the session that it holds', () => {
  test('where the set was revoked during its refresh: the revocation could not send the doubtful token', async () => {
    const bench = renewalBench();
    await bench.renew();
    bench.clock.advance(HOUR);
    bench.next(revokedMeanwhile(bench));
    await bench.renew();
    expect(bench.sent).toEqual(['login', 'refresh', 'revoke']);
    expect(bench.server.sessions.map(({ fate }) => fate)).toEqual(['revoked']);
  });

  test('where the item was deleted during its log-in', async () => {
    const bench = renewalBench();
    bench.next(meanwhile(() => bench.store.deleteItem(key)));
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.sent).toEqual(['login', 'revoke', 'login']);
    expect(bench.server.sessions.map(({ fate }) => fate)).toEqual(['revoked', 'well']);
  });

  test('but not where a revocation ends more than that session', async () => {
    const bench = renewalBench({ behaviour: { revocationEnds: 'user' } });
    await bench.renew();
    bench.clock.advance(HOUR);
    bench.next(revokedMeanwhile(bench));
    await bench.renew();
    expect(bench.sent).toEqual(['login', 'refresh']);
    expect(bench.server.sessions.map(({ fate }) => fate)).toEqual(['well']);
  });
});
