import { retryAt } from './clocks.ts';
import type { Classified, FailureKind, Provider, ProviderAnswer, ProviderRequest, Sent, TransportFailure } from './provider.ts';

/** Whether the token or the credentials of a failed call were used up: `no` only where that is sure. */
export type Spent = 'no' | 'unknown' | 'yes';

/** A call that brought nothing. An expected outcome, so a value; it holds no secret and no text of the provider. */
export interface Failed {
  kind: 'failed';
  failure: FailureKind;
  spent: Spent;
  /** the provider took the credentials or the refresh token in an earlier step; what failed came after it */
  taken?: true | undefined;
  /** the provider's own error code */
  providerError?: string | undefined;
  /** from `Retry-After`, ms since the epoch */
  retryAtMs?: number | undefined;
  /** short machine word for logs: `http_503`, `timeout`, `blocked`, `deadline`, … */
  code: string;
}

/** @returns a failure of our own making, before anything was sent */
export function unsent(failure: FailureKind, code: string): Failed {
  return { kind: 'failed', failure, spent: 'no', code };
}

/** @returns whether nothing at all was sent, because the holder of the lease had no time left for it */
export function isOurLateness({ code, taken }: Failed): boolean {
  return code === 'deadline' && !taken;
}

/** What a request without an answer means. A blocked host is a mistake in the secret; a redirect is an answer that is no token. */
export function fromTransport(failure: TransportFailure): Failed {
  const kinds: Record<string, FailureKind> = {
    blocked: 'configuration',
    invalid: 'configuration',
    redirect: 'unreadable',
    too_large: 'unreadable',
  };
  return { kind: 'failed', failure: kinds[failure.code] ?? 'transient', spent: failure.unsent ? 'no' : 'unknown', code: failure.code };
}

/**
 * What an answer without a token means: step 12 of the protocol. The provider's file names what it knows; what it has never
 * seen is judged by the status and by what was sent, on the careful side.
 *
 * @param answer any answer outside 2xx, or a 2xx that its reader did not understand
 */
export function fromAnswer(provider: Provider, request: ProviderRequest, answer: ProviderAnswer, sent: Sent, nowMs: number): Failed {
  const { status } = answer;
  const later = status === 408 || status === 425 || status === 429 || status >= 500;
  const known: Classified = sent === 'discovery' ? {} : (provider.classify(answer, sent) ?? {});
  const failure = later ? 'transient' : (known.kind ?? byStatus(status, sent));
  return {
    kind: 'failed',
    failure,
    spent: spentBy(failure, status),
    providerError: publicCode(known.providerError, request),
    retryAtMs: retryAt(answer, nowMs),
    code: `http_${status}`,
  };
}

function byStatus(status: number, sent: Sent): FailureKind {
  if (status < 400 || sent === 'discovery') return 'unreadable';
  return sent === 'login' ? 'credentials_refused' : 'refresh_refused';
}

function spentBy(failure: FailureKind, status: number): Spent {
  if (status === 425 || status === 429) return 'no';
  if (failure === 'transient' || failure === 'unreadable') return 'unknown';
  return failure === 'client_refused' || failure === 'configuration' ? 'no' : 'yes';
}

/** A code looks like a code, and nothing that was sent comes back as one: a server may echo a password where a code belongs. */
function publicCode(code: string | undefined, request: ProviderRequest): string | undefined {
  if (code === undefined || !/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/.test(code)) return undefined;
  const sent = [request.body ?? '', request.url, ...Object.values(request.headers ?? {})].join('\n');
  return sent.includes(code) || decoded(sent).includes(code) ? undefined : code;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
