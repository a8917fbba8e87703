import { createHash } from 'node:crypto';
import { dueAtMs, type Timing } from './timing.ts';
import { groupOf, type Due, type TokenSet, type TokenSetKey } from './token-set.ts';

/**
 * @param fraction random, 0 up to 1, for the jitter
 * @returns the due keys of a warm set; undefined: it is renewed on demand only
 */
export function dueOf(timing: Timing, key: TokenSetKey, tokenSet: TokenSet, dueShards: number, fraction: number): Due | undefined {
  const { obtainedAtMs, expiresAtMs, refreshExpiresAtMs, refreshEndsOldToken } = tokenSet;
  const atMs = dueAtMs(
    timing,
    {
      expiresAtMs,
      refreshExpiresAtMs,
      lifeMs: expiresAtMs - obtainedAtMs,
      refreshLifeMs: refreshExpiresAtMs === undefined ? undefined : refreshExpiresAtMs - obtainedAtMs,
      refreshEndsOldToken,
    },
    fraction,
  );
  return atMs === undefined ? undefined : dueThen(key, tokenSet, dueShards, atMs);
}

/** @returns the due keys of a set that is due at a time, ms since the epoch */
export function dueThen(key: TokenSetKey, { origin }: TokenSet, dueShards: number, atMs: number): Due {
  return { shard: shardOf(key, dueShards), atMs, group: groupOf(origin) };
}

/** @returns the partition of the due index that a set belongs to, 0 up to `dueShards` */
export function shardOf({ partition, sort }: TokenSetKey, dueShards: number): number {
  if (dueShards === 1) return 0;
  return createHash('sha256').update(`${partition}\n${sort}`).digest().readUInt32BE(0) % dueShards;
}
