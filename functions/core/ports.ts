import type { AccountItem } from './account.ts';
import type { Grant } from './grants.ts';
import type { Outcome, RenewCommand } from './renewal.ts';
import type { ProviderAnswer, ProviderRequest, TransportFailure } from './provider.ts';
import type { AccountRef, Due, SetFailure, TokenSetItem, TokenSetKey } from './token-set.ts';

/** Time, injected. */
export interface Clock {
  /** @returns ms since the epoch */
  nowMs(): number;
  /** @param ms how long; resolves after it */
  sleep(ms: number): Promise<void>;
}

/** Randomness, injected. */
export interface Randomness {
  /** @returns a number from 0 up to, not including, 1 */
  fraction(): number;
  /** @returns a new attempt id: 96 random bits as 16 characters base64url */
  attemptId(): string;
}

/** Both items of a vend, as one read gave them. */
export interface StoredPair {
  account?: AccountItem | undefined;
  tokenSet?: TokenSetItem | undefined;
}

/** What an acquire asks for. */
export interface AcquireRequest {
  /** generation that was judged; undefined: judged absent */
  judged: number | undefined;
  attempt: string;
  nowMs: number;
  leaseUntilMs: number;
  /** a lease counts as lapsed only this long after its end, ms */
  skewMs: number;
  /** false for a revocation, which a failure's `not_before` does not hold up */
  respectNotBefore: boolean;
}

/** A new token set for a commit. */
export interface CommitRequest {
  attempt: string;
  sealed: Uint8Array;
  obtainedAtMs: number;
  expiresAtMs: number;
  refreshExpiresAtMs: number | undefined;
  secretVersion: string;
  lifeMs: number;
  /** new warm time; undefined leaves the stored one */
  warmUntilMs: number | undefined;
  /** due keys; undefined removes them */
  due: Due | undefined;
  /** true: a person's consent would be lost with the item, so no TTL deletes it */
  persists?: boolean | undefined;
}

/** How a lease is given back after a failure. */
export interface ReleaseRequest {
  /** `keep`: the call's outcome is unknown. Otherwise the values before the acquire */
  doubt: 'keep' | { sinceMs: number; count: number } | undefined;
  failure?: SetFailure | undefined;
  /** `keep` leaves the due keys, a time moves them, `remove` takes the set out of the index */
  due: 'keep' | 'remove' | { atMs: number };
  /** also forgets the tokens, as `forget` does but for `failure`: their session was ended */
  forget?: boolean | undefined;
}

/** What keeps a token set warm. */
export interface WarmMark {
  warmUntilMs: number;
  /** due keys; undefined leaves the stored ones */
  due: Due | undefined;
}

/** One entry of the due index. */
export interface DueEntry {
  key: TokenSetKey;
  dueAtMs: number;
  /** the origin's tag; absent: the due keys are older than the tag */
  group?: string | undefined;
}

/**
 * Token sets, accounts and data keys. Every method is one request to the table (a query may page). Conditional writes
 * answer false where the condition does not hold and are safe to repeat: who loses a reply reads again strongly.
 * Throws `store_unavailable` where the table does not answer in time; then the write may or may not have happened.
 */
export interface TokenStore {
  /** One eventually consistent read of both items; may be older than the last write. */
  peek(key: TokenSetKey): Promise<StoredPair>;
  /** Strongly consistent. */
  readAccount(ref: AccountRef): Promise<AccountItem | undefined>;
  /** Strongly consistent. */
  readTokenSet(key: TokenSetKey): Promise<TokenSetItem | undefined>;
  /**
   * Writes the item whole, with `item.revision`, on condition that `item.revision - 1` stands there (1: no item).
   * @returns false where another revision stands there
   */
  writeAccount(item: AccountItem): Promise<boolean>;
  /**
   * Takes the lease and notes the intent: sets `lease`, `doubt.sinceMs` if absent, `doubt.count` + 1. Condition: the item is
   * absent, or has the judged generation and (if asked) its failure's `notBeforeMs` is past or absent; and there is no lease or
   * it ended more than `skewMs` before `nowMs`. A new item gets `nowMs` as generation and a TTL of 7 days.
   *
   * @returns the values before (undefined: there was no item) and the generation acquired under; or `undefined`: refused
   */
  acquire(key: TokenSetKey, request: AcquireRequest): Promise<{ before: TokenSetItem | undefined; generation: number } | undefined>;
  /**
   * Stores a new token set as `generation` + 1 on condition that the item exists with `generation`; whether the lease is still
   * held does not matter (a slow holder that spent the refresh token holds its only successor). Clears lease, doubt, failure and
   * `refreshRefused`; sets the TTL to the later of both expiries + 7 days, or to none where the set `persists`.
   */
  commit(key: TokenSetKey, generation: number, request: CommitRequest): Promise<boolean>;
  /** Gives the lease back on condition that it is `attempt`'s and the generation is unchanged. */
  release(key: TokenSetKey, generation: number, attempt: string, request: ReleaseRequest): Promise<boolean>;
  /** Notes that this generation's refresh token was refused; keeps the lease. Condition as for {@link release}. */
  refuseRefreshToken(key: TokenSetKey, generation: number, attempt: string): Promise<boolean>;
  /**
   * Forgets the token set: generation + 1 without `sealed`, clocks, failure, refusal, doubt, lease and due keys, on condition
   * that the generation is unchanged. The warm time goes too.
   */
  forget(key: TokenSetKey, generation: number, attempt: string): Promise<boolean>;
  /** Clears a failure of the token set (an operator's reset), on condition that the generation is unchanged. */
  clearFailure(key: TokenSetKey, generation: number): Promise<boolean>;
  /** Marks a token set as in use, on condition that `expiresAtMs` is the one judged. The only write of `vend-token`. */
  markWarm(key: TokenSetKey, expiresAtMs: number, warm: WarmMark): Promise<boolean>;
  /** Moves (or removes: undefined) the due keys, on condition that generation and `dueAtMs` are as read. */
  moveDue(key: TokenSetKey, generation: number, dueAtMs: number, newDueAtMs: number | undefined): Promise<boolean>;
  /** What is due in a shard up to and including `untilMs`, earliest first, page by page, at most `limit` entries. */
  queryDue(shard: number, untilMs: number, limit: number): AsyncIterable<readonly DueEntry[]>;
  /**
   * Every account of a provider by name, from the listing index (eventually consistent), page by page.
   *
   * @param after only those whose name comes after this one
   */
  listAccounts(provider: string, after?: string): AsyncIterable<readonly AccountRef[]>;
  /** Every token set of an account (eventually consistent), page by page. */
  listTokenSets(ref: AccountRef): AsyncIterable<readonly { key: TokenSetKey; item: TokenSetItem }[]>;
  /** The wrapped data key of a day (days since the epoch, UTC), strongly consistent. */
  readDataKey(day: number): Promise<Uint8Array | undefined>;
  /** Stores a day's wrapped data key on condition of absence. */
  writeDataKey(day: number, wrapped: Uint8Array): Promise<boolean>;
}

