import type { Traits } from './provider.ts';
import type { Timing } from './timing.ts';
import type { TokenSet, TokenSetItem } from './token-set.ts';

/** What the holder of a lease sends. */
export type Call = 'refresh' | 'login' | 'needs_consent';

/** The facts that decide it. */
export interface CallFacts {
  item: TokenSetItem | undefined;
  /** the stored set, where it is of the account's identity */
  tokenSet: TokenSet | undefined;
  /** unresolved sends before this attempt (0: not in doubt) and the time of the first */
  doubtCount: number;
  doubtSinceMs: number | undefined;
  /** version of the secret that would be sent */
  secretVersion: string;
  nowMs: number;
  traits: Traits;
  timing: Timing;
}

/**
 * Refresh or log-in (step 4). In doubt, a refresh token is sent again only where a second send does no harm.
 *
 * @see docs/protocol/refresh-protocol.md, "Steps"
 */
export function chooseCall(facts: CallFacts): Call {
  const { item, tokenSet, doubtCount, traits } = facts;
  const refreshable = tokenSet !== undefined && hasRefreshToken(facts) && !item?.refreshRefused && !refreshIsOver(facts);
  if (traits.loginNeedsPerson) return refreshable && (doubtCount <= 1 || mayResend(facts)) ? 'refresh' : 'needs_consent';
  if (!refreshable || item?.secretVersion !== facts.secretVersion) return 'login';
  return doubtCount === 0 || mayResend(facts) ? 'refresh' : 'login';
}

/**
 * @param given what was read; its `item` as it stood before this attempt acquired it, or its own doubt would count
 * @returns the facts of a call
 */
export function callFactsOf({
  restoreEpochMs,
  ...given
}: Omit<CallFacts, 'doubtCount' | 'doubtSinceMs'> & { restoreEpochMs: number | undefined }): CallFacts {
  const doubt = doubtOf(given.item, restoreEpochMs);
  return { ...given, doubtCount: doubt.count, doubtSinceMs: doubt.sinceMs };
}

/**
 * @param restoreEpochMs sets obtained before it are of a restored table, ms since the epoch
 * @returns the doubt on an item; a set obtained before a restore of the table counts as sent once more, at its own time
 */
export function doubtOf(
  item: TokenSetItem | undefined,
  restoreEpochMs: number | undefined,
): { count: number; sinceMs: number | undefined } {
  const restored = restoreEpochMs !== undefined && item?.obtainedAtMs !== undefined && item.obtainedAtMs < restoreEpochMs;
  const count = item?.doubt?.count ?? 0;
  return restored ? { count: count + 1, sinceMs: item.obtainedAtMs } : { count, sinceMs: item?.doubt?.sinceMs };
}

function hasRefreshToken({ tokenSet, traits }: CallFacts): boolean {
  if (traits.refreshWith === 'none') return false;
  return traits.refreshWith === 'access_token' || tokenSet?.refreshToken !== undefined;
}

function refreshIsOver({ tokenSet, nowMs }: CallFacts): boolean {
  return tokenSet?.refreshExpiresAtMs !== undefined && tokenSet.refreshExpiresAtMs <= nowMs;
}

function mayResend({ traits, doubtSinceMs, nowMs, timing }: CallFacts): boolean {
  const { rotation } = traits;
  if (rotation.kind === 'none') return true;
  if (rotation.kind === 'strict' || doubtSinceMs === undefined) return false;
  return nowMs < doubtSinceMs + rotation.ms - timing.providerBudgetMs - timing.skewMs;
}
