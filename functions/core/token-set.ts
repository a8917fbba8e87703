import { createHash } from 'node:crypto';
import type { Secret } from './secret.ts';

/** A set of credentials at one provider. It exists when the secret `{prefix}/{provider}/{account}` exists. */
export interface AccountRef {
  provider: string;
  account: string;
}

/** What narrows a token inside an account (a profile, a VideoManager, a scope). Empty: the account's own token. */
export type TokenParameters = Readonly<Record<string, string | number | boolean>>;

/** Where a token set is stored. `partition` is `provider/account`, `sort` is `set#` and the hash of every parameter. */
export interface TokenSetKey {
  partition: string;
  sort: string;
}

/** Facts of a provider that are no secret and go into the vend answer (user id, profile id, VideoManager, …). */
export type Facts = Readonly<Record<string, unknown>>;

/** An opened token set: what the provider gave, with its clocks. */
export interface TokenSet {
  accessToken: Secret;
  refreshToken?: Secret | undefined;
  /** space-delimited, RFC 6749 section 3.3; absent where unknown */
  scope?: string | undefined;
  facts: Facts;
  /** the parameters that the token was asked with; a queue message carries only their hash */
  parameters: TokenParameters;
  /** origin of the endpoint that issued it; its refresh token goes nowhere else */
  origin: string;
  /** fingerprint of the account's base URL, user and client id at the time */
  identity: string;
  /** a refresh ends the access token, or nobody knows: kept out of memory caches, renewed shortly before the end */
  refreshEndsOldToken: boolean;
  /** moment the request was sent, ms since the epoch */
  obtainedAtMs: number;
  /** ms since the epoch, by our clock */
  expiresAtMs: number;
  /** ms since the epoch; absent: unknown (never "over") */
  refreshExpiresAtMs?: number | undefined;
}

/** The lease of who is renewing a token set now. */
export interface Lease {
  /** random attempt id */
  by: string;
  /** by the acquirer's clock, ms since the epoch */
  untilMs: number;
}

/** Write-ahead intent: this generation's refresh token may have been spent by a call of unknown outcome. */
export interface Doubt {
  /** time of the first unresolved send, ms since the epoch */
  sinceMs: number;
  /** how many sends are unresolved */
  count: number;
}

/** Why this parameter set alone cannot be renewed. An account's own troubles stand on the account item. */
export interface SetFailure {
  code: 'configuration' | 'misconfigured' | 'needs_consent';
  atMs: number;
  /** next try, ms since the epoch; absent: a person must act first */
  notBeforeMs?: number | undefined;
  /** the provider's own error code */
  providerError?: string | undefined;
  /** version of the secret under which it happened; a newer version makes the failure void */
  secretVersion?: string | undefined;
}

/** Where a set stands in the due index. */
export interface Due {
  shard: number;
  /** ms since the epoch */
  atMs: number;
  /** tag of the origin that the set is renewed at: {@link groupOf} */
  group: string;
}

/** A token set as it is stored. Everything but `generation` may be absent on a new or revoked item. */
export interface TokenSetItem {
  /** +1 per commit and per revoke; the fence. A new item starts at its acquirer's clock in ms */
  generation: number;
  /** the encrypted token set; absent before the first commit and after a revoke */
  sealed?: Uint8Array | undefined;
  /** the three clocks are part of the sealed value's authenticated data, ms since the epoch */
  obtainedAtMs?: number | undefined;
  expiresAtMs?: number | undefined;
  refreshExpiresAtMs?: number | undefined;
  /** version of the secret that the token set came from */
  secretVersion?: string | undefined;
  /** longest life since the last log-in, ms */
  lifeMs?: number | undefined;
  /** the refresh token of this generation was refused */
  refreshRefused?: boolean | undefined;
  lease?: Lease | undefined;
  doubt?: Doubt | undefined;
  /** attempt id of the last commit or revoke */
  committedBy?: string | undefined;
  failure?: SetFailure | undefined;
  /** renewed by the schedule until then, ms since the epoch */
  warmUntilMs?: number | undefined;
  /** partition of the due index; present together with `dueAtMs` */
  dueShard?: number | undefined;
  /** when the schedule should renew it, ms since the epoch */
  dueAtMs?: number | undefined;
  /** tag of the origin, beside the other two; absent where an older version wrote them */
  dueGroup?: string | undefined;
}

/** @returns `provider/account`, the partition of all items of an account */
export function partitionOf(ref: AccountRef): string {
  return `${ref.provider}/${ref.account}`;
}

/** @returns the account that a partition belongs to */
export function accountOf(partition: string): AccountRef {
  const slash = partition.indexOf('/');
  return { provider: partition.slice(0, slash), account: partition.slice(slash + 1) };
}

/**
 * The key of a token set. Every parameter takes part: a key without one would hand a caller another's token.
 *
 * @param ref the account
 * @param parameters every parameter that changes the token
 * @returns the key; equal parameters give equal keys whatever their order
 */
export function keyOf(ref: AccountRef, parameters: TokenParameters): TokenSetKey {
  const sorted = Object.keys(parameters)
    .toSorted()
    .map((name) => [name, parameters[name]]);
  // 192 bits of it: nobody finds two sets of parameters that meet there, and every item and index entry is 11 bytes smaller.
  const hash = createHash('sha256').update(JSON.stringify(sorted)).digest('base64url').slice(0, 32);
  return { partition: partitionOf(ref), sort: `set#${hash}` };
}

/**
 * A tag that names an origin to who may not open the token set. Two origins that meet in one tag only share their turn in the queue,
 * so 36 bits are enough.
 *
 * @param origin of the endpoint that issued the token set
 * @returns 6 characters base64url
 */
export function groupOf(origin: string): string {
  return createHash('sha256').update(origin).digest('base64url').slice(0, 6);
}

/** @returns SHA-256 of the token, base64url: names a token without being one */
export function fingerprintOf(token: Secret): string {
  return token.fingerprint();
}
