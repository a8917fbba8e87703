const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A share of a token's life, kept between two bounds (ms). */
export interface Share {
  fraction: number;
  atLeastMs: number;
  atMostMs: number;
}

/** Every number of the renewal protocol. Durations in ms. A value, so that a test can divide all of them by one factor. */
export interface Timing {
  /** over connect, headers and body of every request of one renewal */
  providerBudgetMs: number;
  /** provider budget + time to commit; past it nothing is sent and nothing is retried */
  renewalDeadlineMs: number;
  /** how much of the provider budget ending an old session before a log-in may take */
  logoutMs: number;
  leaseMs: number;
  /** how far two clocks may be apart */
  skewMs: number;
  /** how long a caller waits for somebody else's renewal */
  waiterBudgetMs: number;
  /** how long `vend-token` works on one request before it answers 503 or 504 */
  vendDeadlineMs: number;
  /** function time that must be left to acquire a lease */
  acquireNeedsMs: number;
  mustRenew: Share;
  renewAhead: Share;
  /** sets that live shorter are renewed on demand only */
  onDemandUnderMs: number;
  /** between two renewals of one set: a share of its life between bounds, but never more than half its life */
  spacing: Share;
  spacingAtLeastMs: number;
  keepWarm: Share;
  /** share of the warm time that must be left for a vend not to write it anew */
  warmEnough: number;
  /** due times are spread over this share of the renew-ahead window */
  jitter: number;
  /** renewal before the end where a refresh ends the old token */
  shortlyBeforeEndMs: number;
  /** highest `min_ttl` as a share of the life */
  minTtlShare: number;
  /** a living token is worth answering with at least this much left */
  livingMs: number;
  /** how long memory may answer without reading the table */
  memoryMs: number;
  /** waits between polls; the last one repeats */
  pollMs: readonly number[];
  /** upper bound of the wait before an acquire when many ask at once */
  stampedeMs: number;
  backOff: { firstMs: number; atMostMs: number };
  /** log-ins refused or unanswered that block further ones */
  loginBudget: number;
  /** an unanswered log-in stops counting after this long while the secret's version is unproven */
  unansweredLapseMs: number;
  /** the same once a log-in succeeded under this version */
  provenLapseMs: number;
  /** after the second refusal, after the first probe, after every later one */
  probesMs: readonly [number, number, number];
  /** how long an absence of the secret is remembered */
  absenceMs: number;
  /** a failure of one parameter set is tried again after this long */
  setFailureMs: number;
  /** one tick's renewals at a provider that caps its requests are spread over this much of the minute */
  spreadMs: number;
  /** queue messages older than this are dropped, counted from when a worker could first take them */
  staleMessageMs: number;
}

/** Bounds in which a provider's `Retry-After` is obeyed, ms. It is the provider's own time, so no test divides it. */
export const retryAfter = { atLeastMs: SECOND, atMostMs: HOUR } as const;

/** The numbers of production. Their relations are asserted in `test/unit/timing.test.ts`. */
export const timing: Timing = {
  providerBudgetMs: 10 * SECOND,
  renewalDeadlineMs: 13 * SECOND,
  logoutMs: 2.5 * SECOND,
  leaseMs: 16 * SECOND,
  skewMs: 2 * SECOND,
  waiterBudgetMs: 14 * SECOND,
  vendDeadlineMs: 25 * SECOND,
  acquireNeedsMs: 15 * SECOND,
  mustRenew: { fraction: 0.1, atLeastMs: 5 * SECOND, atMostMs: 5 * MINUTE },
  renewAhead: { fraction: 0.4, atLeastMs: 90 * SECOND, atMostMs: 12 * HOUR },
  onDemandUnderMs: 120 * SECOND,
  spacing: { fraction: 1 / 20, atLeastMs: 10 * SECOND, atMostMs: 60 * SECOND },
  spacingAtLeastMs: 2 * SECOND,
  keepWarm: { fraction: 2, atLeastMs: 15 * MINUTE, atMostMs: DAY },
  warmEnough: 0.75,
  jitter: 0.2,
  shortlyBeforeEndMs: 90 * SECOND,
  minTtlShare: 0.6,
  livingMs: 5 * SECOND,
  memoryMs: 10 * SECOND,
  pollMs: [50, 100, 200, 400, 800],
  stampedeMs: 200,
  backOff: { firstMs: SECOND, atMostMs: 5 * MINUTE },
  loginBudget: 2,
  unansweredLapseMs: 15 * MINUTE,
  provenLapseMs: MINUTE,
  probesMs: [HOUR, 6 * HOUR, DAY],
  absenceMs: MINUTE,
  setFailureMs: 5 * MINUTE,
  spreadMs: 55 * SECOND,
  staleMessageMs: 90 * SECOND,
};

