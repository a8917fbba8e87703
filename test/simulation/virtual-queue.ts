import type { QueuedRenewals, RenewalQueue } from '../../functions/core/ports.ts';
import type { RenewTokenSetsHandler } from '../../functions/handlers/renew-token-sets.ts';
import type { EventClock } from './event-clock.ts';
import { aContext } from '../support/lambda-context.ts';

const BATCH = 10;
const FUNCTION_MS = 30_000;

/**
 * A queue that serves its groups fairly, and the workers behind it: the next batch is of the group with the fewest workers at it.
 * A group is an origin, as in the real queue; each simulated provider has one.
 */
export class VirtualQueue implements RenewalQueue {
  readonly #clock: EventClock;
  readonly #worker: RenewTokenSetsHandler;
  readonly #groups = new Map<string, { waiting: QueuedRenewals[]; next: number; inWork: number }>();
  #idle: number;
  #messages = 0;
  crashed = 0;

  /** @param workers how many run at once */
  constructor(clock: EventClock, worker: RenewTokenSetsHandler, workers: number) {
    this.#clock = clock;
    this.#worker = worker;
    this.#idle = workers;
  }

  async send(batch: readonly QueuedRenewals[]): Promise<void> {
    for (const message of batch) {
      if (message.delaySeconds === undefined) this.#add(message);
      else void this.#later(message, message.delaySeconds);
    }
    this.#serve();
  }

  #add(message: QueuedRenewals): void {
    const group = this.#groups.get(message.group) ?? { waiting: [], next: 0, inWork: 0 };
    group.waiting.push(message);
    this.#groups.set(message.group, group);
  }

  async #later(message: QueuedRenewals, seconds: number): Promise<void> {
    await this.#clock.sleep(seconds * 1_000);
    this.#add(message);
    this.#serve();
  }

  #serve(): void {
    while (this.#idle > 0) {
      const waiting = [...this.#groups.values()].filter((group) => group.next < group.waiting.length);
      const [group] = waiting.toSorted((one, other) => one.inWork - other.inWork);
      if (group === undefined) return;
      const batch = group.waiting.slice(group.next, group.next + BATCH);
      group.next += batch.length;
      if (group.next === group.waiting.length) group.waiting = [];
      if (group.waiting.length === 0) group.next = 0;
      group.inWork += 1;
      this.#idle -= 1;
      void this.#work(batch).finally(() => {
        group.inWork -= 1;
        this.#idle += 1;
        this.#serve();
      });
    }
  }

  /** As the event source does: a batch, and which of it failed. */
  async #work(batch: readonly QueuedRenewals[]): Promise<void> {
    const endMs = this.#clock.nowMs() + FUNCTION_MS;
    const Records = batch.map((message) => ({
      eventSource: 'aws:sqs',
      messageId: String(++this.#messages),
      receiptHandle: String(this.#messages),
      body: JSON.stringify(message),
    }));
    const answer = await this.#worker(
      { Records },
      aContext(() => endMs - this.#clock.nowMs()),
    );
    this.crashed += JSON.stringify(answer) === '{"batchItemFailures":[]}' ? 0 : 1;
  }
}
