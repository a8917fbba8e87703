import type { Provider } from './provider.ts';

/** How many renewals a provider takes, in whole seconds because the queue delays by them. */
interface Pace {
  renewals: number;
  everySeconds: number;
}

/** Spreads one tick's renewals, so that a provider with a cap gets no more requests a second than it allows. */
export interface Pacer {
  /** @returns how many renewals of a provider may stand in one message; Infinity where it declares no cap */
  mostTogether(provider: string): number;
  /**
   * Takes the next place in the tick for renewals that are sent together.
   *
   * @returns seconds to hold them back; undefined where they do not fit into this tick, and are still due at the next
   */
  place(provider: string, renewals: number): number | undefined;
}

/**
 * @param providers declare their caps in their public traits; who declares none is never held back
 * @param spreadMs how much of the time between two ticks may be used
 * @returns a pacer for one tick
 */
export function createPacer(providers: ReadonlyMap<string, Provider>, spreadMs: number): Pacer {
  const last = new Map<string, { slot: number; taken: number }>();
  return {
    mostTogether: (provider) => paceOf(providers.get(provider))?.renewals ?? Infinity,
    place(provider, renewals) {
      const pace = paceOf(providers.get(provider));
      if (pace === undefined) return 0;
      const { slot, taken } = last.get(provider) ?? { slot: 0, taken: 0 };
      const next = taken + renewals <= pace.renewals ? { slot, taken: taken + renewals } : { slot: slot + 1, taken: renewals };
      const seconds = next.slot * pace.everySeconds;
      if (seconds * 1_000 > spreadMs) return undefined;
      last.set(provider, next);
      return seconds;
    },
  };
}

/** A renewal is counted as all the requests that it may need: a log-in has several steps with some providers. */
function paceOf(provider: Provider | undefined): Pace | undefined {
  const cap = provider?.publicTraits.requestsPerSecond;
  if (provider === undefined || cap === undefined) return undefined;
  const perSecond = cap / Math.max(provider.login.length, provider.refresh.length, 1);
  return perSecond >= 1 ? { renewals: Math.floor(perSecond), everySeconds: 1 } : { renewals: 1, everySeconds: Math.ceil(1 / perSecond) };
}
