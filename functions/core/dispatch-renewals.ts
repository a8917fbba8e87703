import type { Clock, DueEntry, QueuedRenewals, RenewalQueue, Telemetry, TokenStore } from './ports.ts';
import type { Timing } from './timing.ts';

/** What one tick did. */
export interface Dispatched {
  /** token sets sent to the queue */
  sent: number;
  /** how long the oldest due set has been due, ms; 0: nothing was due */
  oldestOverdueMs: number;
}

export interface DispatchRenewalsDeps {
  store: TokenStore;
  queue: RenewalQueue;
  clock: Clock;
  telemetry: Telemetry;
  timing: Timing;
  /** partitions of the due index */
  dueShards: number;
}

/** One tick takes at most this many sets of a shard; the rest is still due at the next. */
const MOST_ENTRIES = 50_000;
// A message holds one account's sets; more would keep one worker busy while others idle.
const SETS_A_MESSAGE = 10;

/**
 * One tick of the schedule: queries what is due and queues it, one account's keys together. It changes nothing in the table and can
 * open nothing; a tick that fails is healed by the next one. What the queue does not take holds up nothing else.
 *
 * @returns the use case
 * @throws store_unavailable; what the queue threw, when all was tried
 */
export function createDispatchRenewals(deps: DispatchRenewalsDeps): () => Promise<Dispatched> {
  const { store, queue, clock, telemetry, dueShards } = deps;
  return async () => {
    const nowMs = clock.nowMs();
    let sent = 0;
    let earliestMs = nowMs;
    const failures: unknown[] = [];
    for (let shard = 0; shard < dueShards; shard++) {
      for await (const page of store.queryDue(shard, nowMs, MOST_ENTRIES)) {
        earliestMs = Math.min(earliestMs, page[0]?.dueAtMs ?? nowMs);
        try {
          await queue.send(toMessages(page, nowMs));
          sent += page.length;
        } catch (error) {
          failures.push(error);
        }
      }
    }
    const oldestOverdueMs = nowMs - earliestMs;
    telemetry.metric('OldestOverdue', oldestOverdueMs / 1_000, 'Seconds', 'dispatch-renewals');
    telemetry.metric('RenewalsDispatched', sent, 'Count', 'dispatch-renewals');
    if (failures.length > 0) throw failures[0];
    return { sent, oldestOverdueMs };
  };
}

function toMessages(page: readonly DueEntry[], sentAtMs: number): QueuedRenewals[] {
  const byAccount = Map.groupBy(page, ({ key }) => key.partition);
  return [...byAccount].flatMap(([partition, entries]) => {
    const sets = entries.map(({ key, dueAtMs }) => ({ sort: key.sort, dueAtMs }));
    const messages: QueuedRenewals[] = [];
    for (let from = 0; from < sets.length; from += SETS_A_MESSAGE) {
      messages.push({ partition, sets: sets.slice(from, from + SETS_A_MESSAGE), sentAtMs });
    }
    return messages;
  });
}
