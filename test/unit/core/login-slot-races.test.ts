import { describe, expect, test } from '@jest/globals';
import type { Provider } from '../../../functions/core/provider.ts';
import { answers, MINUTE, outage, ref, renewalBench, SECOND } from '../../support/renewal-bench.ts';

type Bench = ReturnType<typeof renewalBench>;

function inTwoSteps(plain: Provider): Provider {
  return { ...plain, login: [...plain.login, ...plain.login] };
}

const discovery: NonNullable<Provider['discover']>[number] = {
  request: ({ credentials: { base_url } }) => ({ method: 'GET', url: `${base_url}/configuration`, body: '{"grant":"discovery"}' }),
  read: () => ({}),
};

/** Something happens right after the lease is taken, and so before the slot of a log-in is. */
function beforeTheSlot(bench: Bench, what: () => Promise<unknown>): void {
  bench.hooks.onReply = async (name) => {
    if (name !== 'acquire') return;
    bench.hooks.onReply = undefined;
    await what();
  };
}

/** Loses the reply of the first write of the account that this is true after. */
function loseReply(bench: Bench, isTheOne: () => boolean): void {
  bench.hooks.onReply = (name) => {
    if (name !== 'writeAccount' || !isTheOne()) return;
    bench.hooks.onReply = undefined;
    outage();
  };
}

describe('a log-in whose account another worker has just written', () => {
  test('is not sent during the back-off that was written, and gives its lease back', async () => {
    const bench = renewalBench();
    beforeTheSlot(bench, async () => {
      bench.next(answers(429, {}, { 'retry-after': '30' }));
      await bench.renew({ parameters: { profile: 1 } });
    });
    const retryAtMs = bench.clock.nowMs() + 30 * SECOND;
    expect(await bench.renew()).toMatchObject({ refusal: { reason: 'backing_off', retryAtMs } });
    expect(bench.sent).toEqual(['login']);
    expect(bench.item()).toMatchObject({ lease: undefined, doubt: undefined });
  });

  test('is sent with the new secret alone that was taken in', async () => {
    const bench = renewalBench();
    beforeTheSlot(bench, async () => {
      bench.secrets.set({ password: 'better' });
      bench.server.setPassword('somebody', 'better');
      await bench.run({ command: 'secret_changed', ref });
    });
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed', item: { secretVersion: 'v2' } });
    expect(bench.sent).toEqual(['login']);
    expect(bench.account()).toMatchObject({ secretVersion: 'v2', refused: 0, proven: true });
  });

  test('that fails before its slot has a new secret back off for none of it: that may name another host', async () => {
    const bench = renewalBench({ provider: (plain) => ({ ...plain, discover: [discovery] }) });
    bench.next(async (handle) => {
      bench.secrets.set({ password: 'good', base_url: 'https://elsewhere.example' });
      await bench.run({ command: 'secret_changed', ref });
      return answers(503)(handle);
    });
    await bench.renew();
    expect(bench.sent).toEqual(['discovery']);
    expect(bench.account()).toMatchObject({ secretVersion: 'v2', outages: 0, notBeforeMs: undefined, failure: undefined });
  });
});

describe('a log-in', () => {
  test('is sent at once, and once, although the reply to the write that took its slot is lost', async () => {
    const bench = renewalBench();
    loseReply(bench, () => Object.keys(bench.account()?.unanswered ?? {}).length === 1);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.sent).toEqual(['login']);
  });

  test('counts as refused once, although the reply to the write that counted it is lost', async () => {
    const bench = renewalBench();
    loseReply(bench, () => bench.account()?.refused === 1);
    bench.next(answers(400, { error: 'bad_password' }));
    expect(await bench.renew()).toMatchObject({ refusal: { reason: 'credentials_refused' } });
    expect(bench.account()).toMatchObject({ refused: 1, unanswered: {}, nextLoginAtMs: undefined });
  });

  test('whose credentials were taken counts as answered well, whatever becomes of its next step', async () => {
    const bench = renewalBench({ provider: inTwoSteps });
    for (const profile of [1, 2, 3]) {
      bench.next((handle) => handle(), answers(503));
      expect(await bench.renew({ parameters: { profile } })).toMatchObject({ refusal: { reason: 'backing_off' } });
      bench.clock.advance(MINUTE);
    }
    expect(bench.sent).toHaveLength(6);
    expect(bench.account()).toMatchObject({ proven: true, refused: 0, unanswered: {} });
  });
});
