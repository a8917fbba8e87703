/** One promise per key at a time: who comes while it is under way gets the same one. */
export interface SingleFlight<T> {
  /** @param start begins the work where none is under way under this key */
  join(key: string, start: () => Promise<T>): Promise<T>;
}

/** @returns flights that are forgotten as soon as they have landed, well or not */
export function createSingleFlight<T>(): SingleFlight<T> {
  const underWay = new Map<string, Promise<T>>();
  return {
    async join(key, start) {
      const present = underWay.get(key);
      if (present) return present;
      const flight = start().finally(() => underWay.delete(key));
      underWay.set(key, flight);
      return flight;
    },
  };
}
