import type { Scheduler } from 'fast-check';

/** Everything that can run has run; nothing is left but scheduling points and sleepers. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * The true time of a world. Whoever works stops at scheduling points; the scheduler picks who goes on, one at a time, and each
 * step costs a little time. When nobody can go on, time jumps to the earliest sleeper.
 */
export class VirtualTime {
  readonly #scheduler: Scheduler;
  readonly #stepMs: number;
  #nowMs: number;
  #sleepers: { wakeAtMs: number; resume: () => void }[] = [];

  /**
   * @param startMs ms since the epoch
   * @param stepMs what one step costs, ms
   */
  constructor(scheduler: Scheduler, startMs: number, stepMs: number) {
    this.#scheduler = scheduler;
    this.#nowMs = startMs;
    this.#stepMs = stepMs;
  }

  /** @returns the true time, whole ms since the epoch */
  nowMs(): number {
    return Math.floor(this.#nowMs);
  }

  /** One scheduling point: resolves when the scheduler picks it. */
  point(label: string): Promise<void> {
    return this.#scheduler.schedule(Promise.resolve(), label);
  }

  /** @param wakeAtMs true time, ms since the epoch; then the scheduler picks among all that woke */
  sleepUntil(wakeAtMs: number): Promise<void> {
    return new Promise((resume) => this.#sleepers.push({ wakeAtMs, resume }));
  }

  /** A timer that can be taken back, so that time does not jump to it for nothing. */
  timer(wakeAtMs: number): { fired: Promise<void>; cancel: () => void } {
    const { promise: fired, resolve: resume } = Promise.withResolvers<void>();
    const sleeper = { wakeAtMs, resume };
    this.#sleepers.push(sleeper);
    return { fired, cancel: () => void (this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)) };
  }

  /** Runs everybody until `work` is done. Fails where nothing is left to happen before that. */
  async run<T>(work: Promise<T>): Promise<T> {
    const state = { done: false };
    const finish = () => {
      state.done = true;
    };
    work.then(finish, finish);
    for (await settled(); !state.done; await settled()) {
      if (!(await this.#step())) throw new Error('Nothing is left to happen, and the work is not done.');
    }
    return work;
  }

  /** Runs whatever else happens until a moment of true time. */
  async runUntil(atMs: number): Promise<void> {
    if (atMs > this.#nowMs) await this.run(this.sleepUntil(atMs));
  }

  async #step(): Promise<boolean> {
    this.#wake();
    if (this.#scheduler.count() === 0) {
      if (this.#sleepers.length === 0) return false;
      this.#nowMs = Math.max(this.#nowMs, Math.min(...this.#sleepers.map(({ wakeAtMs }) => wakeAtMs)));
      this.#wake();
    }
    await this.#scheduler.waitOne();
    this.#nowMs += this.#stepMs;
    return true;
  }

  #wake(): void {
    const late = this.#sleepers.filter(({ wakeAtMs }) => wakeAtMs <= this.#nowMs);
    if (late.length === 0) return;
    this.#sleepers = this.#sleepers.filter(({ wakeAtMs }) => wakeAtMs > this.#nowMs);
    for (const { resume } of late) void this.point('woke').then(resume);
  }
}
