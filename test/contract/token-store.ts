import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AccountItem } from '../../functions/core/account.ts';
import type { AcquireRequest, CommitRequest, ReleaseRequest, TokenStore } from '../../functions/core/ports.ts';
import type { AccountRef, TokenSetItem, TokenSetKey } from '../../functions/core/token-set.ts';
import { keyOf } from '../../functions/core/token-set.ts';

/** Starts a store for one run of the suite. It may hold other items: the suite uses names and shards of its own. */
export type StartStore = () => Promise<{ store: TokenStore; stop: () => Promise<void> }>;

const nowMs = 1_793_456_789_012;
const hourMs = 3_600_000;
const skewMs = 2_000;

/**
 * The contract of the port `TokenStore`, run over every store that claims to keep it.
 *
 * @param name which store, for the titles
 * @param start makes it
 */
export function describeTokenStore(name: string, start: StartStore): void {
  describe(`the token store contract, kept by ${name}`, () => {
    let started: Awaited<ReturnType<StartStore>> | undefined;
    const suite: Suite = {
      get store() {
        if (started === undefined) throw new Error('the store has not started');
        return started.store;
      },
    };

    beforeAll(async () => {
      started = await start();
    }, 60_000);
    afterAll(async () => {
      await started?.stop();
    });

    describe('acquire', () => {
      acquireTests(suite);
    });
    describe('commit', () => {
      commitTests(suite);
    });
    describe('release', () => {
      releaseTests(suite);
    });
    describe('refuseRefreshToken, clearFailure and forget', () => {
      otherWriteTests(suite);
    });
    describe('the due index', () => {
      dueTests(suite);
    });
    describe('accounts', () => {
      accountTests(suite);
    });
    describe('reading', () => {
      readingTests(suite);
    });
    describe('data keys', () => {
      dataKeyTests(suite);
    });
  });
}

interface Suite {
  readonly store: TokenStore;
}

const some = {
  word: () => `x${Math.random().toString(36).slice(2, 12)}`,
  shard: () => Math.floor(Math.random() * 1e9),
  day: () => Math.floor(Math.random() * 1e9),
  ref: (): AccountRef => ({ provider: some.word(), account: 'main' }),
  key: (): TokenSetKey => keyOf(some.ref(), { profile: some.word() }),
  bytes: (...values: number[]): Uint8Array => new Uint8Array(values),
  acquire: (change: Partial<AcquireRequest> = {}): AcquireRequest => ({
    judged: undefined,
    attempt: 'attempt-1',
    nowMs,
    leaseUntilMs: nowMs + 16_000,
    skewMs,
    respectNotBefore: true,
    ...change,
  }),
  commit: (change: Partial<CommitRequest> = {}): CommitRequest => ({
    attempt: 'attempt-1',
    sealed: some.bytes(1, 2, 3),
    obtainedAtMs: nowMs,
    expiresAtMs: nowMs + hourMs,
    refreshExpiresAtMs: nowMs + 24 * hourMs,
    secretVersion: 'version-1',
    lifeMs: hourMs,
    warmUntilMs: undefined,
    due: undefined,
    ...change,
  }),
  release: (change: Partial<ReleaseRequest> = {}): ReleaseRequest => ({ doubt: 'keep', due: 'keep', ...change }),
  account: (change: Partial<AccountItem> = {}): AccountItem => ({
    ref: some.ref(),
    revision: 1,
    secretVersion: 'version-1',
    identity: 'identity-1',
    proven: false,
    refused: 0,
    unanswered: {},
    outages: 0,
    clientRefused: false,
    keep: false,
    ...change,
  }),
};

/** A token set that was acquired and committed once; its generation is `nowMs + 1`. */
async function committed(store: TokenStore, change: Partial<CommitRequest> = {}): Promise<{ key: TokenSetKey; generation: number }> {
  const key = some.key();
  await store.acquire(key, some.acquire());
  expect(await store.commit(key, nowMs, some.commit(change))).toBe(true);
  return { key, generation: nowMs + 1 };
}

/** The same, with a lease on it since two hours later. */
async function held(store: TokenStore, change: Partial<CommitRequest> = {}): Promise<{ key: TokenSetKey; generation: number }> {
  const set = await committed(store, change);
  const acquired = await store.acquire(set.key, later({ judged: set.generation, attempt: 'attempt-2' }));
  expect(acquired?.generation).toBe(set.generation);
  return set;
}