/**
 * The same protocol on a faster clock, for suites that run real processes.
 *
 * @param timing what to scale
 * @param factor every duration is divided by it; shares and counts stay
 */
export function scaleTiming(timing: Timing, factor: number): Timing {
  const divide = (value: unknown): unknown => (typeof value === 'number' ? value / factor : value);
  const scaled: Timing = JSON.parse(JSON.stringify(timing), (name, value: unknown) => {
    if (!name.endsWith('Ms')) return value;
    return Array.isArray(value) ? value.map(divide) : divide(value);
  });
  return scaled;
}

function share({ fraction, atLeastMs, atMostMs }: Share, lifeMs: number): number {
  return Math.min(Math.max(lifeMs * fraction, atLeastMs), atMostMs);
}

/** @returns ms before the end under which a token is handed out only if renewing is impossible or under way */
export function mustRenewMs(timing: Timing, lifeMs: number): number {
  return share(timing.mustRenew, lifeMs);
}

/** @returns ms before the end at which the schedule starts to renew */
export function renewAheadMs(timing: Timing, lifeMs: number): number {
  return share(timing.renewAhead, lifeMs);
}

/** @returns ms after `obtainedAtMs` within which nobody renews, whoever asks */
export function spacingMs(timing: Timing, lifeMs: number): number {
  return Math.max(Math.min(share(timing.spacing, lifeMs), lifeMs / 2), timing.spacingAtLeastMs);
}

/** @returns ms after the last vend for which the schedule keeps a set warm */
export function keepWarmMs(timing: Timing, lifeMs: number): number {
  return share(timing.keepWarm, lifeMs);
}

/** @returns the highest `min_ttl` that a set of this life can promise, whole seconds */
export function maximumMinTtlSeconds(timing: Timing, lifeMs: number): number {
  return Math.floor((lifeMs * timing.minTtlShare) / SECOND);
}

/**
 * Exponential back-off with full jitter.
 *
 * @param outages transient failures in a row, this one included (1 or more)
 * @param fraction random, 0 up to 1
 * @returns ms to wait
 */
export function backOffMs(timing: Timing, outages: number, fraction: number): number {
  const ceiling = Math.min(timing.backOff.firstMs * 2 ** Math.min(outages, 30), timing.backOff.atMostMs);
  return timing.backOff.firstMs + fraction * (ceiling - timing.backOff.firstMs);
}

/** The clocks that decide when a set is due. */
export interface DueClocks {
  expiresAtMs: number;
  refreshExpiresAtMs: number | undefined;
  /** life of this token, ms */
  lifeMs: number;
  /** life of the refresh token, ms; undefined: unknown */
  refreshLifeMs: number | undefined;
  refreshEndsOldToken: boolean;
}

/**
 * When the schedule should renew a warm set: before its token's end by the renew-ahead window (spread by jitter), or shortly
 * before the end where a refresh ends the old token, and never so late that the refresh session ends of idleness.
 *
 * @param fraction random, 0 up to 1, for the jitter
 * @returns ms since the epoch; undefined: renewed on demand only
 */
export function dueAtMs(timing: Timing, clocks: DueClocks, fraction: number): number | undefined {
  const session =
    clocks.refreshExpiresAtMs === undefined || clocks.refreshLifeMs === undefined
      ? Infinity
      : clocks.refreshExpiresAtMs - Math.min(renewAheadMs(timing, clocks.refreshLifeMs), clocks.refreshLifeMs / 2);
  const token = tokenDueAtMs(timing, clocks, fraction);
  const due = Math.min(token, session);
  return due === Infinity ? undefined : Math.round(due);
}

function tokenDueAtMs(timing: Timing, { expiresAtMs, lifeMs, refreshEndsOldToken }: DueClocks, fraction: number): number {
  if (lifeMs < timing.onDemandUnderMs) return Infinity;
  if (refreshEndsOldToken) return expiresAtMs - Math.max(mustRenewMs(timing, lifeMs), timing.shortlyBeforeEndMs);
  const window = renewAheadMs(timing, lifeMs);
  return expiresAtMs - window - fraction * timing.jitter * window;
}
