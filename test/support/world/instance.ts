import { TokenVendingError } from '../../../functions/core/errors.ts';
import type { Clock, Randomness } from '../../../functions/core/ports.ts';
import type { RenewCommand } from '../../../functions/core/renewal.ts';
import type { TokenSetKey } from '../../../functions/core/token-set.ts';
import type { Fault, FaultPlan } from './faults.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A crashed function never hears of its calls again. */
function never<T>(): Promise<T> {
  return new Promise(() => {});
}

/** One function instance: its clock, its freezes and its end. Everything that it does outside itself goes through `step`. */
export class Instance {
  readonly id: number;
  readonly clock: Clock;
  /** what it works on now */
  work = 0;
  command: RenewCommand | undefined;
  key: TokenSetKey | undefined;
  crashed = false;
  onCrash: () => void = () => {};
  readonly offsetMs: number;
  readonly #time: VirtualTime;
  readonly #faults: FaultPlan;
  #frozenUntilMs = 0;

  /** @param offsetMs how far its clock is ahead of true time, ms */
  constructor(id: number, offsetMs: number, time: VirtualTime, faults: FaultPlan) {
    this.id = id;
    this.offsetMs = offsetMs;
    this.#time = time;
    this.#faults = faults;
    this.clock = {
      nowMs: () => time.nowMs() + offsetMs,
      sleep: async (ms) => {
        await time.sleepUntil(time.nowMs() + ms);
        await this.resume();
      },
    };
  }

  /** One call to the outside with whatever goes wrong at it. */
  async step<T>(op: string, effect: (fault: Fault | undefined) => Promise<T>): Promise<T> {
    if (this.crashed) return never();
    await this.#time.point(op);
    await this.resume();
    const fault = this.#faults.take(op);
    await this.suffer(fault, '_before');
    const value = await effect(fault);
    await this.suffer(fault, '_after');
    return value;
  }

  /** Crashes or freezes, where the fault says so. */
  async suffer(fault: Fault | undefined, when: '_before' | '_after'): Promise<void> {
    if (fault?.kind === `freeze${when}`) this.#frozenUntilMs = this.#time.nowMs() + fault.ms;
    if (fault?.kind === `crash${when}`) this.crash();
    await this.resume();
  }

  crash(): void {
    this.crashed = true;
    this.onCrash();
  }

  /** Waits while frozen; a crashed instance never comes back. */
  async resume(): Promise<void> {
    while (!this.crashed && this.#frozenUntilMs > this.#time.nowMs()) await this.#time.sleepUntil(this.#frozenUntilMs);
    if (this.crashed) return never();
    return undefined;
  }
}

/** Random numbers of a world: deterministic, and attempt ids that tell who made them. */
export class WorldRandomness {
  #state: number;
  #attempts = 0;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** mulberry32 */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  forInstance(id: number): Randomness {
    return {
      fraction: () => this.fraction(),
      attemptId: () => `${String(id).padStart(4, '0')}-${String(++this.#attempts).padStart(11, '0')}`,
    };
  }
}

export function storeUnavailable(): TokenVendingError {
  return new TokenVendingError('store_unavailable');
}
