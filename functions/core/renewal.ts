import type { AccountRef, TokenParameters, TokenSetItem, TokenSetKey } from './token-set.ts';

/** What a renewal is asked for, as it is judged. */
export type RenewRequest =
  /** a caller waits for it; `rejected` is the fingerprint of a token that the provider refused */
  | { kind: 'vend'; minTtlMs: number; rejected?: string | undefined }
  /** the schedule asks; `dueAtMs` as the dispatcher read it */
  | { kind: 'due'; dueAtMs: number };

/** A command to the renewing function: the one place that talks to providers. */
export type RenewCommand =
  /** a caller waits for a token; `rejected` is the fingerprint of one that the provider refused */
  | { command: 'renew'; ref: AccountRef; parameters: TokenParameters; minTtlMs: number; rejected?: string | undefined }
  /** the schedule asks; the parameters are read from the sealed set */
  | { command: 'renew_due'; key: TokenSetKey; dueAtMs: number }
  /** revokes at the provider where it can, forgets the token set always */
  | { command: 'revoke'; ref: AccountRef; parameters: TokenParameters }
  /** the secret has a new version or is gone: runs step 2 for the account */
  | { command: 'secret_changed'; ref: AccountRef }
  /** an operator clears back-off and refusals */
  | { command: 'reset'; ref: AccountRef; parameters?: TokenParameters | undefined }
  /** does the provider take the secret? Obtains the account's own token set through the log-in slots where none lives */
  | { command: 'check'; ref: AccountRef };

/** Why nothing was vended, and when to try again. Expected, so a value and not an exception. */
export interface Refusal {
  reason:
    | 'backing_off'
    | 'credentials_refused'
    | 'configuration'
    | 'needs_consent'
    | 'misconfigured'
    | 'unreadable'
    | 'too_soon'
    | 'too_many_token_sets'
    | 'too_slow'
    | 'no_account';
  /** when to try again, ms since the epoch; absent: a person must act first */
  retryAtMs?: number | undefined;
  /** the provider's own error code */
  providerError?: string | undefined;
  /** for `misconfigured`: which member of the secret breaks which rule; for logs and `inspect` only */
  field?: string | undefined;
  rule?: string | undefined;
}

/** What became of a command. */
export type Outcome =
  /** obtained within this very request: counts whatever `min_ttl` asked for. The item travels sealed */
  | { outcome: 'renewed'; item: TokenSetItem }
  /** nothing to do: what is stored answers the request */
  | { outcome: 'current'; item: TokenSetItem | undefined }
  /** somebody else holds the lease or the log-in slots */
  | { outcome: 'wait'; retryAtMs: number }
  | { outcome: 'refused'; refusal: Refusal }
  | { outcome: 'bad_request'; maximumSeconds: number }
  /** revoked, reset, checked, or the secret's change was taken in */
  | { outcome: 'done'; revokedAtProvider?: boolean | undefined };
