import { describe, expect, test } from '@jest/globals';
import { keyOf } from '../../../functions/core/token-set.ts';
import { answers, HOUR, key, meanwhile, MINUTE, ref, renewalBench } from '../../support/renewal-bench.ts';

type Bench = ReturnType<typeof renewalBench>;
const changed = (bench: Bench) => bench.run({ command: 'secret_changed', ref });

describe('a new version of the secret', () => {
  test('starts the counts anew, and nothing is sent for it', async () => {
    const bench = renewalBench();
    bench.next(answers(400, { error: 'bad_password' }));
    await bench.renew();
    bench.secrets.set({ password: 'good' });
    expect(await changed(bench)).toEqual({ outcome: 'done' });
    expect(bench.account()).toMatchObject({ secretVersion: 'v2', refused: 0, proven: false, failure: undefined });
    expect(bench.sent).toEqual(['login']);
  });

  test('lets a provider go on backing off, but not one of another identity', async () => {
    const bench = renewalBench();
    bench.next(answers(429, {}, { 'retry-after': '600' }));
    await bench.renew();
    bench.secrets.set({ password: 'better' });
    await changed(bench);
    expect(bench.account()).toMatchObject({ notBeforeMs: bench.clock.nowMs() + 600_000, outages: 1 });
    bench.secrets.set({ password: 'better', user: 'somebody else' });
    await changed(bench);
    expect(bench.account()).toMatchObject({ notBeforeMs: undefined, outages: 0 });
  });

  test('of another identity leaves the old set unused, and its refresh token unsent', async () => {
    const bench = renewalBench();
    await bench.renew();
    bench.server.setPassword('somebody else', 'good');
    bench.secrets.set({ password: 'good', user: 'somebody else' });
    await changed(bench);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
    expect((await bench.opened())?.facts['user']).toBe('somebody else');
    expect(bench.sent).toEqual(['login', 'login']);
  });

  test('makes due at once what a refusal had put off', async () => {
    const bench = renewalBench();
    await bench.renew();
    bench.secrets.set({});
    bench.clock.advance(50 * MINUTE);
    await bench.due();
    bench.secrets.set({ password: 'good' });
    await changed(bench);
    expect(bench.item()?.dueAtMs).toBe(bench.clock.nowMs());
  });

  test('lets be tried at once what the one before it could not have', async () => {
    const bench = renewalBench();
    bench.next(answers(400, { error: 'invalid_scope' }));
    expect(await bench.renew()).toMatchObject({ refusal: { reason: 'configuration' } });
    bench.secrets.set({ password: 'good' });
    await changed(bench);
    expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
  });

  test('is not written over by an older one that was read before it and comes later', async () => {
    const bench = renewalBench();
    await bench.renew();
    bench.secrets.set({ password: 'second' });
    bench.hooks.onOperation = async (name) => {
      if (name !== 'writeAccount') return;
      bench.hooks.onOperation = undefined;
      bench.secrets.set({ password: 'third' });
      await changed(bench);
    };
    await changed(bench);
    expect(bench.account()?.secretVersion).toBe('v3');
  });

  test.each([
    ['is not near its end', MINUTE],
    ['is overdue', 40 * MINUTE],
  ])('leaves the due time of a set that %s', async (_what, ageMs) => {
    const bench = renewalBench();
    await bench.renew();
    const { dueAtMs } = bench.item() ?? {};
    bench.clock.advance(ageMs);
    bench.secrets.set({ password: 'good' });
    await changed(bench);
    expect(bench.item()?.dueAtMs).toBe(dueAtMs);
  });

  test('that asks to keep the account always brings what is cold back into the index', async () => {
    const bench = renewalBench();
    await bench.renew();
    bench.clock.advance(3 * HOUR);
    await bench.due();
    expect(bench.item()?.dueAtMs).toBeUndefined();
    bench.secrets.set({ password: 'good', keep: 'always' });
    await changed(bench);
    expect(bench.item()?.dueAtMs).toBe(bench.clock.nowMs());
    expect(await bench.due()).toMatchObject({ outcome: 'renewed' });
  });

  test('that does not fit says nothing of identity and keeping, so that both outlast a slip', async () => {
    const bench = renewalBench();
    bench.secrets.set({ password: 'good', keep: 'always' });
    await bench.renew();
    const { identity } = bench.account() ?? {};
    bench.secrets.set({});
    expect(await changed(bench)).toMatchObject({ refusal: { reason: 'misconfigured', field: 'password' } });
    expect(bench.account()).toMatchObject({ identity, keep: true, failure: { code: 'misconfigured' } });
    await changed(bench);
    expect(bench.telemetry.metrics.filter(({ name }) => name === 'PersonNeeded')).toHaveLength(1);
  });
});

