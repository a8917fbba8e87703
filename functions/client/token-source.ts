import type { AccessToken } from './access-token.ts';
import type { Authenticate } from './authenticate.ts';
import { fetchWithToken } from './fetch-with-token.ts';
import type { Fetch, WithTokenOptions } from './fetch-with-token.ts';
import { createVendCall } from './vend-call.ts';
import type { ClientClock } from './vend-call.ts';
import { VendError } from './vend-error.ts';

/** Which tokens a source gives, and from where. */
export interface TokenSourceOptions {
  /** where the service is deployed: `https://…`, the stack's output `Url` */
  endpoint: string;
  /** `provider/account` */
  account: string;
  /** token parameters, as the provider's page lists them: a profile, a VideoManager */
  parameters?: Readonly<Record<string, string | number | boolean>>;
  /** proves to the service who asks */
  authenticate: Authenticate;
  /** @default the global one */
  fetch?: Fetch;
  /**
   * longest wait for one request's token, ms: proof, answer, and a second try where there is one. An ask that waited in vain for the
   * request of others may take as long once more. @default 30,000, which is when the service's gateway gives up
   */
  timeoutMs?: number;
  /** for tests. @default the machine's */
  clock?: ClientClock;
}

/** How a token is asked for. */
export interface TokenAsk {
  /** seconds that it must live at least. @default 0 */
  minTtlSeconds?: number;
  /** fingerprint of a token that the provider refused: that one is not given again, but renewed */
  rejected?: string;
}

/** Gives living tokens of one account. Safe to share: one source an account and process is enough. */
export interface TokenSource {
  /**
   * From memory until a tenth of its life is left; then one request for everybody who waits. While the service is in trouble the
   * token in memory is given as long as it lives, and the service is not asked again before its `Retry-After` is over.
   *
   * @throws VendError, and what `authenticate` throws
   */
  getToken(ask?: TokenAsk): Promise<AccessToken>;
  /**
   * @param fetch what to send with. @default the global one
   * @returns a `fetch` that adds the token; after the provider's refusal it reports the token and sends once more with another
   */
  withToken(fetch?: Fetch, options?: WithTokenOptions): Fetch;
}

interface Ask {
  minTtlSeconds: number;
  rejected: string | undefined;
}

/** Left of a token's life when another is asked for. */
const RENEW_AT = 0.1;
/** A request that is sent with less may arrive too late. */
const LIVING_MS = 5_000;
/** Between two tries at a service that is in trouble and names no time, while there is a living token to go on with. */
const QUIET_SECONDS = 5;

const machineClock: ClientClock = {
  nowMs: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** @returns a source of tokens of one account, with one set of parameters */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { clock = machineClock, fetch = globalThis.fetch, timeoutMs = 30_000, parameters = {} } = options;
  const call = createVendCall({ ...options, clock, fetch, timeoutMs, parameters });
  let held: AccessToken | undefined;
  let flight: (Ask & { landed: Promise<AccessToken> }) | undefined;
  let pause: { rejected: string | undefined; untilMs: number; error: VendError } | undefined;

  const heldFor = ({ minTtlSeconds, rejected }: Ask, leastMs: number): AccessToken | undefined => {
    if (held === undefined || held.fingerprint === rejected) return undefined;
    return held.expiresAtMs - clock.nowMs() >= Math.max(leastMs, minTtlSeconds * 1000) ? held : undefined;
  };

  async function vend(ask: Ask): Promise<AccessToken> {
    try {
      if (pause !== undefined && pause.rejected === ask.rejected && clock.nowMs() < pause.untilMs) throw pause.error;
      held = await call(ask);
      pause = undefined;
      return held;
    } catch (error) {
      if (!(error instanceof VendError) || !error.isTransient) throw error;
      const living = heldFor(ask, LIVING_MS);
      if (error !== pause?.error) pause = pauseAfter(error, ask, clock.nowMs(), living === undefined ? 0 : QUIET_SECONDS);
      if (living === undefined) throw error;
      return living;
    }
  }

  async function getToken({ minTtlSeconds = 0, rejected }: TokenAsk = {}): Promise<AccessToken> {
    const ask = { minTtlSeconds, rejected };
    for (;;) {
      const fresh = heldFor(ask, marginOf(held));
      if (fresh !== undefined) return fresh;
      if (flight === undefined) {
        const landed = vend(ask).finally(() => (flight = undefined));
        flight = { ...ask, landed };
        return landed;
      }
      if (isCovered(ask, flight)) return flight.landed;
      // Somebody asked for less; what they get may do, and if not, the next request is ours.
      await flight.landed.catch(() => undefined);
    }
  }

  return { getToken, withToken: (given = globalThis.fetch, withOptions = {}) => fetchWithToken(getToken, given, withOptions) };
}

function marginOf(token: AccessToken | undefined): number {
  return token === undefined ? LIVING_MS : Math.max(LIVING_MS, (token.expiresAtMs - token.obtainedAtMs) * RENEW_AT);
}

function isCovered(ask: Ask, flight: Ask): boolean {
  return flight.minTtlSeconds >= ask.minTtlSeconds && (ask.rejected === undefined || flight.rejected === ask.rejected);
}

function pauseAfter(error: VendError, { rejected }: Ask, nowMs: number, unlessToldSeconds: number) {
  return { rejected, untilMs: nowMs + (error.retryAfterSeconds ?? unlessToldSeconds) * 1000, error };
}
