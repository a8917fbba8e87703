import { describe, expect, test } from '@jest/globals';
import { timing } from '../../../functions/core/timing.ts';
import {
  anHourLater,
  answerLost,
  answers,
  HOUR,
  meanwhile,
  MINUTE,
  ref,
  renewalBench,
  SECOND,
  unsent,
  type Reaction,
} from '../../support/renewal-bench.ts';

const badPassword = answers(400, { error: 'bad_password' });

describe('log-ins', () => {
  test('that are refused twice stop, and the third is a probe an hour later', async () => {
    const bench = renewalBench();
    bench.next(badPassword, badPassword);
    expect(await bench.renew()).toMatchObject({ refusal: { reason: 'credentials_refused', retryAtMs: undefined } });
    const second = await bench.renew();
    expect(second).toMatchObject({ refusal: { reason: 'credentials_refused', retryAtMs: bench.clock.nowMs() + HOUR } });
    expect(await bench.renew()).toMatchObject({ outcome: 'refused' });
    expect(bench.sent).toEqual(['login', 'login']);
    bench.clock.advance(HOUR);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.account()).toMatchObject({ refused: 0, nextLoginAtMs: undefined });
  });

  test.each([
    ['does not reach the provider', unsent],
    ['comes too soon for the provider', answers(429, {}, { 'retry-after': '5' })],
  ])('whose probe %s have their next one as soon as the back-off is over', async (_what, reaction) => {
    const bench = renewalBench();
    bench.next(badPassword, badPassword);
    await bench.renew();
    await bench.renew();
    bench.clock.advance(HOUR);
    bench.next(reaction);
    expect(await bench.renew()).toMatchObject({ refusal: { reason: 'backing_off' } });
    bench.clock.advance(5 * SECOND);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
  });

  test('whose probe gets another answer than yes or no wait for six hours', async () => {
    const bench = renewalBench();
    bench.next(badPassword, badPassword, answers(400, { error: 'invalid_scope' }));
    await bench.renew();
    await bench.renew();
    bench.clock.advance(HOUR);
    await bench.renew();
    expect(bench.account()).toMatchObject({ refused: 2, nextLoginAtMs: bench.clock.nowMs() + 6 * HOUR });
  });

  test('under way during a reset are counted by their answers: two are refused, not three', async () => {
    const bench = renewalBench();
    bench.next(
      meanwhile(() => bench.run({ command: 'reset', ref })),
      badPassword,
    );
    bench.server.setPassword('somebody', 'another');
    for (let minute = 0; minute < 6; minute++) {
      await bench.renew();
      bench.clock.advance(MINUTE);
    }
    expect([bench.sent, bench.account()?.refused]).toEqual([['login', 'login'], 2]);
  });

  test('under way during a reset prove their secret when they succeed', async () => {
    const bench = renewalBench();
    bench.next(meanwhile(() => bench.run({ command: 'reset', ref })));
    await bench.renew();
    expect(bench.account()).toMatchObject({ proven: true, unanswered: {} });
  });

  test('that were refused start anew with a new version of the secret', async () => {
    const bench = renewalBench();
    bench.next(badPassword, badPassword);
    await bench.renew();
    await bench.renew();
    bench.secrets.set({ password: 'good' });
    await bench.run({ command: 'secret_changed', ref });
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
  });

  test('that never get an answer stop after two, whatever set they are for', async () => {
    const bench = renewalBench();
    for (const profile of [1, 2, 3]) {
      bench.next(answerLost);
      await bench.renew({ parameters: { profile } });
      bench.clock.advance(MINUTE);
    }
    expect(bench.sent).toEqual(['login', 'login']);
    expect(Object.keys(bench.account()?.unanswered ?? {})).toHaveLength(2);
  });

  test('with a client that is refused are not tried again at once', async () => {
    const bench = renewalBench();
    bench.next(answers(401, { error: 'invalid_client' }));
    const refused = { outcome: 'refused', refusal: { reason: 'credentials_refused', retryAtMs: bench.clock.nowMs() + HOUR } };
    expect(await bench.renew()).toMatchObject(refused);
    expect(await bench.renew()).toMatchObject(refused);
    bench.clock.advance(HOUR);
    bench.next(answers(401, { error: 'invalid_client' }));
    await bench.renew();
    await bench.renew();
    expect(bench.sent).toEqual(['login', 'login']);
  });

  test('end the session before them only when the secret has changed', async () => {
    const bench = await anHourLater();
    bench.secrets.set({ password: 'good' });
    await bench.run({ command: 'secret_changed', ref });
    await bench.renew();
    expect(bench.sent).toEqual(['login', 'revoke']);
    expect(bench.server.sessions.map(({ fate }) => fate)).toEqual(['revoked', 'well']);
  });
});

