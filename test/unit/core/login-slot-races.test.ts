import { describe, expect, test } from '@jest/globals';
import { answers, outage, renewalBench, SECOND } from '../../support/renewal-bench.ts';

describe('a log-in whose account another worker has just written', () => {
  test('is not sent during the back-off that was written, and gives its lease back', async () => {
    const bench = renewalBench();
    bench.hooks.onReply = async (name) => {
      if (name !== 'acquire') return;
      bench.hooks.onReply = undefined;
      bench.next(answers(429, {}, { 'retry-after': '30' }));
      await bench.renew({ parameters: { profile: 1 } });
    };
    const retryAtMs = bench.clock.nowMs() + 30 * SECOND;
    expect(await bench.renew()).toMatchObject({ refusal: { reason: 'backing_off', retryAtMs } });
    expect(bench.sent).toEqual(['login']);
    expect(bench.item()).toMatchObject({ lease: undefined, doubt: undefined });
  });

  test('counts as refused once, although the reply to the write that counted it is lost', async () => {
    const bench = renewalBench();
    bench.hooks.onReply = (name) => {
      if (name !== 'writeAccount' || bench.account()?.refused !== 1) return;
      bench.hooks.onReply = undefined;
      outage();
    };
    bench.next(answers(400, { error: 'bad_password' }));
    expect(await bench.renew()).toMatchObject({ refusal: { reason: 'credentials_refused' } });
    expect(bench.account()).toMatchObject({ refused: 1, unanswered: {}, nextLoginAtMs: undefined });
  });
});
