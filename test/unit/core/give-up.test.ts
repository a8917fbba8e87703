import { describe, expect, test } from '@jest/globals';
import type { Provider } from '../../../functions/core/provider.ts';
import { timing } from '../../../functions/core/timing.ts';
import {
  anHourLater,
  answerLost,
  answers,
  HOUR,
  meanwhile,
  MINUTE,
  outage,
  ref,
  renewalBench,
  SECOND,
} from '../../support/renewal-bench.ts';

/** A refresh of two steps, of which the first one spends the refresh token. */
function refreshingInTwoSteps(plain: Provider): Provider {
  const narrow: Provider['refresh'][number] = {
    request: ({ credentials: { base_url } }) => ({ method: 'POST', url: `${base_url}/token`, body: '{"grant":"narrow"}' }),
    read: () => ({}),
  };
  return { ...plain, refresh: [...plain.refresh, narrow] };
}

describe('a refresh token that the first step of a refresh spent', () => {
  test('is never sent again, however surely the next step did nothing', async () => {
    const bench = await anHourLater({ provider: refreshingInTwoSteps });
    bench.next((handle) => handle(), answers(429));
    expect(await bench.renew()).toMatchObject({ refusal: { reason: 'backing_off' } });
    bench.clock.advance(MINUTE);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.sent).toEqual(['refresh', 'narrow', 'login']);
  });

  test('is never sent again where no time was left for the next step', async () => {
    const bench = await anHourLater({ provider: refreshingInTwoSteps });
    bench.next((handle) => {
      bench.clock.advance(timing.providerBudgetMs);
      return handle();
    });
    await bench.renew();
    bench.clock.advance(MINUTE);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.sent).toEqual(['refresh', 'login']);
  });
});

test.each(['blocked', 'invalid'])('a host that may not be called (%s) is a mistake in the secret, which says where', async (code) => {
  const bench = renewalBench();
  bench.next(() => ({ failure: { unsent: true, code } }));
  const retryAtMs = bench.clock.nowMs() + timing.setFailureMs;
  expect(await bench.renew()).toMatchObject({ refusal: { reason: 'misconfigured', field: 'host', retryAtMs } });
  expect(bench.item()).toMatchObject({ failure: { code: 'misconfigured', notBeforeMs: retryAtMs, secretVersion: 'v1' }, lease: undefined });
});

test('a refresh that works ends the trouble of its account', async () => {
  const bench = await anHourLater();
  bench.next(answers(429));
  await bench.renew();
  bench.clock.advance(MINUTE);
  expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
  expect(bench.sent).toEqual(['refresh', 'refresh']);
  expect(bench.account()).toMatchObject({ outages: 0, notBeforeMs: undefined, failure: undefined });
});

test('a refused client makes no probe come earlier than refused log-ins have put it', async () => {
  const bench = await anHourLater();
  for (const profile of [1, 2, 3]) {
    bench.next(answers(400, { error: 'bad_password' }));
    await bench.renew({ parameters: { profile } });
    if (profile > 1) bench.clock.advance(HOUR);
  }
  const { nextLoginAtMs = 0 } = bench.account() ?? {};
  expect(nextLoginAtMs).toBeGreaterThan(bench.clock.nowMs() + HOUR);
  bench.next(answers(401, { error: 'invalid_client' }));
  expect(await bench.renew()).toMatchObject({ refusal: { reason: 'credentials_refused', retryAtMs: nextLoginAtMs } });
  expect(bench.sent.at(-1)).toBe('refresh');
});

test('a lease that cannot be given back is logged, lapses by itself, and changes nothing of the answer', async () => {
  const bench = await anHourLater();
  bench.next(answers(429, {}, { 'retry-after': '30' }));
  bench.hooks.onOperation = (name) => (name === 'release' ? outage() : undefined);
  expect(await bench.renew()).toMatchObject({ refusal: { reason: 'backing_off', retryAtMs: bench.clock.nowMs() + 30 * SECOND } });
  expect(bench.telemetry.logs.map(({ level, message }) => [level, message])).toContainEqual(['warn', expect.stringContaining('lease')]);
  bench.clock.advance(MINUTE);
  expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
});

describe('a refresh during which the secret changes', () => {
  test('says nothing of the new client when the old one is refused', async () => {
    const bench = await anHourLater();
    bench.next(
      meanwhile(async () => {
        bench.secrets.set({ password: 'good' });
        await bench.run({ command: 'secret_changed', ref });
      }),
    );
    bench.server.handle = () => ({
      answer: { status: 401, headers: {}, text: '{"error":"invalid_client"}' },
      handled: { sent: 'refresh', host: '', sightings: 1, good: false },
    });
    await bench.renew();
    expect(bench.account()).toMatchObject({ secretVersion: 'v2', clientRefused: false, nextLoginAtMs: undefined, failure: undefined });
  });

  test("does not end the new secret's trouble by succeeding under the old one", async () => {
    const bench = await anHourLater();
    bench.next(answers(429));
    await bench.renew();
    bench.clock.advance(MINUTE);
    bench.next(
      meanwhile(async () => {
        bench.secrets.set({});
        await bench.run({ command: 'secret_changed', ref });
      }),
    );
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.sent).toEqual(['refresh', 'refresh']);
    expect(bench.account()).toMatchObject({ secretVersion: 'v2', failure: { code: 'misconfigured' } });
  });
});

describe('a renewal that fails for now while the log-in slots are taken', () => {
  const keeps = { behaviour: { rotation: { kind: 'none' } } } as const;
  const limited = answers(429, {}, { 'retry-after': '5' });

  test.each([
    ['a lost refresh, where a log-in comes next', {}, answerLost],
    ['a lost refresh, where the refresh token is sent again', keeps, answerLost],
    ['a refresh that was surely not looked at', {}, limited],
  ])('names the time at which the next one can be sent, and then it is: %s', async (_what, options, reaction) => {
    const bench = await anHourLater(options);
    for (const profile of [1, 2]) {
      bench.next(answerLost);
      await bench.renew({ parameters: { profile } });
      bench.clock.advance(5 * SECOND);
    }
    bench.next(reaction);
    const refused = await bench.renew();
    const retryAtMs = refused.outcome === 'refused' ? (refused.refusal.retryAtMs ?? 0) : 0;
    const sent = bench.sent.length;
    bench.clock.advance(retryAtMs - 1 - bench.clock.nowMs());
    expect(await bench.renew()).toMatchObject({ outcome: 'refused' });
    expect(bench.sent).toHaveLength(sent);
    bench.clock.advance(1);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
  });
});
