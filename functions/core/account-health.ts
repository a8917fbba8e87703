import type { AccountFailure, AccountItem } from './account.ts';
import { isVoid } from './judge.ts';
import { keyOf, type SetFailure, type TokenSetItem, type TokenSetKey } from './token-set.ts';

/** How an account is. Derived from its items each time, never stored. */
export type AccountState =
  | 'well'
  /** the provider failed lately and is left alone until `nextTryAtMs` */
  | 'backing_off'
  /** the provider refused the credentials; log-ins are probes at `nextTryAtMs`, or wait for a new secret */
  | 'refused'
  /** a person must consent anew at the provider */
  | 'needs_consent'
  /** the secret does not fit its provider's schema, its host may not be called, or the provider refuses what is asked with it */
  | 'misconfigured'
  /** the secret is missing or marked for deletion */
  | 'gone';

/** How a token set is. */
export type TokenSetState =
  | 'living'
  | 'expired'
  /** nothing is stored: never obtained, or revoked */
  | 'empty';

/** The rule that a secret breaks whose host may not be called, for logs and for callers who may inspect. */
export const hostRule = { field: 'host', rule: 'must be a public one behind https, or an origin that this deployment may call' } as const;

/** A token set as it is stored, with the hash of its parameters. */
export type StoredSet = Pick<TokenSetKey, 'sort'> & { item: TokenSetItem };

/** How an account is, why, and until when. */
export interface AccountHealth {
  state: AccountState;
  /** the later of the times before which nothing is tried, ms since the epoch; undefined: nothing holds a try up */
  nextTryAtMs: number | undefined;
  /** the last failure of the account, or of a token set by which all of it suffers */
  failure: AccountFailure | undefined;
}

/**
 * @param account as stored
 * @param sets every token set of the account
 * @param nowMs our clock, ms since the epoch
 * @returns the state that an operator acts on first: what needs a person comes before what heals by itself
 */
export function accountHealth(account: AccountItem, sets: readonly StoredSet[], nowMs: number): AccountHealth {
  const failed = failureOfAll(account, sets, nowMs);
  const state = accountState(account, sets, nowMs, failed !== undefined);
  const isOfSet = state === 'misconfigured' && account.failure?.code !== 'misconfigured' && failed !== undefined;
  const later = Math.max(account.notBeforeMs ?? 0, account.nextLoginAtMs ?? 0, (isOfSet && failed.notBeforeMs) || 0);
  return {
    state,
    nextTryAtMs: later > nowMs ? later : undefined,
    failure: isOfSet ? asOfAccount(failed) : account.failure,
  };
}

function accountState(account: AccountItem, sets: readonly StoredSet[], nowMs: number, allFail: boolean): AccountState {
  if (account.secretVersion === '') return 'gone';
  if (account.failure?.code === 'misconfigured') return 'misconfigured';
  if (account.clientRefused || account.refused > 0) return 'refused';
  if (sets.some(({ item: { failure } }) => failure?.code === 'needs_consent' && !isVoid(failure, account))) return 'needs_consent';
  if (allFail) return 'misconfigured';
  return account.notBeforeMs !== undefined && nowMs < account.notBeforeMs ? 'backing_off' : 'well';
}

/** A host that may not be called is every set's; what the provider refuses is the account's only where its own token suffers, or all. */
function failureOfAll(account: AccountItem, sets: readonly StoredSet[], nowMs: number): SetFailure | undefined {
  const own = keyOf(account.ref, {}).sort;
  const noneLives = sets.every(({ item }) => tokenSetState(item, nowMs) !== 'living');
  const failed = sets.filter(({ item: { failure } }) => failure !== undefined && !isVoid(failure, account));
  return (
    failed.find(({ item: { failure } }) => failure?.code === 'misconfigured') ??
    failed.find(({ sort, item: { failure } }) => failure?.code === 'configuration' && (sort === own || noneLives))
  )?.item.failure;
}

function asOfAccount({ code, atMs, providerError }: SetFailure): AccountFailure {
  return { code: 'misconfigured', atMs, providerError, ...(code === 'misconfigured' ? hostRule : {}) };
}

/** @returns the state of one token set */
export function tokenSetState({ sealed, expiresAtMs }: TokenSetItem, nowMs: number): TokenSetState {
  if (sealed === undefined || expiresAtMs === undefined) return 'empty';
  return expiresAtMs > nowMs ? 'living' : 'expired';
}
