import { describe, expect, test } from '@jest/globals';
import { timing } from '../../../functions/core/timing.ts';
import { HOUR, key, meanwhile, ref, renewalBench, type Reaction } from '../../support/renewal-bench.ts';

type Bench = ReturnType<typeof renewalBench>;

/** The lease lapses before an operator takes it. */
function revokedMeanwhile(bench: Bench): Reaction {
  return meanwhile(async () => {
    bench.clock.advance(timing.leaseMs + timing.skewMs + 1);
    await bench.run({ command: 'revoke', ref, parameters: {} });
  });
}

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
