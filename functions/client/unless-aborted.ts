/**
 * Waits for work that cannot be stopped, but only until somebody has enough of it.
 *
 * @param signal without one the work is waited for to its end
 * @returns what the work gives
 * @throws what the work throws; the signal's reason as soon as it is aborted, and then the work goes on unheard
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return work;
  const heard = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { signal: heard.signal });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    heard.abort();
  }
}
