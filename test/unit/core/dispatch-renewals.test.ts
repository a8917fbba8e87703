import { expect, test } from '@jest/globals';
import { createDispatchRenewals } from '../../../functions/core/dispatch-renewals.ts';
import type { QueuedRenewals } from '../../../functions/core/ports.ts';
import { timing } from '../../../functions/core/timing.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { handClock } from '../../support/ports.ts';
import { recordTelemetry } from '../../support/recorded-telemetry.ts';

/** A table with sets that are due, and a queue that keeps its messages; `full` says which accounts it has no room for. */
function aTick(given: { dueShards?: number; pageSize?: number; full?: (partition: string) => boolean } = {}) {
  const clock = handClock(Date.UTC(2031, 4, 6, 7, 8, 9));
  const store = createMemoryStore({ pageSize: given.pageSize });
  const telemetry = recordTelemetry();
  const messages: QueuedRenewals[] = [];
  const queue = {
    async send(batch: readonly QueuedRenewals[]): Promise<void> {
      messages.push(...batch.filter(({ partition }) => !given.full?.(partition)));
      if (batch.some(({ partition }) => given.full?.(partition))) throw new Error('The queue is full.');
    },
  };
  const dispatch = createDispatchRenewals({ store, queue, clock, telemetry, timing, dueShards: given.dueShards ?? 1 });
  const plant = (partition: string, set: number, dueInMs: number, dueShard = 0): void =>
    store.plant({ partition, sort: `set#${set}` }, { generation: 1, dueShard, dueAtMs: clock.nowMs() + dueInMs });
  return { clock, messages, telemetry, dispatch, plant };
}

test("a tick queues what is due, one account's sets together, and nothing else", async () => {
  const { clock, messages, dispatch, plant } = aTick();
  plant('fake/a', 1, -3);
  plant('fake/b', 1, -2);
  plant('fake/a', 2, 0);
  plant('fake/c', 1, 1);
  expect(await dispatch()).toEqual({ sent: 3, oldestOverdueMs: 3 });
  const sentAtMs = clock.nowMs();
  expect(messages).toEqual([
    {
      partition: 'fake/a',
      sets: [
        { sort: 'set#1', dueAtMs: sentAtMs - 3 },
        { sort: 'set#2', dueAtMs: sentAtMs },
      ],
      sentAtMs,
    },
    { partition: 'fake/b', sets: [{ sort: 'set#1', dueAtMs: sentAtMs - 2 }], sentAtMs },
  ]);
});

test('a tick looks into every shard', async () => {
  const { messages, dispatch, plant } = aTick({ dueShards: 3 });
  for (const shard of [0, 1, 2]) plant('fake/a', shard, -1, shard);
  expect(await dispatch()).toMatchObject({ sent: 3 });
  expect(messages.flatMap(({ sets }) => sets)).toHaveLength(3);
});

test('a message holds at most ten sets, so that one account does not keep one worker busy', async () => {
  const { messages, dispatch, plant } = aTick();
  for (let set = 0; set < 23; set++) plant('fake/a', set, -1);
  await dispatch();
  expect(messages.map(({ sets }) => sets.length)).toEqual([10, 10, 3]);
});

test('a tick without anything due sends nothing and says that nothing is overdue', async () => {
  const { messages, telemetry, dispatch } = aTick();
  expect(await dispatch()).toEqual({ sent: 0, oldestOverdueMs: 0 });
  expect(messages).toEqual([]);
  expect(telemetry.metrics).toContainEqual({ name: 'OldestOverdue', value: 0, unit: 'Seconds', dimension: 'dispatch-renewals' });
});

test('what the queue does not take holds up nothing else, is still measured, and fails the tick', async () => {
  const { messages, telemetry, dispatch, plant } = aTick({ pageSize: 1, full: (partition) => partition === 'fake/a' });
  plant('fake/a', 1, -300_000);
  plant('fake/b', 1, -1);
  await expect(dispatch()).rejects.toThrow('The queue is full.');
  expect(messages.map(({ partition }) => partition)).toEqual(['fake/b']);
  expect(telemetry.metrics).toContainEqual({ name: 'OldestOverdue', value: 300, unit: 'Seconds', dimension: 'dispatch-renewals' });
});
