import { describe, expect, test } from '@jest/globals';
import { createSingleFlight } from '../../../functions/core/single-flight.ts';

/** Flights that land when the test says so, in the order in which they began. */
function aField() {
  const flights = createSingleFlight<number>();
  const begun: PromiseWithResolvers<number>[] = [];
  const start = (): Promise<number> => {
    const flight = Promise.withResolvers<number>();
    begun.push(flight);
    return flight.promise;
  };
  return { begun, join: () => flights.join('key', start), joinNext: () => flights.joinNext('key', start), flights, start };
}

const turn = () => new Promise((resume) => void setImmediate(resume));

describe('a flight', () => {
  test('takes who comes while it is under way, and nobody of another key', async () => {
    const { begun, join, flights, start } = aField();
    const both = [join(), join()];
    void flights.join('another', start);
    expect(begun).toHaveLength(2);
    begun[0]?.resolve(1);
    expect(await Promise.all(both)).toEqual([1, 1]);
  });

  test.each(['resolve', 'reject'] as const)('is forgotten as soon as it has landed (%s)', async (way) => {
    const { begun, join } = aField();
    const first = join().catch(() => -1);
    begun[0]?.[way](1);
    await first;
    void join();
    expect(begun).toHaveLength(2);
  });
});

describe('the next flight', () => {
  test.each(['resolve', 'reject'] as const)('begins once for all who wait, when the one before it has landed (%s)', async (way) => {
    const { begun, join, joinNext } = aField();
    const first = join().catch(() => -1);
    const waiting = [joinNext(), joinNext()];
    await turn();
    expect(begun).toHaveLength(1);
    begun[0]?.[way](1);
    await turn();
    expect(begun).toHaveLength(2);
    begun[1]?.resolve(2);
    expect(await Promise.all(waiting)).toEqual([2, 2]);
    expect(await first).toBe(way === 'resolve' ? 1 : -1);
  });

  test('is never one that began before it was asked for', async () => {
    const { begun, join, joinNext } = aField();
    void join();
    const second = joinNext();
    begun[0]?.resolve(1);
    await turn();
    const third = joinNext();
    begun[1]?.resolve(2);
    await turn();
    begun[2]?.resolve(3);
    expect(await Promise.all([second, third])).toEqual([2, 3]);
  });

  test('begins at once where none is under way', async () => {
    const { begun, joinNext } = aField();
    const only = joinNext();
    expect(begun).toHaveLength(1);
    begun[0]?.resolve(1);
    expect(await only).toBe(1);
  });
});
