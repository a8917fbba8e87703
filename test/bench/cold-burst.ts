import { Crowd } from '../burst/crowd.ts';

const CALLERS = 1_000;

/** How long the slowest of a thousand cold callers of one key waits, over 8 processes, at a provider that takes 400 ms and more. */
export async function measureColdBurst() {
  const crowd = new Crowd(['cold-0'], 400);
  await crowd.start();
  const wanted = { callers: CALLERS, keys: 1, account: 'cold', accountPerKey: true, instances: 8, keysApart: false };
  const { reports, seen } = await crowd.burst(wanted);
  crowd.end();
  return { callers: CALLERS, logIns: seen.logIns, slowestWaitMs: Math.max(...reports.map(({ slowestMs }) => slowestMs)) };
}
