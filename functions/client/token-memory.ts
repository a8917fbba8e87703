import type { AccessToken } from './access-token.ts';
import { createPauses } from './pauses.ts';
import type { Ask, ClientClock, VendCall } from './vend-call.ts';
import { isTrouble } from './vend-error.ts';

/** What is known between two requests: the last token, and when the service wants to be asked again. */
export interface TokenMemory {
  /** @returns the token, where it is enough for this ask and more than the last tenth of its life is left */
  fresh(ask: Ask): AccessToken | undefined;
  /** @returns the token, where it is enough for this ask: what to go on with while the service is in trouble */
  living(ask: Ask): AccessToken | undefined;
  /**
   * @returns a token of the service; the living one while the service is in trouble
   * @throws VendError, and what `authenticate` throws
   */
  vend(ask: Ask): Promise<AccessToken>;
}

/** Left of a token's life when another is asked for. */
const RENEW_AT = 0.1;
/** A request that is sent with less may arrive too late. */
const LIVING_MS = 5_000;
/** Between two tries at a service that is in trouble and names no time, while there is a living token to go on with. */
const QUIET_MS = 5_000;
/** Clocks are corrected by less all the time; it does not matter beside {@link LIVING_MS}. */
const CLOCK_SLACK_MS = 1_000;

/** @returns a memory that is empty so far */
export function createTokenMemory(call: VendCall, clock: ClientClock): TokenMemory {
  const pauses = createPauses();
  let held: AccessToken | undefined;
  let quietUntilMs = -Infinity;
  let seenMs = -Infinity;

  /** A clock that is set back makes a token look younger and a pause longer than they are: then what was noted counts no more. */
  function look(): number {
    const nowMs = clock.nowMs();
    if (nowMs < seenMs - CLOCK_SLACK_MS) {
      held = undefined;
      quietUntilMs = -Infinity;
      pauses.end();
    }
    seenMs = nowMs;
    return nowMs;
  }

  function heldFor({ minTtlSeconds, rejected }: Ask, marginOf: (token: AccessToken) => number): AccessToken | undefined {
    const nowMs = look();
    if (held === undefined || held.fingerprint === rejected) return undefined;
    return held.expiresAtMs - nowMs >= Math.max(marginOf(held), minTtlSeconds * 1000) ? held : undefined;
  }
  const fresh = (ask: Ask) => heldFor(ask, (token) => Math.max(LIVING_MS, (token.expiresAtMs - token.obtainedAtMs) * RENEW_AT));
  const living = (ask: Ask) => heldFor(ask, () => LIVING_MS);

  async function vend(ask: Ask): Promise<AccessToken> {
    const nowMs = look();
    const pause = pauses.holding(ask, nowMs);
    const spare = pause !== undefined || nowMs < quietUntilMs ? living(ask) : undefined;
    if (spare !== undefined) return spare;
    if (pause !== undefined) throw pause;
    try {
      const token = await call(ask);
      look();
      held = token;
      return token;
    } catch (error) {
      if (!isTrouble(error)) throw error;
      const failedAtMs = look();
      if (error.retryAfterSeconds === undefined) quietUntilMs = failedAtMs + QUIET_MS;
      pauses.note(ask, error, failedAtMs);
      const token = living(ask);
      if (token === undefined) throw error;
      return token;
    }
  }

  return { fresh, living, vend };
}