function later(change: Partial<AcquireRequest>): AcquireRequest {
  const laterMs = nowMs + 2 * hourMs;
  return some.acquire({ nowMs: laterMs, leaseUntilMs: laterMs + 16_000, ...change });
}

/** The bytes as plain numbers, because a store may give a Buffer. */
function plain(item: TokenSetItem | undefined): object | undefined {
  return item && { ...item, sealed: item.sealed && [...item.sealed] };
}

async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const entries: T[] = [];
  for await (const page of pages) entries.push(...page);
  return entries;
}

function acquireTests(suite: Suite): void {
  test('makes an absent item whose generation is the time of the acquirer, with the lease and a first doubt', async () => {
    const key = some.key();

    expect(await suite.store.acquire(key, some.acquire())).toEqual({ before: undefined, generation: nowMs });

    expect(plain(await suite.store.readTokenSet(key))).toEqual({
      generation: nowMs,
      lease: { by: 'attempt-1', untilMs: nowMs + 16_000 },
      doubt: { sinceMs: nowMs, count: 1 },
    });
  });

  test('is refused where the item was judged absent and exists', async () => {
    const { key } = await committed(suite.store);
    expect(await suite.store.acquire(key, later({ judged: undefined }))).toBeUndefined();
  });

  test('is refused where the item was judged present and is absent, and makes none', async () => {
    const key = some.key();
    expect(await suite.store.acquire(key, some.acquire({ judged: 7 }))).toBeUndefined();
    expect(await suite.store.readTokenSet(key)).toBeUndefined();
  });

  test('is refused where another generation than the judged stands there', async () => {
    const { key, generation } = await committed(suite.store);
    expect(await suite.store.acquire(key, later({ judged: generation - 1 }))).toBeUndefined();
    expect(await suite.store.acquire(key, later({ judged: generation + 1 }))).toBeUndefined();
  });

  test('gives the values before it and leaves the token set readable', async () => {
    const { key, generation } = await committed(suite.store);
    const before = await suite.store.readTokenSet(key);

    const acquired = await suite.store.acquire(key, later({ judged: generation, attempt: 'attempt-2' }));

    expect(acquired?.generation).toBe(generation);
    expect(plain(acquired?.before)).toEqual(plain(before));
    expect(plain(await suite.store.readTokenSet(key))).toEqual({
      ...plain(before),
      lease: { by: 'attempt-2', untilMs: nowMs + 2 * hourMs + 16_000 },
      doubt: { sinceMs: nowMs + 2 * hourMs, count: 1 },
    });
  });

  test('is refused while a lease lives, and for the skew after its end', async () => {
    const { key, generation } = await held(suite.store);
    const leaseEndMs = nowMs + 2 * hourMs + 16_000;
    const at = (ms: number) => some.acquire({ judged: generation, attempt: 'attempt-3', nowMs: ms, leaseUntilMs: ms + 16_000 });

    expect(await suite.store.acquire(key, at(leaseEndMs))).toBeUndefined();
    expect(await suite.store.acquire(key, at(leaseEndMs + skewMs))).toBeUndefined();
    expect(await suite.store.acquire(key, at(leaseEndMs + skewMs + 1))).toBeDefined();
  });

  test('over a lapsed lease counts one doubt more and keeps the time of the first', async () => {
    const { key, generation } = await held(suite.store);
    const muchLaterMs = nowMs + 3 * hourMs;

    const acquired = await suite.store.acquire(key, later({ judged: generation, attempt: 'attempt-3', nowMs: muchLaterMs }));

    expect(acquired?.before?.doubt).toEqual({ sinceMs: nowMs + 2 * hourMs, count: 1 });
    expect((await suite.store.readTokenSet(key))?.doubt).toEqual({ sinceMs: nowMs + 2 * hourMs, count: 2 });
  });

  test('is held up by the failure of the set until its time, unless it is told not to respect it', async () => {
    const { key, generation } = await held(suite.store);
    const notBeforeMs = nowMs + 4 * hourMs;
    const failure = { code: 'configuration', atMs: nowMs, notBeforeMs } as const;
    await suite.store.release(key, generation, 'attempt-2', some.release({ failure }));
    const at = (ms: number, respectNotBefore: boolean) =>
      some.acquire({ judged: generation, attempt: 'attempt-3', nowMs: ms, leaseUntilMs: ms, respectNotBefore });

    expect(await suite.store.acquire(key, at(notBeforeMs - 1, true))).toBeUndefined();
    expect(await suite.store.acquire(key, at(notBeforeMs - 1, false))).toBeDefined();
    expect(await suite.store.acquire(key, at(notBeforeMs + hourMs, true))).toBeDefined();
  });

  test('is not held up by a failure without a time: whether a person must act is judged, not stored', async () => {
    const { key, generation } = await held(suite.store);
    await suite.store.release(key, generation, 'attempt-2', some.release({ failure: { code: 'needs_consent', atMs: nowMs } }));
    expect(await suite.store.acquire(key, later({ judged: generation, attempt: 'attempt-3' }))).toBeDefined();
  });

  test('lets exactly one of many at once have it', async () => {
    const key = some.key();
    const attempts = Array.from({ length: 20 }, (_, index) => `attempt-${index}`);
    const results = await Promise.all(attempts.map((attempt) => suite.store.acquire(key, some.acquire({ attempt }))));
    expect(results.filter((result) => result !== undefined)).toHaveLength(1);
  });
}

