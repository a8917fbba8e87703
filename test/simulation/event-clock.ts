import type { Clock } from '../../functions/core/ports.ts';

interface Event {
  atMs: number;
  order: number;
  run: () => void;
}

/**
 * A clock that knows what happens next and goes there: a simulated day lasts as long as its events take to compute. Who sleeps is an
 * event; between two events everything that can run has run.
 */
export class EventClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #heap: Event[] = [];

  /** @param startMs ms since the epoch */
  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return Math.floor(this.#nowMs);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.at(this.#nowMs + Math.max(0, ms), resolve));
  }

  /** @param atMs when it happens; in the order in which it was asked for among those of one moment */
  at(atMs: number, run: () => void): void {
    this.#push({ atMs, order: ++this.#order, run });
  }

  /** Lets everything happen up to and including a moment. */
  async runUntil(endMs: number): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= endMs; next = this.#heap[0]) {
      this.#pop();
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#nowMs = endMs;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    for (let parent = (index - 1) >> 1; index > 0 && isBefore(event, heap[parent]); parent = (index - 1) >> 1) {
      heap[index] = heap[parent] ?? event;
      heap[parent] = event;
      index = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const child = isBefore(heap[left + 1], heap[left]) ? left + 1 : left;
      const smaller = heap[child];
      if (smaller === undefined || !isBefore(smaller, last)) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(one: Event | undefined, other: Event | undefined): boolean {
  if (one === undefined) return false;
  if (other === undefined) return true;
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
