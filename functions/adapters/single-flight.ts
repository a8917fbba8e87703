/**
 * Lets callers who ask for the same thing at the same time share one request. Nothing is kept once it is answered.
 *
 * @returns runs `work` unless a run of that name is under way, and gives the result of whichever it is
 */
export function createSingleFlight<T>(): (name: string, work: () => Promise<T>) => Promise<T> {
  const flights = new Map<string, Promise<T>>();
  return (name, work) => {
    const under = flights.get(name);
    if (under !== undefined) return under;
    const flight = work().finally(() => flights.delete(name));
    flights.set(name, flight);
    return flight;
  };
}
