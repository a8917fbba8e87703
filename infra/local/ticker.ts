/**
 * The schedule of a local run: starts a tick, waits for its end, and starts the next one an interval after the last began.
 *
 * @param intervalMs a minute in production
 * @param tick must not throw
 * @returns stops it; resolves when a tick that is under way is done
 */
export function startTicker(intervalMs: number, tick: () => Promise<void>): () => Promise<void> {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const once = async () => {
    const startedMs = Date.now();
    await tick();
    if (!stopped) next(Math.max(0, intervalMs - (Date.now() - startedMs)));
  };
  const next = (delayMs: number) => {
    timer = setTimeout(() => {
      running = once();
    }, delayMs);
  };
  next(intervalMs);
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
