import { createHash } from 'node:crypto';
import type { AccountFailure, AccountItem } from './account.ts';
import type { Clock, TokenStore } from './ports.ts';
import type { CommonCredentials, Provider } from './provider.ts';
import { backOffMs, type Timing } from './timing.ts';
import type { AccountRef } from './token-set.ts';

/**
 * @returns the fingerprint of base URL, user and client id: a token set of another identity is not vended, and its refresh token
 *   goes to nobody
 */
export function identityOf(provider: Provider, credentials: CommonCredentials): string {
  const members = [provider.id, credentials.base_url ?? '', ...provider.identity(credentials)];
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url').slice(0, 16);
}

/** A secret as it is taken in: its version, and what it says of the account. */
export interface SecretFacts {
  version: string;
  /** '' where the secret is missing or does not fit its schema */
  identity: string;
  keep: boolean;
  failure?: AccountFailure | undefined;
}

/**
 * The account item under a newly read secret: counts start anew. A provider's back-off survives where the host is the same one.
 *
 * @param account as read strongly; undefined: seen for the first time
 */
export function withSecret(ref: AccountRef, account: AccountItem | undefined, secret: SecretFacts): AccountItem {
  // A secret that does not fit says nothing of whose token sets these are nor of keeping them, so both stay until one does.
  const { identity, keep } = secret.failure && account ? account : secret;
  return {
    ref,
    revision: (account?.revision ?? 0) + 1,
    secretVersion: secret.version,
    identity,
    proven: false,
    refused: 0,
    unanswered: {},
    nextLoginAtMs: undefined,
    notBeforeMs: account?.identity === identity ? account.notBeforeMs : undefined,
    outages: account?.identity === identity ? account.outages : 0,
    clientRefused: false,
    keep,
    failure: secret.failure,
  };
}

/** A transient failure. Times in ms since the epoch. */
export interface Trouble {
  nowMs: number;
  /** when the failed call began */
  sinceMs: number;
  retryAtMs: number | undefined;
  providerError: string | undefined;
  /** random, 0 up to 1 */
  fraction: number;
}

/**
 * The account item after a transient failure: back-off, or what the provider's `Retry-After` says. Never moves it earlier. Calls
 * that were under way together fail together: they are one outage, and only the first of them doubles the back-off.
 */
export function withBackOff(account: AccountItem, trouble: Trouble, timing: Timing): AccountItem {
  const known = account.failure?.code === 'backing_off' && account.failure.atMs >= trouble.sinceMs;
  const outages = known ? account.outages : account.outages + 1;
  const notBeforeMs = trouble.retryAtMs ?? trouble.nowMs + Math.round(backOffMs(timing, outages, trouble.fraction));
  return {
    ...account,
    revision: account.revision + 1,
    outages,
    notBeforeMs: Math.max(notBeforeMs, account.notBeforeMs ?? 0),
    failure: { code: 'backing_off', atMs: trouble.nowMs, providerError: trouble.providerError },
  };
}

/** The account item after a success. A back-off that was written meanwhile, by a later failure, stays. */
export function withSuccess(account: AccountItem, nowMs: number): AccountItem {
  const stays = account.notBeforeMs !== undefined && nowMs < account.notBeforeMs;
  if (stays) return { ...account, revision: account.revision + 1, clientRefused: false };
  return { ...account, revision: account.revision + 1, notBeforeMs: undefined, outages: 0, clientRefused: false, failure: undefined };
}

/** @returns whether {@link withSuccess} would change anything */
export function hasTrouble(account: AccountItem): boolean {
  return account.notBeforeMs !== undefined || account.outages > 0 || account.clientRefused || account.failure !== undefined;
}

/**
 * The account item after an operator's reset. Log-ins under way stay on it: an entry that is gone would tell its holder that the
 * answer has been taken in, and a refusal would not be counted.
 */
export function withReset(account: AccountItem, nowMs: number, timing: Timing): AccountItem {
  return {
    ...account,
    revision: account.revision + 1,
    refused: 0,
    unanswered: underWay(account, nowMs, timing),
    nextLoginAtMs: undefined,
    notBeforeMs: undefined,
    outages: 0,
    clientRefused: false,
    failure: undefined,
  };
}

/** @returns the log-ins that may still be answered */
export function underWay({ unanswered }: AccountItem, nowMs: number, { renewalDeadlineMs }: Timing): AccountItem['unanswered'] {
  return Object.fromEntries(Object.entries(unanswered).filter(([, sentAtMs]) => nowMs - sentAtMs < renewalDeadlineMs));
}

/**
 * Compare-and-set: reads strongly, decides in plain code, writes on the revision just read; who loses reads again and decides anew.
 *
 * @param decide the new item, or undefined: nothing (more) to write
 * @param first the item as just read, to save the first read
 * @returns the item that stands there now
 * @throws store_unavailable past `deadlineMs`; until then reads and writes are tried again
 */
export async function updateAccount(
  { store, clock }: { store: TokenStore; clock: Clock },
  ref: AccountRef,
  deadlineMs: number,
  decide: (account: AccountItem | undefined) => AccountItem | undefined,
  first?: AccountItem,
): Promise<AccountItem | undefined> {
  let account = first;
  let isRead = first !== undefined;
  for (;;) {
    try {
      if (!isRead) account = await store.readAccount(ref);
      isRead = false;
      const next = decide(account);
      if (!next || (await store.writeAccount(next))) return next ?? account;
    } catch (error) {
      if (clock.nowMs() >= deadlineMs) throw error;
      await clock.sleep(50);
    }
  }
}
