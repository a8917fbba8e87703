import { describe, expect, test } from '@jest/globals';
import { createMemoryStore } from '../support/memory-store.ts';

const nowMs = 1_793_456_789_012;
const dayMs = 86_400_000;
const key = { partition: 'fake/main', sort: 'set#x' };
const acquire = { judged: undefined, attempt: 'a', nowMs, leaseUntilMs: nowMs + 1, skewMs: 0, respectNotBefore: true };
const commit = {
  attempt: 'a',
  sealed: new Uint8Array([1]),
  obtainedAtMs: nowMs,
  expiresAtMs: nowMs + 1_000,
  refreshExpiresAtMs: undefined,
  secretVersion: 'v',
  lifeMs: 1_000,
  warmUntilMs: undefined,
  due: undefined,
};

describe('the store in memory', () => {
  test('lets a test hold an operation back before it takes effect', async () => {
    const { promise: gate, resolve: go } = Promise.withResolvers<void>();
    const store = createMemoryStore({ onOperation: (name) => (name === 'acquire' ? gate : undefined) });
    const acquiring = store.acquire(key, acquire);
    await store.readTokenSet(key);
    expect(store.tokenSetAt(key)).toBeUndefined();
    go();
    await acquiring;
    expect(store.tokenSetAt(key)?.generation).toBe(nowMs);
  });

  test('lets a test fail an operation before it takes effect, or lose its reply after', async () => {
    const lost = new Error('lost');
    const fail = () => {
      throw lost;
    };
    const failing = createMemoryStore({ onOperation: fail });
    await expect(failing.acquire(key, acquire)).rejects.toBe(lost);
    expect(failing.tokenSetAt(key)).toBeUndefined();

    const losing = createMemoryStore({ onReply: fail });
    await expect(losing.acquire(key, acquire)).rejects.toBe(lost);
    expect(losing.tokenSetAt(key)?.generation).toBe(nowMs);
  });

  test('gives the state before the last write to a stale peek', async () => {
    let stale = false;
    const store = createMemoryStore({ staleReads: () => stale });
    await store.acquire(key, acquire);
    await store.commit(key, nowMs, commit);
    expect((await store.peek(key)).tokenSet?.generation).toBe(nowMs + 1);
    stale = true;
    expect((await store.peek(key)).tokenSet?.generation).toBe(nowMs);
    expect((await store.readTokenSet(key))?.generation).toBe(nowMs + 1);
  });

  test('sweeps what its TTL allows, but no set that persists', async () => {
    const store = createMemoryStore();
    const kept = { ...key, sort: 'set#kept' };
    for (const one of [key, kept]) await store.acquire(one, acquire);
    await store.commit(key, nowMs, commit);
    await store.commit(kept, nowMs, { ...commit, persists: true });
    expect(store.ttlSweep(nowMs + 7 * dayMs)).toBe(0);
    expect(store.ttlSweep(nowMs + 8 * dayMs)).toBe(1);
    expect([store.tokenSetAt(key), store.tokenSetAt(kept)?.generation]).toEqual([undefined, nowMs + 1]);
  });

  test('starts a set that was deleted and is made again above its old generation', async () => {
    const store = createMemoryStore();
    await store.acquire(key, acquire);
    await store.commit(key, nowMs, commit);
    store.deleteItem(key);
    const again = await store.acquire(key, { ...acquire, nowMs: nowMs + 60_000 });
    expect(again).toEqual({ before: undefined, generation: nowMs + 60_000 });
  });
});
