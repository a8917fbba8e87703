import type { AccountItem } from './account.ts';
import type { Clock, Randomness, Telemetry, TokenStore } from './ports.ts';
import { keepWarmMs, type Timing } from './timing.ts';
import type { Due, TokenSet, TokenSetItem, TokenSetKey } from './token-set.ts';
import { dueOf, dueThen } from './warmth.ts';

interface KeepWarmDeps {
  store: TokenStore;
  clock: Clock;
  random: Randomness;
  telemetry: Telemetry;
  timing: Timing;
  dueShards: number;
}

/** Notes that a token set was vended, so that the schedule renews it. */
export type KeepWarm = (key: TokenSetKey, account: AccountItem | undefined, item: TokenSetItem, tokenSet: TokenSet) => Promise<void>;

/**
 * Written only when less than three quarters of the warm time is left, so a set that is vended often costs few writes.
 *
 * @returns the note; it never throws
 */
export function createKeepWarm({ store, clock, random, telemetry, timing, dueShards }: KeepWarmDeps): KeepWarm {
  return async (key, account, item, tokenSet) => {
    const nowMs = clock.nowMs();
    const warmMs = keepWarmMs(timing, item.lifeMs ?? 0);
    if ((item.warmUntilMs ?? 0) - nowMs > warmMs * timing.warmEnough) return;
    const next = standingDue(key, item, tokenSet, dueShards) ?? dueOf(timing, key, tokenSet, dueShards, random.fraction());
    try {
      await store.markWarm(key, tokenSet.expiresAtMs, {
        warmUntilMs: Math.round(nowMs + warmMs),
        due: notBefore(account, next),
      });
    } catch (error) {
      // The caller has a token; that it is renewed later rather than sooner is no reason to fail.
      telemetry.log('warn', 'A token set could not be kept warm', { account: key.partition }, error);
    }
  };
}

/** The due time that stands on the item; what another number of shards, or an older version, wrote gets its place and tag by this. */
function standingDue(key: TokenSetKey, { dueAtMs }: TokenSetItem, tokenSet: TokenSet, dueShards: number): Due | undefined {
  return dueAtMs === undefined ? undefined : dueThen(key, tokenSet, dueShards, dueAtMs);
}

/** A set whose account is backing off is not due before that ends. */
function notBefore(account: AccountItem | undefined, due: Due | undefined): Due | undefined {
  return due && { ...due, atMs: Math.max(due.atMs, account?.notBeforeMs ?? 0) };
}
