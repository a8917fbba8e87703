/** One promise per key at a time: who comes while it is under way gets the same one. */
export interface SingleFlight<T> {
  /** @param start begins the work where none is under way under this key */
  join(key: string, start: () => Promise<T>): Promise<T>;
  /** Never joins what has begun before: waits for it to land, then begins anew, once for all who wait. */
  joinNext(key: string, start: () => Promise<T>): Promise<T>;
}

/** @returns flights that are forgotten as soon as they have landed, well or not */
export function createSingleFlight<T>(): SingleFlight<T> {
  const underWay = new Map<string, Promise<T>>();
  const next = new Map<string, Promise<T>>();

  async function join(key: string, start: () => Promise<T>): Promise<T> {
    const present = underWay.get(key);
    if (present) return present;
    const flight = start().finally(() => underWay.delete(key));
    underWay.set(key, flight);
    return flight;
  }

  async function begin(key: string, landed: Promise<unknown>, start: () => Promise<T>): Promise<T> {
    await landed.catch(() => undefined);
    next.delete(key);
    return join(key, start);
  }

  return {
    join,
    async joinNext(key, start) {
      const waiting = next.get(key);
      if (waiting) return waiting;
      const present = underWay.get(key);
      if (!present) return join(key, start);
      const flight = begin(key, present, start);
      next.set(key, flight);
      return flight;
    },
  };
}
