import type { AccessToken } from './access-token.ts';
import type { Authenticate } from './authenticate.ts';
import { fetchWithToken } from './fetch-with-token.ts';
import type { Fetch, WithTokenOptions } from './fetch-with-token.ts';
import { createTokenMemory } from './token-memory.ts';
import { createVendCall } from './vend-call.ts';
import type { Ask, ClientClock } from './vend-call.ts';
import { isTrouble } from './vend-error.ts';

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
   * From memory until a tenth of its life is left; then one request for everybody who waits. Its token serves all for whom it is
   * enough; its failure counts only for those who asked for the same. While the service is in trouble the token in memory is given as
   * long as it lives, and the service is not asked for as much, or more, before its `Retry-After` is over.
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

/** A request under way. */
interface Flight extends Ask {
  landed: Promise<AccessToken>;
}

const machineClock: ClientClock = {
  nowMs: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** @returns a source of tokens of one account, with one set of parameters */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { clock = machineClock, fetch = globalThis.fetch, timeoutMs = 30_000, parameters = {} } = options;
  const memory = createTokenMemory(createVendCall({ ...options, clock, fetch, timeoutMs, parameters }), clock);
  const flights = new Set<Flight>();

  function fly(ask: Ask): Promise<AccessToken> {
    const landed = memory.vend(ask).finally(() => flights.delete(flight));
    const flight: Flight = { ...ask, landed };
    flights.add(flight);
    return landed;
  }

  async function getToken({ minTtlSeconds = 0, rejected }: TokenAsk = {}): Promise<AccessToken> {
    const ask = { minTtlSeconds, rejected };
    let waitedInVain = false;
    for (;;) {
      const fresh = memory.fresh(ask);
      if (fresh !== undefined) return fresh;
      const flying = [...flights];
      const same = flying.find((flight) => isSame(ask, flight));
      if (same !== undefined) return same.landed;
      // Somebody asked for more, or for less; what they get may do. If not, the next request is ours.
      const other = waitedInVain ? undefined : (flying.find((flight) => isCovered(ask, flight)) ?? flying[0]);
      if (other === undefined) return fly(ask);
      try {
        const token = await other.landed;
        if (isCovered(ask, other)) return token;
      } catch (error) {
        const living = isTrouble(error) ? memory.living(ask) : undefined;
        if (living !== undefined) return living;
        waitedInVain = true;
      }
    }
  }

  return { getToken, withToken: (given = globalThis.fetch, withOptions = {}) => fetchWithToken(getToken, given, withOptions) };
}

/** Whether they are the same question, so that a refusal of one is a refusal of both. */
function isSame(ask: Ask, flight: Ask): boolean {
  return flight.minTtlSeconds === ask.minTtlSeconds && flight.rejected === ask.rejected;
}

/** Whether a token that is enough for the flight is enough for the ask. */
function isCovered(ask: Ask, flight: Ask): boolean {
  return flight.minTtlSeconds >= ask.minTtlSeconds && (ask.rejected === undefined || flight.rejected === ask.rejected);
}
