import type { AccountRef } from './token-set.ts';

/** How the account as a whole failed last. `field` and `rule` are for logs and for callers who may inspect. */
export interface AccountFailure {
  code: 'backing_off' | 'credentials_refused' | 'client_refused' | 'misconfigured';
  atMs: number;
  providerError?: string | undefined;
  field?: string | undefined;
  rule?: string | undefined;
}

/** An account as it is stored; accounts lock as a whole, so log-ins are counted here. Never expires. */
export interface AccountItem {
  ref: AccountRef;
  /** +1 by every write; every write is a compare-and-set on the revision just read strongly */
  revision: number;
  /** the secret's version as last read */
  secretVersion: string;
  /** fingerprint of base URL, user and client id under that version */
  identity: string;
  /** a log-in succeeded under this version */
  proven: boolean;
  /** log-ins refused under this version */
  refused: number;
  /** log-ins without an answer: attempt id → time sent, ms since the epoch */
  unanswered: Readonly<Record<string, number>>;
  /** the next probe after refusals, ms since the epoch */
  nextLoginAtMs?: number | undefined;
  /** back-off and `Retry-After`, ms since the epoch */
  notBeforeMs?: number | undefined;
  /** transient failures in a row; sets the length of the next back-off */
  outages: number;
  /** the client id or secret was refused under this version: refreshes are blocked as well */
  clientRefused: boolean;
  /** the secret says `keep: always` */
  keep: boolean;
  failure?: AccountFailure | undefined;
}