function commitTests(suite: Suite): void {
  test('stores the new set as the next generation and ends lease, doubt, failure and refusal', async () => {
    const { key, generation } = await held(suite.store);
    await suite.store.refuseRefreshToken(key, generation, 'attempt-2');
    const failure = { code: 'misconfigured', atMs: nowMs } as const;
    await suite.store.release(key, generation, 'attempt-2', some.release({ failure }));

    const request = some.commit({
      attempt: 'attempt-3',
      sealed: some.bytes(9),
      warmUntilMs: 11,
      due: { shard: 3, atMs: 12, group: 'origin' },
    });
    expect(await suite.store.commit(key, generation, request)).toBe(true);

    expect(plain(await suite.store.readTokenSet(key))).toEqual({
      generation: generation + 1,
      sealed: [9],
      obtainedAtMs: request.obtainedAtMs,
      expiresAtMs: request.expiresAtMs,
      refreshExpiresAtMs: request.refreshExpiresAtMs,
      secretVersion: 'version-1',
      lifeMs: hourMs,
      committedBy: 'attempt-3',
      warmUntilMs: 11,
      dueShard: 3,
      dueAtMs: 12,
      dueGroup: 'origin',
    });
  });

  test('succeeds for a holder whose lease somebody else has taken', async () => {
    const { key, generation } = await held(suite.store);
    await suite.store.acquire(key, later({ judged: generation, attempt: 'attempt-3', nowMs: nowMs + 3 * hourMs }));
    expect(await suite.store.commit(key, generation, some.commit({ attempt: 'attempt-2' }))).toBe(true);
    expect((await suite.store.readTokenSet(key))?.lease).toBeUndefined();
  });

  test('is refused under another generation and changes nothing', async () => {
    const { key, generation } = await held(suite.store);
    const before = plain(await suite.store.readTokenSet(key));

    expect(await suite.store.commit(key, generation - 1, some.commit({ sealed: some.bytes(9) }))).toBe(false);
    expect(await suite.store.commit(key, generation + 1, some.commit({ sealed: some.bytes(9) }))).toBe(false);

    expect(plain(await suite.store.readTokenSet(key))).toEqual(before);
  });

  test('is refused where there is no item, and makes none', async () => {
    const key = some.key();
    expect(await suite.store.commit(key, nowMs, some.commit())).toBe(false);
    expect(await suite.store.readTokenSet(key)).toBeUndefined();
  });

  test('keeps the warm time where it is given none, and takes the set out of the due index where it is given no time', async () => {
    const { key, generation } = await committed(suite.store, { warmUntilMs: 11, due: { shard: 3, atMs: 12, group: 'origin' } });
    await suite.store.commit(key, generation, some.commit({ warmUntilMs: undefined, due: undefined }));
    const item = await suite.store.readTokenSet(key);
    expect(item).toMatchObject({ warmUntilMs: 11 });
    expect([item?.dueShard, item?.dueAtMs, item?.dueGroup]).toEqual([undefined, undefined, undefined]);
  });

  test('forgets the end of an old refresh token where the new one has none', async () => {
    const { key, generation } = await committed(suite.store);
    await suite.store.commit(key, generation, some.commit({ refreshExpiresAtMs: undefined }));
    expect((await suite.store.readTokenSet(key))?.refreshExpiresAtMs).toBeUndefined();
  });

  test('takes a set that persists', async () => {
    const { key } = await committed(suite.store, { persists: true });
    expect(plain(await suite.store.readTokenSet(key))).toMatchObject({ sealed: [1, 2, 3] });
  });
}