test('a secret that still does not fit is noted anew each minute, so that not every vend looks at it', async () => {
  const bench = renewalBench();
  bench.secrets.set({});
  await changed(bench);
  const { atMs = 0 } = bench.account()?.failure ?? {};
  bench.clock.advance(MINUTE - 1);
  await changed(bench);
  expect(bench.account()?.failure?.atMs).toBe(atMs);
  bench.clock.advance(1);
  await changed(bench);
  expect(bench.account()?.failure?.atMs).toBe(atMs + MINUTE);
});

test('an account whose secret a newer deployment understands is mended, with its counts', async () => {
  const bench = renewalBench();
  await changed(bench);
  const account = bench.account();
  if (!account) throw new Error('The account is there.');
  const failure = { code: 'misconfigured', atMs: bench.clock.nowMs() } as const;
  await bench.store.writeAccount({ ...account, revision: account.revision + 1, identity: '', refused: 1, failure });
  expect(await bench.renew()).toMatchObject({ outcome: 'renewed' });
  expect(bench.account()).toMatchObject({ identity: account.identity, refused: 0, proven: true, failure: undefined });
});

describe('a deleted secret', () => {
  const profile = keyOf(ref, { profile: 1 });

  test('forgets the account and its sets, and never makes an account', async () => {
    const bench = renewalBench();
    await bench.renew();
    await bench.renew({ parameters: { profile: 1 } });
    bench.secrets.delete();
    expect(await changed(bench)).toEqual({ outcome: 'refused', refusal: { reason: 'no_account' } });
    expect(bench.account()).toMatchObject({ secretVersion: '', identity: '' });
    expect([bench.item()?.sealed, bench.store.tokenSetAt(profile)?.sealed]).toEqual([undefined, undefined]);

    const nobody = renewalBench();
    nobody.secrets.delete();
    await changed(nobody);
    expect(nobody.account()).toBeUndefined();
  });

  test('fences off a first log-in that is under way: its token is not stored, and its session ends', async () => {
    const bench = renewalBench();
    bench.next(
      meanwhile(async () => {
        bench.secrets.delete();
        await changed(bench);
      }),
    );
    expect(await bench.renew()).toEqual({ outcome: 'refused', refusal: { reason: 'no_account' } });
    expect(bench.item()?.sealed).toBeUndefined();
    expect(bench.server.sessions.map(({ fate }) => fate)).toEqual(['revoked']);
  });

  test('forgets also a set that was committed while the sets were being listed', async () => {
    const bench = renewalBench();
    await bench.renew();
    bench.secrets.delete();
    let renewed = false;
    bench.hooks.onOperation = async (name) => {
      if (name !== 'forget' || renewed) return;
      renewed = true;
      const { generation = 0, sealed = new Uint8Array(), obtainedAtMs = 0, expiresAtMs = 0 } = bench.item() ?? {};
      const times = { obtainedAtMs, expiresAtMs, refreshExpiresAtMs: undefined, lifeMs: HOUR, warmUntilMs: undefined, due: undefined };
      await bench.store.commit(key, generation, { attempt: 'late', sealed, secretVersion: 'v1', ...times });
    };
    await changed(bench);
    expect(bench.item()?.sealed).toBeUndefined();
  });

  test('that crashed between the account and its sets is made good by the next event', async () => {
    const bench = renewalBench();
    await bench.renew();
    bench.secrets.delete();
    const account = bench.account();
    if (!account) throw new Error('The account is there.');
    await bench.store.writeAccount({ ...account, revision: account.revision + 1, secretVersion: '', identity: '' });
    await changed(bench);
    expect(bench.item()?.sealed).toBeUndefined();
  });
});
