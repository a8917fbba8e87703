import type { ProviderAnswer, TokenAnswer, Traits } from './provider.ts';
import { retryAfter } from './timing.ts';

const SECOND = 1000;
const DAY = 86_400 * SECOND;
/** The longest life seen in any provider's page is a year; ten mean that somebody mistook the unit. */
const LONGEST_LIFE = 3653 * DAY;
/** For a discovery document whose headers say nothing. */
const UNSTATED_FRESHNESS = 600 * SECOND;

/**
 * When an access token ends, by our clock: sent + `expires_in`; from an absolute expiry the life counts from the answer's `Date`.
 * A missing or implausible life is the provider's default, never "for ever".
 *
 * @returns ms since the epoch
 */
export function accessExpiry(answer: ProviderAnswer, tokens: Partial<TokenAnswer>, traits: Traits): number {
  const life = relative(tokens.expiresInSeconds) ?? absolute(tokens.expiresAtMs, answer) ?? traits.defaultLifeSeconds * SECOND;
  return answer.sentAtMs + life;
}

/**
 * When a refresh token ends, by our clock. Zero is what Keycloak says of tokens without an end, so it counts as unknown.
 *
 * @returns ms since the epoch, or undefined where nobody knows
 */
export function refreshExpiry(answer: ProviderAnswer, tokens: Partial<TokenAnswer>, traits: Traits): number | undefined {
  if (tokens.refreshExpiresInSeconds === 0) return undefined;
  const stated = relative(tokens.refreshExpiresInSeconds) ?? absolute(tokens.refreshExpiresAtMs, answer);
  const life = stated ?? relative(traits.defaultRefreshLifeSeconds);
  return life === undefined ? undefined : answer.sentAtMs + life;
}

function relative(seconds: number | undefined): number | undefined {
  return plausible(seconds === undefined ? undefined : seconds * SECOND);
}

function absolute(atMs: number | undefined, answer: ProviderAnswer): number | undefined {
  return plausible(atMs === undefined ? undefined : atMs - (answer.dateMs ?? answer.sentAtMs));
}

function plausible(lifeMs: number | undefined): number | undefined {
  return lifeMs !== undefined && lifeMs > 0 && lifeMs <= LONGEST_LIFE ? lifeMs : undefined;
}

/**
 * Reads `Retry-After`, seconds or an HTTP date (counted from the answer's own `Date`, so that a wrong clock does no harm).
 *
 * @returns when a new try is allowed, between 1 s and 1 h from now, ms since the epoch; undefined without a readable header
 * @see RFC 9110 section 10.2.3
 */
export function retryAt(answer: ProviderAnswer, nowMs: number): number | undefined {
  const value = answer.headers['retry-after']?.trim();
  if (value === undefined || value === '') return undefined;
  const delay = /^\d+$/.test(value) ? Number(value) * SECOND : Date.parse(value) - (answer.dateMs ?? nowMs);
  return Number.isNaN(delay) ? undefined : nowMs + Math.min(Math.max(delay, retryAfter.atLeastMs), retryAfter.atMostMs);
}

/**
 * How long a discovery document may be kept, at most a day.
 *
 * @returns ms; 0: it must be asked for every time
 * @see RFC 9111 section 4.2.1
 */
export function freshness(answer: ProviderAnswer): number {
  const control = answer.headers['cache-control']?.toLowerCase() ?? '';
  if (/\bno-store\b|\bno-cache\b/.test(control)) return 0;
  const maxAge = /\bmax-age="?(\d+)/.exec(control)?.[1];
  const expires = answer.headers['expires'];
  if (maxAge === undefined && expires === undefined) return UNSTATED_FRESHNESS;
  // An `Expires` that is no date ("0", "-1") means: already stale.
  const life = maxAge === undefined ? Date.parse(expires ?? '') - (answer.dateMs ?? answer.sentAtMs) : Number(maxAge) * SECOND;
  const aged = life - Number(/^\d+$/.exec(answer.headers['age'] ?? '')?.[0] ?? 0) * SECOND;
  return Number.isNaN(aged) ? 0 : Math.min(Math.max(aged, 0), DAY);
}