/** A secret as it was read: its version (an opaque word for equality, at most 16 characters) and its parsed JSON. */
export interface ProviderSecret {
  version: string;
  /** parsed JSON; a text that is no JSON is `undefined` here */
  value: unknown;
}

/**
 * The accounts' credentials. Throws `secrets_unavailable` where Secrets Manager does not answer.
 */
export interface ProviderSecrets {
  /**
   * @param fresh true reads past the cache (which holds a secret for at most 60 s, and an absence as well)
   * @returns undefined where the secret is missing or marked for deletion
   */
  read(ref: AccountRef, fresh: boolean): Promise<ProviderSecret | undefined>;
}

/** The data keys that seal token sets, one a day. Throws `keys_unavailable` where KMS refuses or does not answer. */
export interface DataKeys {
  /** Today's key, for sealing; makes it where it does not exist yet (the renewing function only). */
  forSealing(nowMs: number): Promise<{ day: number; key: Buffer }>;
  /** The key of a day, for opening; undefined where no such day's key is stored. Memory keeps it for at most 5 minutes. */
  forOpening(day: number): Promise<Buffer | undefined>;
}

/**
 * One request to a provider: no redirects, no keep-alive, at most 100 KiB of answer, host checked against egress rules.
 * Never throws for what the network does: a failure is a value.
 */
export interface ProviderFetch {
  /** @param deadlineMs the moment when it gives up, over connect, headers and body; ms since the epoch */
  (request: ProviderRequest, deadlineMs: number): Promise<{ answer: ProviderAnswer } | { failure: TransportFailure }>;
}

/**
 * The renewing function, as others reach it. Throws `renewals_unavailable`, `too_slow` after `timeoutMs`, and the function's own
 * `store_unavailable`, `secrets_unavailable` and `keys_unavailable`.
 */
export interface Renewals {
  invoke(command: RenewCommand, timeoutMs: number): Promise<Outcome>;
}

/** The queue between dispatcher and workers. Throws where the queue does not take a message. */
export interface RenewalQueue {
  /** @param batch due token sets of one account each, to be sent with as few requests as possible */
  send(batch: readonly QueuedRenewals[]): Promise<void>;
}

/** A queue message: token sets of one account that are due. */
export interface QueuedRenewals {
  partition: string;
  /** what the queue serves fairly: the tag of the origin that these sets are renewed at, or the partition where nobody wrote one */
  group: string;
  sets: readonly { sort: string; dueAtMs: number }[];
  /** when the dispatcher sent it, ms since the epoch */
  sentAtMs: number;
  /** the queue shows it only so long after, because the provider declares a cap; older than 90 s from then on is dropped */
  delaySeconds?: number | undefined;
}

/** Grants by caller. Throws `grants_unavailable`. */
export interface Grants {
  /** @returns every grant of the caller, from memory for at most 60 s */
  of(caller: string): Promise<readonly Grant[]>;
}

/** One line for the audit log. All members are public facts: never a token, a credential or a body. */
export interface AuditEvent {
  event: 'vend' | 'revoke' | 'reset' | 'inspect' | 'renew' | 'secret_changed' | 'forget';
  outcome: 'success' | 'refusal' | 'failure';
  caller?: string | undefined;
  account?: string | undefined;
  /** hash of the parameters, as in the sort key */
  set?: string | undefined;
  generation?: number | undefined;
  /** SHA-256 of the access token, base64url */
  fingerprint?: string | undefined;
  code?: string | undefined;
  detail?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  durationMs?: number | undefined;
}

/** Where events and counts go. Must not throw and must not wait. */
export interface Telemetry {
  audit(event: AuditEvent): void;
  /** A count or a duration in embedded metric format; `dimension` is the provider or the function, nothing finer. */
  metric(name: string, value: number, unit: 'Count' | 'Milliseconds' | 'Seconds', dimension: string): void;
  /** A line for operators. `fields` are public facts; `error` is written without its secrets. */
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>, error?: unknown): void;
}
