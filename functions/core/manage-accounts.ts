import { accountHealth, tokenSetState } from './account-health.ts';
import type { AccountState, StoredSet, TokenSetState } from './account-health.ts';
import type { AccountFailure, AccountItem } from './account.ts';
import { TokenVendingError } from './errors.ts';
import type { Clock, Renewals, TokenStore } from './ports.ts';
import type { Provider } from './provider.ts';
import type { Outcome, Refusal, RenewCommand } from './renewal.ts';
import type { Timing } from './timing.ts';
import { partitionOf } from './token-set.ts';
import type { AccountRef, SetFailure, TokenParameters } from './token-set.ts';

/** What an operator sees of a token set: clocks and last failure, no token. Times in ms since the epoch. */
export interface TokenSetView {
  /** hash of its parameters, as in the sort key */
  set: string;
  state: TokenSetState;
  generation: number;
  obtainedAtMs: number | undefined;
  expiresAtMs: number | undefined;
  refreshExpiresAtMs: number | undefined;
  /** when the schedule renews it; absent: on demand only */
  dueAtMs: number | undefined;
  warmUntilMs: number | undefined;
  /** somebody is renewing it now */
  renewing: boolean;
  failure: SetFailure | undefined;
}

/** What an operator sees of an account: no credential. */
export interface AccountView {
  ref: AccountRef;
  state: AccountState;
  secretVersion: string;
  /** a log-in succeeded under this version of the secret */
  proven: boolean;
  /** log-ins refused under this version */
  refusedLogins: number;
  nextTryAtMs: number | undefined;
  failure: AccountFailure | undefined;
  tokenSets: readonly TokenSetView[];
}

/** Some accounts in the order of their names. */
export interface AccountPage {
  accounts: readonly AccountView[];
  /** the account to go on after; undefined: there are no more */
  next: AccountRef | undefined;
}

/** Whether something was done, or why not. */
export type ManageOutcome =
  | { kind: 'done'; revokedAtProvider: boolean | undefined }
  | { kind: 'refused'; refusal: Refusal }
  | { kind: 'renewing'; retryAtMs: number };

/** What an operator does with accounts. */
export interface ManageAccounts {
  /**
   * One page of the accounts that were ever asked for.
   *
   * @param allows whether the caller may see the account of a partition; asked before it is read
   * @param after where the page before this one ended
   */
  list(allows: (partition: string) => boolean, after?: AccountRef): Promise<AccountPage>;
  /** @returns undefined where the account was never asked for */
  show(ref: AccountRef): Promise<AccountView | undefined>;
  /** Revokes at the provider where it can, forgets the token set always. */
  revoke(ref: AccountRef, parameters: TokenParameters): Promise<ManageOutcome>;
  /** Clears back-off and refusals of the account, and with parameters the failure of that token set. */
  reset(ref: AccountRef, parameters?: TokenParameters): Promise<ManageOutcome>;
}

interface Deps {
  store: TokenStore;
  renewals: Renewals;
  clock: Clock;
  timing: Timing;
  providers: ReadonlyMap<string, Provider>;
}

/** Two reads each: enough to list hundreds within a request, and gentle with a table on demand. */
const READ_TOGETHER = 10;
/** A page ends with either, so that its answer stays well under the 6 MB that a Lambda function may answer. */
const PAGE_ACCOUNTS = 100;
const PAGE_TOKEN_SETS = 2_000;

/** @returns the operator's use cases; provider calls are left to the renewing function */
export function createManageAccounts(deps: Deps): ManageAccounts {
  const { store, clock } = deps;

  async function show(ref: AccountRef): Promise<AccountView | undefined> {
    const account = await store.readAccount(ref);
    return account && viewOf(account, await tokenSetsOf(store, ref), clock.nowMs());
  }

  return {
    show,
    async list(allows, after) {
      const accounts: AccountView[] = [];
      let tokenSets = 0;
      for await (const refs of allowedRefs(deps, allows, after)) {
        const views = (await Promise.all(refs.map(show))).filter((view) => view !== undefined);
        accounts.push(...views);
        tokenSets += views.reduce((sum, view) => sum + view.tokenSets.length, 0);
        if (accounts.length >= PAGE_ACCOUNTS || tokenSets >= PAGE_TOKEN_SETS) return { accounts, next: refs.at(-1) };
      }
      return { accounts, next: undefined };
    },
    revoke: (ref, parameters) => command(deps, { command: 'revoke', ref, parameters }),
    reset: (ref, parameters) => command(deps, parameters === undefined ? { command: 'reset', ref } : { command: 'reset', ref, parameters }),
  };
}

async function command({ renewals, timing }: Deps, renewCommand: RenewCommand): Promise<ManageOutcome> {
  const outcome: Outcome = await renewals.invoke(renewCommand, timing.vendDeadlineMs);
  if (outcome.outcome === 'done') return { kind: 'done', revokedAtProvider: outcome.revokedAtProvider };
  if (outcome.outcome === 'refused') return { kind: 'refused', refusal: outcome.refusal };
  if (outcome.outcome === 'wait') return { kind: 'renewing', retryAtMs: outcome.retryAtMs };
  throw new TokenVendingError('internal', {}, `${renewCommand.command} answered ${outcome.outcome}`);
}

/** @returns the accounts that may be seen, in the order of their names, as many at a time as are read together */
async function* allowedRefs({ store, providers }: Deps, allows: (partition: string) => boolean, after: AccountRef | undefined) {
  const ids = [...providers.keys()].filter((id) => after === undefined || id >= after.provider).toSorted();
  for (const id of ids) {
    for await (const page of store.listAccounts(id, id === after?.provider ? after.account : undefined)) {
      const allowed = page.filter((ref) => allows(partitionOf(ref)));
      for (let start = 0; start < allowed.length; start += READ_TOGETHER) yield allowed.slice(start, start + READ_TOGETHER);
    }
  }
}

async function tokenSetsOf(store: TokenStore, ref: AccountRef): Promise<readonly StoredSet[]> {
  const sets: StoredSet[] = [];
  for await (const page of store.listTokenSets(ref)) sets.push(...page.map(({ key, item }) => ({ sort: key.sort, item })));
  return sets;
}

function viewOf(account: AccountItem, sets: readonly StoredSet[], nowMs: number): AccountView {
  return {
    ...accountHealth(account, sets, nowMs),
    ref: account.ref,
    secretVersion: account.secretVersion,
    proven: account.proven,
    refusedLogins: account.refused,
    tokenSets: sets.map(({ sort, item }) => ({
      set: sort,
      state: tokenSetState(item, nowMs),
      generation: item.generation,
      obtainedAtMs: item.obtainedAtMs,
      expiresAtMs: item.expiresAtMs,
      refreshExpiresAtMs: item.refreshExpiresAtMs,
      dueAtMs: item.dueAtMs,
      warmUntilMs: item.warmUntilMs,
      renewing: item.lease !== undefined && nowMs <= item.lease.untilMs,
      failure: item.failure,
    })),
  };
}
