import { describe, expect, test } from '@jest/globals';
import { createDispatchRenewals, MOST_SHARDS } from '../../../functions/core/dispatch-renewals.ts';
import type { QueuedRenewals } from '../../../functions/core/ports.ts';
import type { Provider } from '../../../functions/core/provider.ts';
import { timing } from '../../../functions/core/timing.ts';
import { providersById } from '../../../functions/providers/index.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { handClock } from '../../support/ports.ts';
import { recordTelemetry } from '../../support/recorded-telemetry.ts';

interface Given {
  dueShards?: number;
  pageSize?: number;
  full?: (partition: string) => boolean;
  providers?: ReadonlyMap<string, Provider>;
}

/** A table with sets that are due, and a queue that keeps its messages; `full` says which accounts it has no room for. */
function aTick(given: Given = {}) {
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
  const providers = given.providers ?? new Map();
  const dispatch = createDispatchRenewals({ store, queue, clock, telemetry, timing, providers, dueShards: given.dueShards ?? 1 });
  const plant = (partition: string, set: number, dueInMs: number, dueShard = 0, dueGroup = 'origin'): void =>
    store.plant({ partition, sort: `set#${set}` }, { generation: 1, dueShard, dueAtMs: clock.nowMs() + dueInMs, dueGroup });
  const plantOlder = (partition: string): void =>
    store.plant({ partition, sort: 'set#older' }, { generation: 1, dueShard: 0, dueAtMs: clock.nowMs() });
  return { clock, messages, telemetry, dispatch, plant, plantOlder };
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
      group: 'origin',
      sets: [
        { sort: 'set#1', dueAtMs: sentAtMs - 3 },
        { sort: 'set#2', dueAtMs: sentAtMs },
      ],
      sentAtMs,
    },
    { partition: 'fake/b', group: 'origin', sets: [{ sort: 'set#1', dueAtMs: sentAtMs - 2 }], sentAtMs },
  ]);
});

test('a message is of one origin, and names it as its group', async () => {
  const { messages, dispatch, plant } = aTick();
  plant('fake/a', 1, -3, 0, 'one');
  plant('fake/b', 1, -2, 0, 'one');
  plant('fake/a', 2, -1, 0, 'two');
  await dispatch();
  expect(messages.map(({ partition, group }) => [partition, group])).toEqual([
    ['fake/a', 'one'],
    ['fake/b', 'one'],
    ['fake/a', 'two'],
  ]);
});

test('what an older version put into the index is grouped with its account', async () => {
  const { messages, dispatch, plantOlder } = aTick();
  plantOlder('fake/a');
  await dispatch();
  expect(messages.map(({ partition, group }) => [partition, group])).toEqual([['fake/a', 'fake/a']]);
});

test('a tick looks into every shard', async () => {
  const { messages, dispatch, plant } = aTick({ dueShards: 3 });
  for (const shard of [0, 1, 2]) plant('fake/a', shard, -1, shard);
  expect(await dispatch()).toMatchObject({ sent: 3 });
  expect(messages.flatMap(({ sets }) => sets)).toHaveLength(3);
});

