/**
 * A token bucket.
 *
 * @param limits undefined lets everything through
 * @returns whether a request may pass now (ms since the epoch)
 */
export function createBucket(limits: { ratePerSecond: number; burst: number } | undefined): (nowMs: number) => boolean {
  if (limits === undefined) return () => true;
  let tokens = limits.burst;
  let filledAtMs = 0;
  return (nowMs) => {
    const gained = filledAtMs === 0 ? 0 : ((nowMs - filledAtMs) / 1000) * limits.ratePerSecond;
    tokens = Math.min(limits.burst, tokens + gained);
    filledAtMs = nowMs;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