function releaseTests(suite: Suite): void {
  test('ends the lease and leaves all else where the outcome is unknown', async () => {
    const { key, generation } = await held(suite.store, { warmUntilMs: 11, due: { shard: 3, atMs: 12, group: 'origin' } });
    const before = await suite.store.readTokenSet(key);
    expect(await suite.store.release(key, generation, 'attempt-2', some.release())).toBe(true);
    expect(plain(await suite.store.readTokenSet(key))).toEqual({ ...plain(before), lease: undefined });
  });

  test('puts the doubt back where surely nothing was spent', async () => {
    const { key, generation } = await held(suite.store);
    await suite.store.release(key, generation, 'attempt-2', some.release({ doubt: undefined }));
    expect((await suite.store.readTokenSet(key))?.doubt).toBeUndefined();

    await suite.store.acquire(key, later({ judged: generation, attempt: 'attempt-3' }));
    await suite.store.release(key, generation, 'attempt-3', some.release({ doubt: { sinceMs: 5, count: 4 } }));
    expect((await suite.store.readTokenSet(key))?.doubt).toEqual({ sinceMs: 5, count: 4 });
  });

  test('is refused to who does not hold the lease, and changes nothing', async () => {
    const { key, generation } = await held(suite.store);
    const failure = { code: 'configuration', atMs: 1 } as const;
    const before = plain(await suite.store.readTokenSet(key));

    expect(await suite.store.release(key, generation, 'attempt-1', some.release({ failure, doubt: undefined }))).toBe(false);
    expect(await suite.store.release(key, generation - 1, 'attempt-2', some.release({ failure, doubt: undefined }))).toBe(false);
    expect(await suite.store.release(some.key(), generation, 'attempt-2', some.release({ failure }))).toBe(false);

    expect(plain(await suite.store.readTokenSet(key))).toEqual(before);
  });

  test('records a failure with all its members', async () => {
    const { key, generation } = await held(suite.store);
    const failure = {
      code: 'configuration',
      atMs: nowMs,
      notBeforeMs: nowMs + 5,
      providerError: 'invalid_scope',
      secretVersion: 'version-1',
    } as const;
    await suite.store.release(key, generation, 'attempt-2', some.release({ failure }));
    expect((await suite.store.readTokenSet(key))?.failure).toEqual(failure);
  });

  test('forgets the tokens with the lease where their session was ended, and keeps what failed', async () => {
    const { key, generation } = await held(suite.store, { warmUntilMs: 11, due: { shard: 3, atMs: 12, group: 'origin' } });
    const failure = { code: 'configuration', atMs: nowMs, notBeforeMs: nowMs + 5 } as const;
    const ended = some.release({ forget: true, failure, due: { atMs: 77 } });
    expect(await suite.store.release(key, generation, 'attempt-1', ended)).toBe(false);
    expect(await suite.store.release(key, generation, 'attempt-2', ended)).toBe(true);
    const item = plain(await suite.store.readTokenSet(key));
    expect(item).toEqual({ ...plain({ generation: generation + 1 }), committedBy: 'attempt-2', failure: expect.objectContaining(failure) });
    expect(await suite.store.release(key, generation, 'attempt-2', ended)).toBe(false);
  });

  test('moves the due time, removes the due keys, or leaves them', async () => {
    const { key, generation } = await committed(suite.store, { due: { shard: 3, atMs: 12, group: 'origin' } });
    const releaseWith = async (due: ReleaseRequest['due']) => {
      await suite.store.acquire(key, later({ judged: generation, attempt: 'attempt-2' }));
      expect(await suite.store.release(key, generation, 'attempt-2', some.release({ due }))).toBe(true);
      const item = await suite.store.readTokenSet(key);
      return [item?.dueShard, item?.dueAtMs, item?.dueGroup];
    };
    expect(await releaseWith({ atMs: 77 })).toEqual([3, 77, 'origin']);
    expect(await releaseWith('keep')).toEqual([3, 77, 'origin']);
    expect(await releaseWith('remove')).toEqual([undefined, undefined, undefined]);
    expect(await releaseWith({ atMs: 78 })).toEqual([undefined, undefined, undefined]);
  });
}

