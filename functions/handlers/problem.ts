import { TokenVendingError } from '../core/errors.ts';
import type { ErrorCode, ErrorDetails } from '../core/errors.ts';
import type { Refusal } from '../core/renewal.ts';
import { respond } from './respond.ts';
import type { HttpResponse } from './respond.ts';

/** How an error looks from outside. */
export interface ProblemKind {
  status: number;
  /** the same for every occurrence, RFC 9457 section 3.1.3 */
  title: string;
  /** what the caller can do about it; a broken rule replaces it */
  detail: string;
  /** seconds, where nobody knows better; absent: asking again does not help by itself */
  retryAfterSeconds?: number;
  /** `refusal`: the service worked and said no; `failure`: it did not work, somebody should look */
  outcome: 'refusal' | 'failure';
}

const PROBLEM_TYPE = 'urn:token-vending:problem:';

/** The one table from codes to answers. */
export const problems: Readonly<Record<ErrorCode, ProblemKind>> = {
  bad_request: { status: 400, title: 'Bad request', detail: 'The request breaks a rule.', outcome: 'refusal' },
  not_found: { status: 404, title: 'Not found', detail: 'There is no such path, or not with this method.', outcome: 'refusal' },
  no_grant: {
    status: 403,
    title: 'No grant',
    detail: 'The caller has no grant for this, or there is no such account.',
    outcome: 'refusal',
  },
  needs_consent: {
    status: 409,
    title: 'Needs consent',
    detail: 'A person must give consent at the provider again.',
    outcome: 'refusal',
  },
  too_many_token_sets: {
    status: 429,
    title: 'Too many token sets',
    detail: 'The account holds as many living token sets as it may; some of them have to expire or be revoked first.',
    retryAfterSeconds: 60,
    outcome: 'refusal',
  },
  too_soon: {
    status: 429,
    title: 'Too soon',
    detail: 'The token was renewed a moment ago and may not be renewed again yet.',
    retryAfterSeconds: 10,
    outcome: 'refusal',
  },
  provider_refused: {
    status: 502,
    title: 'Provider refused',
    detail: "The provider refused the account's credentials, its client, or what was asked with them.",
    outcome: 'refusal',
  },
  provider_unreadable: {
    status: 502,
    title: 'Provider unreadable',
    detail: 'The provider answered with something that holds no token.',
    retryAfterSeconds: 30,
    outcome: 'failure',
  },
  backing_off: {
    status: 503,
    title: 'Backing off',
    detail: 'The provider failed lately and is left alone for a while.',
    retryAfterSeconds: 5,
    outcome: 'refusal',
  },
  renewing: {
    status: 503,
    title: 'Renewing',
    detail: 'The token is being renewed, and that did not finish in time.',
    retryAfterSeconds: 2,
    outcome: 'refusal',
  },
  account_misconfigured: {
    status: 503,
    title: 'Account misconfigured',
    detail: "The account's secret breaks a rule; whoever may inspect the account sees which.",
    retryAfterSeconds: 60,
    outcome: 'refusal',
  },
  store_unavailable: unavailable('The token table'),
  secrets_unavailable: unavailable("The store of the accounts' secrets"),
  keys_unavailable: unavailable('The key that seals tokens'),
  grants_unavailable: unavailable('The list of grants'),
  renewals_unavailable: unavailable('The function that renews tokens'),
  too_slow: {
    status: 504,
    title: 'Too slow',
    detail: 'The provider, or the renewal, took longer than this request may wait.',
    retryAfterSeconds: 5,
    outcome: 'failure',
  },
  internal: { status: 500, title: 'Internal error', detail: 'The service made a mistake; its logs say which.', outcome: 'failure' },
};

function unavailable(what: string): ProblemKind {
  return { status: 503, title: 'Unavailable', detail: `${what} does not answer.`, retryAfterSeconds: 5, outcome: 'failure' };
}

/** The one table from refusals to codes. */
const codeOfRefusal: Readonly<Record<Refusal['reason'], ErrorCode>> = {
  backing_off: 'backing_off',
  credentials_refused: 'provider_refused',
  configuration: 'provider_refused',
  needs_consent: 'needs_consent',
  misconfigured: 'account_misconfigured',
  unreadable: 'provider_unreadable',
  too_soon: 'too_soon',
  too_many_token_sets: 'too_many_token_sets',
  too_slow: 'too_slow',
  no_account: 'no_grant',
};

/** @returns the refusal as an error. A secret's broken field goes into the cause, which only logs show */
export function errorOfRefusal({ reason, retryAtMs, providerError, field, rule }: Refusal): TokenVendingError {
  const details: ErrorDetails = {};
  if (retryAtMs !== undefined) details.retryAtMs = retryAtMs;
  if (providerError !== undefined) details.providerError = providerError;
  return new TokenVendingError(codeOfRefusal[reason], details, field === undefined ? undefined : { field, rule });
}

/** @returns what was thrown, as one of ours; a stranger is a mistake of this service */
export function asOurs(thrown: unknown): TokenVendingError {
  return thrown instanceof TokenVendingError ? thrown : new TokenVendingError('internal', {}, thrown);
}

/**
 * @param error what to tell the caller; its cause stays here
 * @param nowMs for `Retry-After`
 * @returns the problem
 * @see https://www.rfc-editor.org/rfc/rfc9457#section-3
 */
export function problemResponse({ code, details }: TokenVendingError, nowMs: number): HttpResponse {
  const { status, title, detail, retryAfterSeconds } = problems[code];
  const sentence = details.field === undefined ? detail : `${details.field} ${details.rule ?? 'breaks a rule'}.`;
  const retryAfter = details.retryAtMs === undefined ? retryAfterSeconds : Math.max(1, Math.ceil((details.retryAtMs - nowMs) / 1000));
  const body = {
    type: `${PROBLEM_TYPE}${code}`,
    title,
    status,
    detail: sentence,
    code,
    field: details.field,
    rule: details.rule,
    maximum_seconds: details.maximumSeconds,
    provider_error: details.providerError,
    retry_after: retryAfter,
  };
  return respond(status, body, {
    'content-type': 'application/problem+json',
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
  });
}
