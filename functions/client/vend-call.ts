import { AccessToken } from './access-token.ts';
import type { Authenticate, VendRequest } from './authenticate.ts';
import type { Fetch } from './fetch-with-token.ts';
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

/** Asks the service for a token, past every memory. */
export type VendCall = (ask: { minTtlSeconds: number; rejected: string | undefined }) => Promise<AccessToken>;

/** "Renewing" ends within seconds; a longer `Retry-After` is for the caller to decide about. */
const LONGEST_OWN_WAIT_SECONDS = 5;

/**
 * @returns the call `POST /v1/tokens/{provider}/{account}`; where somebody else's renewal is about to end it waits and asks once more
 * @throws VendError
 */
export function createVendCall(options: VendCallOptions): VendCall {
  return async ({ minTtlSeconds, rejected }) => {
    const body = JSON.stringify({
      ...options.parameters,
      ...(minTtlSeconds > 0 ? { min_ttl: minTtlSeconds } : {}),
      ...(rejected === undefined ? {} : { rejected }),
    });
    try {
      return await callOnce(options, body);
    } catch (error) {
      const waitSeconds = error instanceof VendError && error.code === 'renewing' ? (error.retryAfterSeconds ?? 1) : Infinity;
      if (waitSeconds > LONGEST_OWN_WAIT_SECONDS) throw error;
      await options.clock.sleep(waitSeconds * 1000);
      return callOnce(options, body);
    }
  };
}

async function callOnce(options: VendCallOptions, body: string): Promise<AccessToken> {
  const { authenticate, clock, fetch, timeoutMs } = options;
  const url = urlOf(options);
  const { host: _, ...headers } = await authenticate(requestOf(url, body));
  // The life counts from here: a slow answer must not make a token look younger than it is.
  const obtainedAtMs = clock.nowMs();
  let answer: Response;
  let value: unknown;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' });
    value = parsed(await answer.text());
  } catch (error) {
    throw new VendError({ status: 0, code: 'unreachable', title: 'The token service did not answer' }, error);
  }
  if (!answer.ok) throw problemOf(answer.status, answer.headers, value);
  return tokenOf(value, answer.status, obtainedAtMs);
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