function otherWriteTests(suite: Suite): void {
  test('a refused refresh token is noted under the lease, which stays', async () => {
    const { key, generation } = await held(suite.store);
    expect(await suite.store.refuseRefreshToken(key, generation, 'attempt-2')).toBe(true);
    expect(await suite.store.readTokenSet(key)).toMatchObject({ refreshRefused: true, lease: { by: 'attempt-2' } });
  });

  test('a refused refresh token is not noted by who does not hold the lease of that generation', async () => {
    const { key, generation } = await held(suite.store);
    expect(await suite.store.refuseRefreshToken(key, generation, 'attempt-1')).toBe(false);
    expect(await suite.store.refuseRefreshToken(key, generation - 1, 'attempt-2')).toBe(false);
    expect((await suite.store.readTokenSet(key))?.refreshRefused).toBeUndefined();
  });

  test('a forgotten set keeps its next generation and who forgot it, nothing else', async () => {
    const { key, generation } = await held(suite.store, { warmUntilMs: 11, due: { shard: 3, atMs: 12, group: 'origin' } });
    await suite.store.refuseRefreshToken(key, generation, 'attempt-2');
    expect(await suite.store.forget(key, generation, 'attempt-9')).toBe(true);
    expect(plain(await suite.store.readTokenSet(key))).toEqual({ generation: generation + 1, committedBy: 'attempt-9' });
  });

  test('forgetting is refused under another generation, and where there is no item', async () => {
    const { key, generation } = await held(suite.store);
    expect(await suite.store.forget(key, generation - 1, 'attempt-9')).toBe(false);
    expect(await suite.store.forget(some.key(), generation, 'attempt-9')).toBe(false);
    expect(plain(await suite.store.readTokenSet(key))).toMatchObject({ generation, sealed: [1, 2, 3] });
  });

  test('a late commit fails after the set was forgotten', async () => {
    const { key, generation } = await held(suite.store);
    await suite.store.forget(key, generation, 'attempt-9');
    expect(await suite.store.commit(key, generation, some.commit({ attempt: 'attempt-2' }))).toBe(false);
    expect((await suite.store.readTokenSet(key))?.sealed).toBeUndefined();
  });

  test('a failure is cleared under its generation only', async () => {
    const { key, generation } = await held(suite.store);
    await suite.store.release(key, generation, 'attempt-2', some.release({ failure: { code: 'needs_consent', atMs: nowMs } }));
    expect(await suite.store.clearFailure(key, generation - 1)).toBe(false);
    expect((await suite.store.readTokenSet(key))?.failure).toBeDefined();
    expect(await suite.store.clearFailure(key, generation)).toBe(true);
    expect((await suite.store.readTokenSet(key))?.failure).toBeUndefined();
    expect(await suite.store.clearFailure(some.key(), generation)).toBe(false);
  });
}