test("a log-in under the same secret leaves alone the session before it: its token still lives in callers' hands", async () => {
  const bench = renewalBench({ behaviour: { givesRefreshTokens: false } });
  await bench.vend();
  bench.clock.advance(40 * MINUTE);
  expect(await bench.due()).toMatchObject({ outcome: 'renewed' });
  expect(bench.sent).toEqual(['login', 'login']);
  expect(bench.server.sessions.map(({ fate }) => fate)).toEqual(['well', 'well']);
});

describe('a log-in that got no answer', () => {
  test.each(['strict', 'none'] as const)(
    'names the time at which the next one can be sent, and then it is (rotation: %s)',
    async (kind) => {
      const bench = renewalBench({ behaviour: { rotation: { kind } } });
      bench.next(answerLost);
      await bench.renew();
      bench.clock.advance(MINUTE);
      bench.next(answerLost);
      const refused = await bench.renew();
      const retryAtMs = refused.outcome === 'refused' ? (refused.refusal.retryAtMs ?? 0) : 0;
      bench.clock.advance(retryAtMs - 1 - bench.clock.nowMs());
      expect((await bench.renew()).outcome).not.toBe('renewed');
      expect(bench.sent).toEqual(['login', 'login']);
      bench.clock.advance(1);
      expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
      expect(bench.sent).toEqual(['login', 'login', 'login']);
    },
  );
});

/** The log-out uses up all the time that it is given. */
function hangs(bench: ReturnType<typeof renewalBench>): Reaction {
  return () => {
    bench.clock.advance(timing.logoutMs);
    return { failure: { unsent: false, code: 'timeout' } };
  };
}

describe('a provider that caps its sessions', () => {
  const capped = { traits: { sessionCap: true } };

  test('has the old session ended before the log-in under a new secret', async () => {
    const bench = await anHourLater(capped);
    bench.secrets.set({ password: 'good' });
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.sent).toEqual(['revoke', 'login']);
  });

  test('is logged in to although its log-out gets no answer', async () => {
    const bench = await anHourLater(capped);
    bench.secrets.set({ password: 'good' });
    bench.next(hangs(bench));
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect(bench.sent).toEqual(['revoke', 'login']);
  });

  test.each([
    ['is refused', badPassword, 'credentials_refused'],
    ['fails for now', answers(503), 'backing_off'],
    ['is not for this set', answers(400, { error: 'invalid_scope' }), 'configuration'],
  ])('has no token vended whose session was ended, when the log-in after it %s', async (_what, reaction, reason) => {
    const bench = renewalBench(capped);
    await bench.vend();
    const { generation = 0 } = bench.item() ?? {};
    bench.clock.advance(40 * MINUTE);
    bench.secrets.set({ password: 'good' });
    await bench.run({ command: 'secret_changed', ref });
    bench.sent.length = 0;
    bench.next((handle) => handle(), reaction);
    expect(await bench.due()).toMatchObject({ refusal: { reason } });
    expect(bench.sent).toEqual(['revoke', 'login']);
    const item = bench.item();
    expect([item?.generation, item?.sealed, item?.lease, item?.dueAtMs]).toEqual([generation + 1, undefined, undefined, undefined]);
    bench.clock.advance(HOUR);
    expect(await bench.vend()).toMatchObject({ kind: 'answered' });
  });
});
