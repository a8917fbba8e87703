import { setTimeout as wait } from 'node:timers/promises';
import { createLoadCaller, type LoadCaller } from '../load/caller.ts';
import { startCrowdedStack } from '../load/crowded-stack.ts';
import { countEndpoints, per } from './endpoint-counts.ts';

const WARM_VENDS = 1_000;
const RATE = 100;
const ACCOUNTS = 40;
/** Due 22 to 40 s after it was obtained: near the shortest life whose renewals are scheduled, so that the bench need not wait long. */
const LIFE_SECONDS = 130;
/** Past the minute for which a secret is held in memory, because renewals of one account are rarely closer together. */
const UNTIL_DUE_MS = 62_000;

/** AWS calls of warm vends and of scheduled renewals, as the loopback endpoints count them. */
export async function measureAwsCalls() {
  const counts = countEndpoints();
  const crowded = await startCrowdedStack({ accounts: ACCOUNTS, lifeSeconds: LIFE_SECONDS, latencyMs: 5 });
  const caller = createLoadCaller(crowded.stack);
  try {
    counts.take();
    for (const account of crowded.accounts) await vend(caller, account);
    const firstVend = per(counts.take(), ACCOUNTS);
    const obtainedMs = Date.now();
    const warm = crowded.accounts.find((account) => account.startsWith('movingimage/')) ?? '';
    const waits: number[] = [];
    for (let index = 0; index < WARM_VENDS; index += RATE / 20) {
      const due = obtainedMs + (index * 1_000) / RATE;
      await wait(Math.max(0, due - Date.now()));
      waits.push(...(await Promise.all(Array.from({ length: RATE / 20 }, () => vend(caller, warm)))));
    }
    const warmVends = counts.take();
    await wait(Math.max(0, obtainedMs + UNTIL_DUE_MS - Date.now()));
    // The queue is polled all the time; what an idle one is asked is not the renewals'.
    const refreshed = () => Object.values(crowded.simulators.byProvider).reduce((sum, { counters }) => sum + counters.refreshes, 0);
    const before = refreshed();
    counts.take();
    await crowded.stack.tick();
    const renewals = refreshed() - before;
    if (renewals < ACCOUNTS) throw new Error(`${renewals} of ${ACCOUNTS} sets were renewed: this machine is too busy to count on`);
    return {
      firstVend,
      per1000WarmVends: warmVends,
      renewals,
      perRenewal: per(counts.take(), renewals),
      goals: {
        dynamoDbReadsPer1000: { counted: readsOf(warmVends), goal: 10 },
        secretsManagerPer1000: { counted: sumOf(warmVends, /^secretsmanager\./), goal: 0 },
        kmsPer1000: { counted: sumOf(warmVends, /^kms\./), goal: 1 },
      },
    };
  } finally {
    caller.close();
    await crowded.stop();
    counts.stop();
  }
}

async function vend(caller: LoadCaller, account: string): Promise<number> {
  const { status, body, tookMs } = await caller.vend(account);
  if (status !== 200) throw new Error(`${account} answered ${status}: ${body}`);
  return tookMs;
}

function readsOf(counts: Readonly<Record<string, number>>): number {
  return sumOf(counts, /^dynamodb.*\.(getitem|batchgetitem|query)$/);
}

function sumOf(counts: Readonly<Record<string, number>>, pattern: RegExp): number {
  return Object.entries(counts).reduce((sum, [name, count]) => (pattern.test(name) ? sum + count : sum), 0);
}