function dueTests(suite: Suite): void {
  test('gives what is due up to and including the time, earliest first, of that shard alone', async () => {
    const shard = some.shard();
    const at = async (atMs: number, of = shard) => (await committed(suite.store, { due: { shard: of, atMs, group: 'origin' } })).key;
    const second = await at(2_000);
    const first = await at(1_000);
    await at(2_001);
    await at(1_500, shard + 1);

    expect(await all(suite.store.queryDue(shard, 2_000, 10))).toEqual([
      { key: first, dueAtMs: 1_000, group: 'origin' },
      { key: second, dueAtMs: 2_000, group: 'origin' },
    ]);
  });

  test('gives at most as many as asked for', async () => {
    const shard = some.shard();
    for (const atMs of [1, 2, 3, 4, 5]) await committed(suite.store, { due: { shard, atMs, group: 'origin' } });
    expect((await all(suite.store.queryDue(shard, 10, 3))).map((entry) => entry.dueAtMs)).toEqual([1, 2, 3]);
  });

  test('does not change while a set is acquired, and forgets a set with its due keys', async () => {
    const shard = some.shard();
    const { key, generation } = await held(suite.store, { due: { shard, atMs: 1, group: 'origin' } });
    expect(await all(suite.store.queryDue(shard, 10, 10))).toEqual([{ key, dueAtMs: 1, group: 'origin' }]);
    await suite.store.forget(key, generation, 'attempt-9');
    expect(await all(suite.store.queryDue(shard, 10, 10))).toEqual([]);
  });

  test('marks a set as warm while its expiry is the one judged', async () => {
    const shard = some.shard();
    const { key } = await committed(suite.store);
    const warm = { warmUntilMs: 99, due: { shard, atMs: 5, group: 'origin' } };

    expect(await suite.store.markWarm(key, nowMs + hourMs + 1, warm)).toBe(false);
    expect(await suite.store.markWarm(some.key(), nowMs + hourMs, warm)).toBe(false);
    expect(await all(suite.store.queryDue(shard, 10, 10))).toEqual([]);

    expect(await suite.store.markWarm(key, nowMs + hourMs, warm)).toBe(true);
    expect(await suite.store.readTokenSet(key)).toMatchObject({ warmUntilMs: 99, dueShard: shard, dueAtMs: 5, dueGroup: 'origin' });
    expect(await all(suite.store.queryDue(shard, 10, 10))).toEqual([{ key, dueAtMs: 5, group: 'origin' }]);
  });

  test('keeps the due keys of a set that is marked warm without any', async () => {
    const { key } = await committed(suite.store, { due: { shard: 3, atMs: 12, group: 'origin' } });
    expect(await suite.store.markWarm(key, nowMs + hourMs, { warmUntilMs: 99, due: undefined })).toBe(true);
    expect(await suite.store.readTokenSet(key)).toMatchObject({ warmUntilMs: 99, dueShard: 3, dueAtMs: 12, dueGroup: 'origin' });
  });

  test('moves a due time that is as it was read, or takes the set out', async () => {
    const shard = some.shard();
    const { key, generation } = await committed(suite.store, { due: { shard, atMs: 5, group: 'origin' } });

    expect(await suite.store.moveDue(key, generation, 4, 8)).toBe(false);
    expect(await suite.store.moveDue(key, generation - 1, 5, 8)).toBe(false);
    expect(await suite.store.moveDue(key, generation, 5, 8)).toBe(true);
    expect(await all(suite.store.queryDue(shard, 10, 10))).toEqual([{ key, dueAtMs: 8, group: 'origin' }]);

    expect(await suite.store.moveDue(key, generation, 8, undefined)).toBe(true);
    expect(await all(suite.store.queryDue(shard, 10, 10))).toEqual([]);
    expect(await suite.store.moveDue(key, generation, 8, 9)).toBe(false);
    expect((await suite.store.readTokenSet(key))?.dueGroup).toBeUndefined();
  });

  test('gives the tag of the origin as it was last written', async () => {
    const shard = some.shard();
    const { key, generation } = await committed(suite.store, { due: { shard, atMs: 5, group: 'first' } });
    await suite.store.markWarm(key, nowMs + hourMs, { warmUntilMs: 99, due: { shard, atMs: 5, group: 'second' } });
    expect(await all(suite.store.queryDue(shard, 10, 10))).toEqual([{ key, dueAtMs: 5, group: 'second' }]);
    await suite.store.commit(key, generation, some.commit({ due: { shard, atMs: 6, group: 'third' } }));
    expect(await all(suite.store.queryDue(shard, 10, 10))).toEqual([{ key, dueAtMs: 6, group: 'third' }]);
  });
}

