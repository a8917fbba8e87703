import type { AccountItem } from './account.ts';
import { isVoid } from './judge.ts';
import type { TokenSetItem } from './token-set.ts';

/** How an account is. Derived from its items each time, never stored. */
export type AccountState =
  | 'well'
  /** the provider failed lately and is left alone until `nextTryAtMs` */
  | 'backing_off'
  /** the provider refused the credentials; log-ins are probes at `nextTryAtMs`, or wait for a new secret */
  | 'refused'
  /** a person must consent anew at the provider */
  | 'needs_consent'
  /** the secret does not fit its provider's schema */
  | 'misconfigured'
  /** the secret is missing or marked for deletion */
  | 'gone';

/** How a token set is. */
export type TokenSetState =
  | 'living'
  | 'expired'
  /** nothing is stored: never obtained, or revoked */
  | 'empty';

/**
 * @param account as stored
 * @param sets every token set of the account
 * @param nowMs our clock, ms since the epoch
 * @returns the state that an operator acts on first: what needs a person comes before what heals by itself
 */
export function accountState(account: AccountItem, sets: readonly TokenSetItem[], nowMs: number): AccountState {
  if (account.secretVersion === '') return 'gone';
  if (account.failure?.code === 'misconfigured') return 'misconfigured';
  if (account.clientRefused || account.refused > 0) return 'refused';
  if (sets.some(({ failure }) => failure?.code === 'needs_consent' && !isVoid(failure, account))) return 'needs_consent';
  return account.notBeforeMs !== undefined && nowMs < account.notBeforeMs ? 'backing_off' : 'well';
}

/** @returns the later of the times before which nothing is tried; undefined: nothing holds a try up */
export function nextTryAtMs({ notBeforeMs, nextLoginAtMs }: AccountItem, nowMs: number): number | undefined {
  const later = Math.max(notBeforeMs ?? 0, nextLoginAtMs ?? 0);
  return later > nowMs ? later : undefined;
}

/** @returns the state of one token set */
export function tokenSetState({ sealed, expiresAtMs }: TokenSetItem, nowMs: number): TokenSetState {
  if (sealed === undefined || expiresAtMs === undefined) return 'empty';
  return expiresAtMs > nowMs ? 'living' : 'expired';
}
