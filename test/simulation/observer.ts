import type { DueEntry } from '../../functions/core/ports.ts';
import type { VendOutcome } from '../../functions/core/vend-token.ts';
import { classes, DAY_MS, DAY_START_MS, isIn, TICK_MS, troubles, type ProviderId, type SetClass } from './day.ts';
import type { Fleet } from './fleet.ts';

/** One vend, as its caller had it. */
export interface Vended {
  index: number;
  startedMs: number;
  nowMs: number;
  outcome: VendOutcome;
  /** the first vend after a refusal named a time, made at that time */
  comesBack: boolean;
  providerIsWell: boolean;
  /** end of what is stored, ms since the epoch; 0: nothing */
  livesUntilMs: number;
}

/** What one class of sets came to. */
export interface ClassCount {
  renewals: number;
  vends: number;
  waits: number;
  slowestWaitMs: number;
  refusals: number;
}

/** Sets that live this long never notice an outage, or missed ticks. */
const OUTAGE_INVISIBLE_MS = 1_800_000;
const LIVING_MS = 5_000;

/** Counts what happens in the day, and whatever must not happen. */
export class Observer {
  readonly byClass = new Map<SetClass, ClassCount>(
    classes.map((each) => [each, { renewals: 0, vends: 0, waits: 0, slowestWaitMs: 0, refusals: 0 }]),
  );
  expired = 0;
  longWaited = 0;
  refusedWhileLiving = 0;
  cameBackForNothing = 0;
  cameBack = 0;
  readonly logIns: Record<ProviderId, number> = { steady: 0, down: 0, slow: 0, limited: 0 };
  entriesRead = 0;
  entriesDue = 0;
  slowestOther = 0;
  readonly #fleet: Fleet;
  readonly #readAtMs: Float64Array;
  readonly #readDueMs: Float64Array;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    this.#readAtMs = new Float64Array(fleet.size);
    this.#readDueMs = new Float64Array(fleet.size);
  }

  vended(vend: Vended): void {
    const { outcome, nowMs, startedMs, index } = vend;
    if (startedMs < DAY_START_MS) return;
    const setClass = this.#fleet.classOf(index);
    const count = this.#count(setClass);
    count.vends += 1;
    if (nowMs > startedMs) {
      count.waits += 1;
      count.slowestWaitMs = Math.max(count.slowestWaitMs, nowMs - startedMs);
      if (setClass.lifeMs >= OUTAGE_INVISIBLE_MS) this.longWaited += 1;
    }
    if (outcome.kind === 'answered') this.expired += outcome.tokenSet.expiresAtMs > nowMs ? 0 : 1;
    else this.#refused(vend, count);
    if (!vend.comesBack || !vend.providerIsWell) return;
    this.cameBack += 1;
    if (outcome.kind !== 'answered') this.cameBackForNothing += 1;
  }

  renewed(index: number, sent: 'login' | 'refresh', nowMs: number): void {
    const readAtMs = this.#readAtMs[index] ?? 0;
    this.#readAtMs[index] = 0;
    if (nowMs < DAY_START_MS) return;
    if (sent === 'login') this.logIns[this.#fleet.providerOf(index)] += 1;
    this.#count(this.#fleet.classOf(index)).renewals += 1;
    const otherThanSlow = this.#fleet.providerOf(index) !== 'slow' && isIn(troubles.slow, nowMs, TICK_MS);
    if (otherThanSlow && readAtMs > 0) this.slowestOther = Math.max(this.slowestOther, nowMs - readAtMs);
  }

  /** @param backsOff whether the entry's account may not be called now */
  read(index: number, { dueAtMs }: DueEntry, backsOff: boolean, nowMs: number): void {
    const seenBefore = this.#readDueMs[index] === dueAtMs;
    if (!seenBefore) this.#readAtMs[index] = nowMs;
    this.#readDueMs[index] = dueAtMs;
    if (nowMs < DAY_START_MS) return;
    this.entriesRead += 1;
    if (!seenBefore && !backsOff) this.entriesDue += 1;
  }

  #count(setClass: SetClass): ClassCount {
    const count = this.byClass.get(setClass);
    if (!count) throw new Error('a class that nobody counts');
    return count;
  }

  #refused({ nowMs, livesUntilMs }: Vended, count: ClassCount): void {
    count.refusals += 1;
    if (livesUntilMs - nowMs > LIVING_MS) this.refusedWhileLiving += 1;
  }
}

/**
 * Renewals of one set in a day: due at 60 % of the life less the jitter, and found by the next tick. That tick comes half a tick later
 * on average where the jitter spreads the sets over ticks. A jitter shorter than a tick (24 s at 300 s of life) leaves them in step
 * with it: obtained at one tick, due just before or at another, the same number of ticks later each time.
 */
export function plannedRenewals({ lifeMs }: SetClass): number {
  return DAY_MS / plannedPeriodMs(lifeMs);
}

/** @returns ms between two renewals of a set of that life */
export function plannedPeriodMs(lifeMs: number): number {
  const jitterMs = 0.2 * 0.4 * lifeMs;
  if (jitterMs < TICK_MS) return Math.ceil((0.6 * lifeMs - jitterMs / 2) / TICK_MS) * TICK_MS;
  return 0.6 * lifeMs - jitterMs / 2 + TICK_MS / 2;
}