function accountTests(suite: Suite): void {
  test('an account comes back as it was written, with everything it may hold', async () => {
    const account = some.account({
      proven: true,
      refused: 2,
      unanswered: { one: 1, two: 2 },
      nextLoginAtMs: 3,
      notBeforeMs: 4,
      outages: 5,
      clientRefused: true,
      keep: true,
      failure: { code: 'misconfigured', atMs: 6, providerError: 'e', field: 'base_url', rule: 'must be https' },
    });
    expect(await suite.store.writeAccount(account)).toBe(true);
    expect(await suite.store.readAccount(account.ref)).toEqual(account);
  });

  test('a fresh account comes back with its zeroes', async () => {
    const account = some.account();
    await suite.store.writeAccount(account);
    expect(await suite.store.readAccount(account.ref)).toEqual(account);
  });

  test('an account is written on the revision before, and nothing of the old item stays', async () => {
    const account = some.account({ notBeforeMs: 4, unanswered: { one: 1 } });
    const next = some.account({ ref: account.ref, revision: 2 });

    expect(await suite.store.writeAccount(next)).toBe(false);
    expect(await suite.store.readAccount(account.ref)).toBeUndefined();
    expect(await suite.store.writeAccount(account)).toBe(true);
    expect(await suite.store.writeAccount(account)).toBe(false);
    expect(await suite.store.writeAccount(next)).toBe(true);
    expect(await suite.store.writeAccount(next)).toBe(false);

    expect(await suite.store.readAccount(account.ref)).toEqual(next);
  });

  test('one of many writers of a revision wins', async () => {
    const { ref } = some.account();
    const writers = Array.from({ length: 10 }, (_, index) => some.account({ ref, identity: `identity-${index}` }));
    const results = await Promise.all(writers.map((account) => suite.store.writeAccount(account)));
    expect(results.filter(Boolean)).toHaveLength(1);
  });

  test('accounts are listed by provider, token sets by account', async () => {
    const provider = some.word();
    const refs = ['a', 'b', 'c'].map((account) => ({ provider, account }));
    for (const ref of refs) await suite.store.writeAccount(some.account({ ref }));
    await suite.store.writeAccount(some.account());
    const keys = ['1', '2'].map((profile) => keyOf({ provider, account: 'a' }, { profile }));
    for (const key of [...keys, keyOf({ provider, account: 'b' }, {})]) await suite.store.acquire(key, some.acquire());

    expect(await all(suite.store.listAccounts(provider))).toEqual(refs);
    expect(await all(suite.store.listAccounts(provider, 'a'))).toEqual(refs.filter(({ account }) => account > 'a'));
    const sets = await all(suite.store.listTokenSets({ provider, account: 'a' }));
    expect(sets.map(({ key }) => key.sort).toSorted()).toEqual(keys.map((key) => key.sort).toSorted());
    expect(sets.every(({ key, item }) => key.partition === `${provider}/a` && item.generation === nowMs)).toBe(true);
    expect(await all(suite.store.listTokenSets({ provider, account: 'c' }))).toEqual([]);
    expect(await all(suite.store.listAccounts(some.word()))).toEqual([]);
  });
}

function readingTests(suite: Suite): void {
  test('a peek gives both items, or what there is of them', async () => {
    const { key } = await committed(suite.store);
    const nothing = await suite.store.peek(some.key());
    expect([nothing.account, nothing.tokenSet]).toEqual([undefined, undefined]);

    const [provider = '', account = ''] = key.partition.split('/');
    const alone = await suite.store.peek(key);
    expect([alone.account, plain(alone.tokenSet)]).toMatchObject([undefined, { generation: nowMs + 1 }]);

    const written = some.account({ ref: { provider, account } });
    await suite.store.writeAccount(written);
    const both = await suite.store.peek(key);
    expect([both.account, plain(both.tokenSet)]).toMatchObject([written, { generation: nowMs + 1, sealed: [1, 2, 3] }]);
    expect((await suite.store.peek({ ...key, sort: 'set#other' })).tokenSet).toBeUndefined();
  });

  test('what was read does not change with the store, nor the store with it', async () => {
    const { key, generation } = await committed(suite.store);
    const read = await suite.store.readTokenSet(key);
    read?.sealed?.fill(0);
    await suite.store.forget(key, generation, 'attempt-9');
    expect(read?.generation).toBe(generation);

    const sealed = some.bytes(1, 2);
    await suite.store.commit(key, generation + 1, some.commit({ sealed }));
    sealed.fill(0);
    expect(plain(await suite.store.readTokenSet(key))).toMatchObject({ sealed: [1, 2] });
  });

  test('absent items are undefined', async () => {
    expect(await suite.store.readTokenSet(some.key())).toBeUndefined();
    expect(await suite.store.readAccount(some.ref())).toBeUndefined();
    expect(await suite.store.readDataKey(some.day())).toBeUndefined();
  });
}

function dataKeyTests(suite: Suite): void {
  test('the first of a day stays', async () => {
    const day = some.day();
    expect(await suite.store.writeDataKey(day, some.bytes(1, 2))).toBe(true);
    expect(await suite.store.writeDataKey(day, some.bytes(3))).toBe(false);
    expect([...((await suite.store.readDataKey(day)) ?? [])]).toEqual([1, 2]);
  });
}
