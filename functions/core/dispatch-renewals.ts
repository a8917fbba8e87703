import type { Clock, DueEntry, QueuedRenewals, RenewalQueue, Telemetry, TokenStore } from './ports.ts';
import { createPacer, type Pacer } from './pacing.ts';
import type { Provider } from './provider.ts';
import type { Timing } from './timing.ts';
import { accountOf } from './token-set.ts';

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
  /** for the caps that they declare */
  providers: ReadonlyMap<string, Provider>;
  /** partitions of the due index */
  dueShards: number;
}

/** One tick takes at most this many sets of a shard; the rest is still due at the next. */
const MOST_ENTRIES = 50_000;
/** The highest number of shards that a deployment may have. */
export const MOST_SHARDS = 32;
// A message holds one account's sets; more would keep one worker busy while others idle.
const SETS_A_MESSAGE = 10;

/**
 * One tick of the schedule: queries what is due and queues it, one account's keys together. It changes nothing in the table and can
 * open nothing; a tick that fails is healed by the next one. What the queue does not take holds up nothing else. It runs singly, so
 * it is the place that keeps to a provider's cap of requests: it spreads them over the tick and leaves the rest due.
 *
 * @returns the use case
 * @throws store_unavailable; what the queue threw, when all was tried
 */
export function createDispatchRenewals(deps: DispatchRenewalsDeps): () => Promise<Dispatched> {
  const { store, queue, clock, telemetry, timing, providers, dueShards } = deps;
  return async () => {
    const nowMs = clock.nowMs();
    const pacer = createPacer(providers, timing.spreadMs);
    let sent = 0;
    let earliestMs = nowMs;
    const failures: unknown[] = [];
    for (const shard of inTurn(dueShards, nowMs)) {
      for await (const page of store.queryDue(shard, nowMs, MOST_ENTRIES)) {
        earliestMs = Math.min(earliestMs, page[0]?.dueAtMs ?? nowMs);
        const messages = toMessages(page, nowMs, pacer);
        try {
          if (messages.length > 0) await queue.send(messages);
          sent += messages.reduce((sum, { sets }) => sum + sets.length, 0);
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

/**
 * Every shard, each minute another one first: what a cap holds back is not always the same shard's. And one that is none any more:
 * where a deployment lowered the number, its sets move when they are renewed.
 */
function inTurn(dueShards: number, nowMs: number): number[] {
  const minute = Math.floor(nowMs / 60_000);
  const shards = Array.from({ length: dueShards }, (_, index) => (minute + index) % dueShards);
  return dueShards < MOST_SHARDS ? [...shards, dueShards + (minute % (MOST_SHARDS - dueShards))] : shards;
}

/** Without the tag of its origin (an older version wrote the due keys) a set is grouped with its account. */
function toMessages(page: readonly DueEntry[], sentAtMs: number, pacer: Pacer): QueuedRenewals[] {
  const alike = Map.groupBy(page, ({ key: { partition }, group = partition }) => `${partition}\n${group}`);
  return [...alike].flatMap(([name, entries]) => {
    const [partition = '', group = ''] = name.split('\n');
    const { provider } = accountOf(partition);
    const most = Math.min(SETS_A_MESSAGE, pacer.mostTogether(provider));
    const messages: QueuedRenewals[] = [];
    for (let from = 0; from < entries.length; from += most) {
      const sets = entries.slice(from, from + most).map(({ key, dueAtMs }) => ({ sort: key.sort, dueAtMs }));
      const delaySeconds = pacer.place(provider, sets.length);
      if (delaySeconds === undefined) break;
      messages.push({ partition, group, sets, sentAtMs, ...(delaySeconds === 0 ? {} : { delaySeconds }) });
    }
    return messages;
  });
}
