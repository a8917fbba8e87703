import type { Ask } from './vend-call.ts';
import { VendError } from './vend-error.ts';

/** The times before which the service wants not to be asked again. */
export interface Pauses {
  /** notes the `Retry-After` that an ask was answered with */
  note(ask: Ask, error: VendError, nowMs: number): void;
  /**
   * Who asks for as much as was refused, or more, would be refused as well; who asks for less may be served.
   *
   * @returns what holds this ask, with what is left of its time
   */
  holding(ask: Ask, nowMs: number): VendError | undefined;
  /** forgets all of them */
  end(): void;
}

/** @returns pauses, none so far */
export function createPauses(): Pauses {
  let pauses: { ask: Ask; untilMs: number; error: VendError }[] = [];
  return {
    note(ask, error, nowMs) {
      const untilMs = nowMs + (error.retryAfterSeconds ?? 0) * 1000;
      pauses = [...pauses, { ask, untilMs, error }].filter((pause) => pause.untilMs > nowMs);
    },
    holding({ minTtlSeconds, rejected }, nowMs) {
      const longest = pauses
        .filter(({ ask }) => ask.rejected === rejected && ask.minTtlSeconds <= minTtlSeconds)
        .reduce<(typeof pauses)[number] | undefined>((a, b) => (a !== undefined && a.untilMs >= b.untilMs ? a : b), undefined);
      if (longest === undefined || longest.untilMs <= nowMs) return undefined;
      const { problem, cause } = longest.error;
      return new VendError({ ...problem, retryAfterSeconds: Math.ceil((longest.untilMs - nowMs) / 1000) }, cause);
    },
    end() {
      pauses = [];
    },
  };
}