test('what a larger number of shards has left behind is found, one such shard a minute', async () => {
  const { clock, messages, dispatch, plant } = aTick({ dueShards: 2 });
  for (let shard = 2; shard < MOST_SHARDS; shard++) plant('fake/a', shard, -1, shard);
  for (let minute = 0; minute < MOST_SHARDS - 2; minute++) {
    expect(await dispatch()).toMatchObject({ sent: 1 });
    clock.advance(60_000);
  }
  expect(new Set(messages.flatMap(({ sets }) => sets.map(({ sort }) => sort))).size).toBe(MOST_SHARDS - 2);
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

/** Providers that declare a cap, or none, and whose log-ins take that many requests. */
function providersWith(requestsPerSecond: number | undefined, steps = 1, id = 'capped'): ReadonlyMap<string, Provider> {
  return new Map(
    [...providersById().values()].slice(0, 1).map((provider) => {
      const publicTraits = { ...provider.publicTraits, requestsPerSecond };
      const login = provider.login.slice(0, 1);
      return [id, { ...provider, id, publicTraits, login: Array.from({ length: steps }, () => login).flat(), refresh: login }];
    }),
  );
}

/** How many renewals each second of the minute gets. */
function bySecond(messages: readonly QueuedRenewals[]): number[] {
  const seconds: number[] = [];
  for (const { delaySeconds = 0, sets } of messages) seconds[delaySeconds] = (seconds[delaySeconds] ?? 0) + sets.length;
  return Array.from(seconds, (count: number | undefined) => count ?? 0);
}

describe('a provider that declares a cap of requests', () => {
  test('gets no second with more renewals than it allows, and the rest in later seconds', async () => {
    const { messages, dispatch, plant } = aTick({ providers: providersWith(5) });
    for (let set = 0; set < 12; set++) plant(`capped/${set % 3}`, set, -1);
    expect(await dispatch()).toMatchObject({ sent: 12 });
    expect(Math.max(...bySecond(messages))).toBeLessThanOrEqual(5);
    expect(bySecond(messages).reduce((sum, count) => sum + count, 0)).toBe(12);
    expect(bySecond(messages).length).toBeLessThanOrEqual(4);
  });

  test('of one account too, in messages that fit into a second', async () => {
    const { messages, dispatch, plant } = aTick({ providers: providersWith(3.9) });
    for (let set = 0; set < 8; set++) plant('capped/a', set, -1);
    await dispatch();
    expect(bySecond(messages)).toEqual([3, 3, 2]);
  });

  test('may allow less than one a second', async () => {
    const { messages, dispatch, plant } = aTick({ providers: providersWith(0.3) });
    for (let set = 0; set < 3; set++) plant(`capped/${set}`, set, -1);
    await dispatch();
    expect(messages.map(({ delaySeconds }) => delaySeconds)).toEqual([undefined, 4, 8]);
  });

  test('has each request of a log-in of several steps counted', async () => {
    const { messages, dispatch, plant } = aTick({ providers: providersWith(4, 2) });
    for (let set = 0; set < 4; set++) plant(`capped/${set}`, set, -1);
    await dispatch();
    expect(bySecond(messages)).toEqual([2, 2]);
  });

  test('has what does not fit into the tick left due for the next one, the latest of it, and still measured', async () => {
    const { messages, dispatch, plant, telemetry } = aTick({ providers: providersWith(1), pageSize: 7 });
    for (let set = 0; set < 100; set++) plant(`capped/${set}`, set, set - 100);
    expect(await dispatch()).toEqual({ sent: 56, oldestOverdueMs: 100 });
    expect(bySecond(messages)).toEqual(Array.from({ length: 56 }, () => 1));
    expect(messages.map(({ partition }) => partition)).toEqual(Array.from({ length: 56 }, (_, set) => `capped/${set}`));
    expect(telemetry.metrics).toContainEqual({ name: 'RenewalsDispatched', value: 56, unit: 'Count', dimension: 'dispatch-renewals' });
    expect(await dispatch()).toMatchObject({ sent: 56 });
  });

  test('holds up no other provider, and without a cap nobody is held up', async () => {
    const providers = new Map([...providersWith(1), ...providersWith(undefined, 1, 'free')]);
    const { messages, dispatch, plant } = aTick({ providers });
    for (let set = 0; set < 70; set++) plant('capped/a', set, -2);
    for (let set = 0; set < 70; set++) plant(`free/${set}`, set, -1);
    expect(await dispatch()).toMatchObject({ sent: 126 });
    expect(messages.filter(({ partition }) => partition.startsWith('free/')).every(({ delaySeconds }) => delaySeconds === undefined)).toBe(
      true,
    );
  });

  test('has what one shard leaves over go first in another minute', async () => {
    const { clock, messages, dispatch, plant } = aTick({ providers: providersWith(1), dueShards: 2 });
    for (const shard of [0, 1]) for (let set = 0; set < 60; set++) plant(`capped/shard-${shard}`, shard * 60 + set, -1, shard);
    const servedOnly = async () => {
      messages.length = 0;
      await dispatch();
      return [...new Set(messages.map(({ partition }) => partition))];
    };
    const first = await servedOnly();
    clock.advance(60_000);
    const second = await servedOnly();
    expect([first, second].flat().toSorted()).toEqual(['capped/shard-0', 'capped/shard-1']);
  });
});
