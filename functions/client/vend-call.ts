import { AccessToken } from './access-token.ts';
import type { Authenticate, VendRequest } from './authenticate.ts';
import type { Fetch } from './fetch-with-token.ts';
import { unlessAborted } from './unless-aborted.ts';
import { isObject, problemOf, VendError } from './vend-error.ts';

/** Time, so that a test can stand it still. */
export interface ClientClock {
  /** @returns ms since the epoch */
  nowMs(): number;
  sleep(ms: number): Promise<void>;
}

/** What one call needs. */
export interface VendCallOptions {
  endpoint: string;
  account: string;
  parameters: Readonly<Record<string, string | number | boolean>>;
  authenticate: Authenticate;
  fetch: Fetch;
  timeoutMs: number;
  clock: ClientClock;
}

/** Which token is wanted. */
export interface Ask {
  /** seconds that it must live at least */
  minTtlSeconds: number;
  /** fingerprint of a token that the provider refused */
  rejected: string | undefined;
}

/** Asks the service for a token, past every memory. */
export type VendCall = (ask: Ask) => Promise<AccessToken>;

/** "Renewing" ends within seconds; a longer `Retry-After` is for the caller to decide about. */
const LONGEST_OWN_WAIT_SECONDS = 5;

/**
 * @returns the call `POST /v1/tokens/{provider}/{account}`; where somebody else's renewal is about to end it waits and asks once more.
 *   All of it, the proof of the caller included, ends after `timeoutMs`
 * @throws VendError, and what `authenticate` throws
 */
export function createVendCall(options: VendCallOptions): VendCall {
  const { clock, timeoutMs } = options;
  return async (ask) => {
    const endsAtMs = clock.nowMs() + timeoutMs;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      return await unlessAborted(callTwice(options, bodyOf(options, ask), signal, endsAtMs), signal);
    } catch (error) {
      throw signal.aborted && error === signal.reason ? unreachable(error) : error;
    }
  };
}

function bodyOf({ parameters }: VendCallOptions, { minTtlSeconds, rejected }: Ask): string {
  return JSON.stringify({
    ...parameters,
    ...(minTtlSeconds > 0 ? { min_ttl: minTtlSeconds } : {}),
    ...(rejected === undefined ? {} : { rejected }),
  });
}

async function callTwice(options: VendCallOptions, body: string, signal: AbortSignal, endsAtMs: number): Promise<AccessToken> {
  try {
    return await callOnce(options, body, signal);
  } catch (error) {
    const waitSeconds = error instanceof VendError && error.code === 'renewing' ? (error.retryAfterSeconds ?? 1) : Infinity;
    if (waitSeconds > LONGEST_OWN_WAIT_SECONDS || options.clock.nowMs() + waitSeconds * 1000 >= endsAtMs) throw error;
    await options.clock.sleep(waitSeconds * 1000);
    return callOnce(options, body, signal);
  }
}

async function callOnce(options: VendCallOptions, body: string, signal: AbortSignal): Promise<AccessToken> {
  const { authenticate, clock, fetch } = options;
  const url = urlOf(options);
  const { host: _, ...headers } = await authenticate(requestOf(url, body));
  const sentAtMs = clock.nowMs();
  let answer: Response;
  let value: unknown;
  try {
    answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' });
    value = parsed(await answer.text());
  } catch (error) {
    throw unreachable(error);
  }
  if (!answer.ok) throw problemOf(answer.status, answer.headers, value);
  // The life counts from the request: a slow answer must not make a token look younger than it is, nor a clock that was set back.
  return tokenOf(value, answer.status, Math.min(sentAtMs, clock.nowMs()));
}

function unreachable(cause: unknown): VendError {
  return new VendError({ status: 0, code: 'unreachable', title: 'The token service did not answer' }, cause);
}

function urlOf({ endpoint, account }: VendCallOptions): URL {
  const path = account.split('/').map(encodeURIComponent).join('/');
  return new URL(`${endpoint.replace(/\/+$/, '')}/v1/tokens/${path}`);
}

function requestOf(url: URL, body: string): VendRequest {
  return {
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    path: url.pathname,
    headers: { host: url.host, accept: 'application/json', 'content-type': 'application/json' },
    body,
  };
}

function tokenOf(value: unknown, status: number, obtainedAtMs: number): AccessToken {
  const { access_token: accessToken, expires_in: expiresIn, fingerprint, scope, facts } = isObject(value) ? value : {};
  if (typeof accessToken !== 'string' || typeof expiresIn !== 'number' || typeof fingerprint !== 'string') {
    throw new VendError({ status, code: 'unreadable', title: 'The answer holds no token' });
  }
  return new AccessToken({
    accessToken,
    obtainedAtMs,
    expiresAtMs: obtainedAtMs + expiresIn * 1000,
    fingerprint,
    scope: typeof scope === 'string' ? scope : undefined,
    facts: isObject(facts) ? facts : {},
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
