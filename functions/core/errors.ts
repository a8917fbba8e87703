/**
 * Everything that can go wrong on the way to a token, by the name that the caller reads in the problem's `code` member.
 * Adding one does not compile until `handlers/problem.ts` maps it to a status and a public text.
 */
export type ErrorCode =
  /** a field of the request breaks a rule; `field` and `rule` say which */
  | 'bad_request'
  /** no route of that method and path */
  | 'not_found'
  /** the caller has no grant for this, or there is no such account: one answer for both */
  | 'no_grant'
  /** a person must consent anew at the provider */
  | 'needs_consent'
  /** the account holds its highest number of living token sets */
  | 'too_many_token_sets'
  /** the token set was renewed a moment ago and may not be renewed again yet */
  | 'too_soon'
  /** the provider refused the credentials, the scope or the client */
  | 'provider_refused'
  /** the provider answered with something that is no token answer */
  | 'provider_unreadable'
  /** the provider failed lately and is left alone until `retryAtMs` */
  | 'backing_off'
  /** somebody is renewing this token set and did not finish in time */
  | 'renewing'
  /** the account's secret does not fit its provider's schema, or its host may not be called */
  | 'account_misconfigured'
  /** DynamoDB did not answer */
  | 'store_unavailable'
  /** Secrets Manager did not answer */
  | 'secrets_unavailable'
  /** KMS did not answer, or the key is disabled */
  | 'keys_unavailable'
  /** the grants could not be read */
  | 'grants_unavailable'
  /** the renewing function could not be invoked */
  | 'renewals_unavailable'
  /** the provider, or the renewal, took longer than this request may wait */
  | 'too_slow'
  /** a mistake of this service */
  | 'internal';

/** What a problem may say besides its code. All of it is public: no secret, no token, no body of a provider. */
export interface ErrorDetails {
  /** name of the request's field that breaks a rule, as it stands on the wire */
  field?: string;
  /** the rule that it breaks, as a sentence's end: "must be …" */
  rule?: string;
  /** highest `min_ttl` that would be accepted, seconds */
  maximumSeconds?: number;
  /** when it makes sense to ask again, ms since the epoch */
  retryAtMs?: number;
  /** the provider's own error code (never its text or body) */
  providerError?: string;
}

/**
 * The one error class. Mistakes and outages are thrown as this; expected refusals are values (see `Refusal` in `judge.ts`)
 * and become one of these at the HTTP edge only. Evidence goes into `cause` and stays in logs.
 */
export class TokenVendingError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  /**
   * @param code what went wrong
   * @param details what the problem body may say
   * @param cause evidence for the log; must not carry secrets
   */
  constructor(code: ErrorCode, details: ErrorDetails = {}, cause?: unknown) {
    super(code, cause === undefined ? undefined : { cause });
    this.name = 'TokenVendingError';
    this.code = code;
    this.details = details;
  }
}
