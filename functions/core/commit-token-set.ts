import type { SettledTokens } from './call-provider.ts';
import type { Call } from './choose-call.ts';
import type { Lease } from './lease.ts';
import type { CommitRequest } from './ports.ts';
import type { RenewalDeps, Situation } from './renewal-deps.ts';
import { keepWarmMs, spacingMs, type Timing } from './timing.ts';
import { fingerprintOf, type Due, type TokenSet, type TokenSetItem } from './token-set.ts';
import { dueOf, dueThen } from './warmth.ts';

/** What became of a newly obtained token set. */
export type Commit =
  | { kind: 'committed'; item: TokenSetItem; tokenSet: TokenSet }
  /** the stored generation moved on; `stored` is what stands there, read strongly */
  | { kind: 'lost'; stored: TokenSetItem | undefined; tokenSet: TokenSet };

/** Why a set is renewed: a vend keeps it warm anew, the schedule only goes on while it is warm. */
export type Occasion = 'vend' | 'due' | 'check';

/** @returns the token set that an answer makes; the engine has already carried over what a refresh leaves unsaid */
export function nextTokenSet({ parameters, account, traits }: Situation, tokens: SettledTokens): TokenSet {
  return { ...tokens, parameters, identity: account.identity, refreshEndsOldToken: traits.refreshEndsOldToken };
}

/**
 * Step 6: stores the new token set under the generation acquired. Deliberately not "the lease is still mine": a slow holder that has
 * spent the refresh token holds its only successor. Tried again with jitter until the deadline.
 *
 * @throws store_unavailable, keys_unavailable past the deadline: what was obtained is lost and healed by a log-in
 */
export async function commitTokenSet(
  deps: RenewalDeps,
  situation: Situation,
  lease: Lease,
  obtained: { call: Call; tokens: SettledTokens; occasion: Occasion },
): Promise<Commit> {
  const { store, sealer, clock, random } = deps;
  const tokenSet = nextTokenSet(situation, obtained.tokens);
  for (;;) {
    try {
      const sealed = await sealer.seal(lease.key, lease.generation + 1, tokenSet, clock.nowMs());
      const request = commitRequest(deps, situation, lease, obtained, tokenSet, sealed);
      if (await store.commit(lease.key, lease.generation, request)) {
        return { kind: 'committed', item: storedItem(lease, request), tokenSet };
      }
      const stored = await store.readTokenSet(lease.key);
      // Mine after all: the reply of an earlier try was lost.
      if (stored && stored.committedBy === lease.by) return { kind: 'committed', item: stored, tokenSet };
      return { kind: 'lost', stored, tokenSet };
    } catch (error) {
      if (clock.nowMs() >= lease.deadlineMs) throw error;
      await clock.sleep(50 + random.fraction() * 200);
    }
  }
}

function commitRequest(
  { timing, clock, random, dueShards }: RenewalDeps,
  { account, key, traits }: Situation,
  lease: Lease,
  { call, occasion }: { call: Call; occasion: Occasion },
  tokenSet: TokenSet,
  sealed: Uint8Array,
): CommitRequest {
  const nowMs = clock.nowMs();
  const lifeMs = tokenSet.expiresAtMs - tokenSet.obtainedAtMs;
  // What is left of a token that a server repeats is not the life of its tokens.
  const longestMs = Math.max(lifeMs, call === 'refresh' || isRepeated(lease, tokenSet) ? (lease.before?.lifeMs ?? 0) : 0);
  const warmUntilMs = occasion === 'vend' ? Math.round(nowMs + keepWarmMs(timing, longestMs)) : undefined;
  const warm = account.keep || (warmUntilMs ?? lease.before?.warmUntilMs ?? 0) > nowMs;
  const due = (): Due | undefined =>
    isRepeated(lease, tokenSet)
      ? dueThen(key, tokenSet, dueShards, repeatedDueAtMs(timing, tokenSet, nowMs))
      : dueOf(timing, key, tokenSet, dueShards, random.fraction());
  return {
    attempt: lease.by,
    sealed,
    obtainedAtMs: tokenSet.obtainedAtMs,
    expiresAtMs: tokenSet.expiresAtMs,
    refreshExpiresAtMs: tokenSet.refreshExpiresAtMs,
    secretVersion: account.secretVersion,
    lifeMs: longestMs,
    warmUntilMs,
    due: warm ? due() : undefined,
    // What a person consented to does not come back by a log-in, so the broom must not take it.
    persists: traits.loginNeedsPerson,
  };
}

/** A server that repeats its token gave no new life; asking at once again would loop. */
function isRepeated({ tokenSet: old }: Lease, { accessToken }: TokenSet): boolean {
  return old !== undefined && fingerprintOf(old.accessToken) === fingerprintOf(accessToken);
}

function repeatedDueAtMs(timing: Timing, { expiresAtMs, obtainedAtMs }: TokenSet, nowMs: number): number {
  return Math.round(nowMs + Math.max((expiresAtMs - nowMs) / 2, spacingMs(timing, expiresAtMs - obtainedAtMs)));
}

/** @returns the item as the commit left it, so that nobody has to read it back */
function storedItem({ generation, before }: Lease, request: CommitRequest): TokenSetItem {
  const { attempt, sealed, obtainedAtMs, expiresAtMs, refreshExpiresAtMs, secretVersion, lifeMs, warmUntilMs, due } = request;
  return {
    generation: generation + 1,
    sealed,
    obtainedAtMs,
    expiresAtMs,
    refreshExpiresAtMs,
    secretVersion,
    lifeMs,
    committedBy: attempt,
    warmUntilMs: warmUntilMs ?? before?.warmUntilMs,
    dueShard: due?.shard,
    dueAtMs: due?.atMs,
    dueGroup: due?.group,
  };
}
