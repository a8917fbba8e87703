// npm run test:load [-- --seconds N --accounts N --rate N --life N]: the local stack under load, for real.
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseArgs } from 'node:util';
import { readAuditLines } from './load/audit-lines.ts';
import { createLoadCaller } from './load/caller.ts';
import { startCrowdedStack } from './load/crowded-stack.ts';
import { median } from './bench/median.ts';
import { createChecks, print } from './support/processes/checks.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    accounts: { type: 'string' },
    rate: { type: 'string', default: '200' },
    life: { type: 'string' },
  },
});
const [seconds, rate] = [Number(values.seconds), Number(values.rate)];
// A short run still sees every set renewed, so its tokens live shorter, and there are fewer of them to renew.
const isShort = seconds < 300;
const accounts = Number(values.accounts ?? (isShort ? 200 : 1_000));
const lifeSeconds = Number(values.life ?? (isShort ? 130 : 300));
const LATENCY_MS = 400;
const TICK_MS = 15_000;
const TOGETHER = 10;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
const heapMegabytes = (): number => {
  collectGarbage();
  return Math.round(process.memoryUsage().heapUsed / 1024 ** 2);
};

const lines = readAuditLines();
const crowded = await startCrowdedStack({ accounts, lifeSeconds, latencyMs: LATENCY_MS, tickMs: TICK_MS, databaseApart: true });
const caller = createLoadCaller(crowded.stack);
const statuses: Record<string, number> = {};
const times: number[] = [];
async function vend(account: string): Promise<void> {
  const { status, body, tookMs } = await caller.vend(account).catch((error: Error) => ({ status: 0, body: error.message, tookMs: 0 }));
  const word = status === 200 ? '200' : `${status} ${body.slice(0, 100)}`;
  statuses[word] = (statuses[word] ?? 0) + 1;
  times.push(tookMs);
}

print(`${accounts} accounts at simulators of ${LATENCY_MS} ms, tokens of ${lifeSeconds} s, ${rate} vends a second for ${seconds} s`);
const startedMs = Date.now();
const cold = [...crowded.accounts];
await Promise.all(
  Array.from({ length: TOGETHER }, async () => {
    for (let account = cold.pop(); account !== undefined; account = cold.pop()) await vend(account);
  }),
);
print(`first vends: ${Math.round((Date.now() - startedMs) / 1_000)} s, ${JSON.stringify(statuses)}`);
lines.reset();
times.length = 0;

// Ten times a second; who is late catches up, as callers do not wait for each other.
const loadStartedMs = Date.now();
const underWay = new Set<Promise<void>>();
let asked = 0;
let earlyHeap = 0;
for (let elapsedMs = 0; elapsedMs < seconds * 1_000; elapsedMs = Date.now() - loadStartedMs) {
  for (; asked < (elapsedMs / 1_000) * rate; asked++) {
    const call = vend(crowded.accounts[Math.floor(Math.random() * accounts)] ?? '').finally(() => underWay.delete(call));
    underWay.add(call);
  }
  if (earlyHeap === 0 && elapsedMs > seconds * 300) earlyHeap = heapMegabytes();
  await wait(100);
}
await Promise.all(underWay);
const lateHeap = heapMegabytes();

const { check, close } = createChecks();
const answered = Object.values(lines.vendsFrom).reduce((sum, count) => sum + count, 0);
const renewals = Object.values(crowded.simulators.byProvider).reduce((sum, { counters }) => sum + counters.refreshes, 0);
check('no call failed', Object.keys(statuses).length === 1 && statuses['200'] === asked + accounts, JSON.stringify(statuses));
check('no vend of a warm set waited for a provider', (lines.vendsFrom['renewal'] ?? 0) === 0, JSON.stringify(lines.vendsFrom));
check('log-ins are as many as accounts', crowded.logIns() === accounts, `${crowded.logIns()} log-ins, ${renewals} refreshes`);
check('memory is flat', lateHeap <= earlyHeap * 1.25 + 10, `${earlyHeap} MB after a third of the time, ${lateHeap} MB at the end`);
check('every call was audited', answered === asked, `${answered} of ${asked}`);
const slowest = Math.round(Math.max(...times));
print(`said besides: ${JSON.stringify(lines.codes)}`);
print(`${asked} vends, ${renewals} refreshes by the schedule, median ${median(times).toFixed(1)} ms, slowest ${slowest} ms`);
caller.close();
await crowded.stop();
lines.stop();
close();
process.exit();
