import { setTimeout as wait } from 'node:timers/promises';
import { createTokenTable } from '../../functions/adapters/token-table.ts';
import { createSystemRandomness } from '../../functions/adapters/system.ts';
import type { ProviderFetch } from '../../functions/core/ports.ts';
import { timing } from '../../functions/core/timing.ts';
import { keyOf } from '../../functions/core/token-set.ts';
import { renewTokenSetsHandler } from '../../functions/handlers/renew-token-sets.ts';
import { clientOf } from '../support/dynalite.ts';
import { realClock, silentTelemetry } from '../support/ports.ts';
import { composeInstance, secretsAt } from '../support/processes/composition.ts';
import { startDatabase } from '../support/processes/database.ts';
import { aProvider, traitsOf } from '../support/world/a-provider.ts';
import { strictRotation } from '../support/world/fake-provider.ts';
import { median, rounded } from './median.ts';
import { aContext } from '../support/lambda-context.ts';

const LATENCY_MS = 400;
const LIFE_SECONDS = 130;
/** A batch holds ten messages, and each of these holds one account's one set. */
const CONCURRENCY = 10;
const BATCHES = 12;

const provider = aProvider('bench', traitsOf({ ...strictRotation, lifeSeconds: LIFE_SECONDS }));

/** Renewals a second of one worker, batch after batch, at a provider that takes 400 ms: the real table, handler and core. */
export async function measureWorker() {
  const database = await startDatabase();
  const client = clientOf(database.endpoint);
  const { tableName } = database;
  let serial = 0;
  const fetch: ProviderFetch = async () => {
    const sentAtMs = Date.now();
    await wait(LATENCY_MS);
    serial += 1;
    const body = { access: `at-${serial}-${'a'.repeat(1_000)}`, refresh: `rt-${serial}`, expires_in: LIFE_SECONDS };
    return { answer: { status: 200, headers: {}, text: JSON.stringify(body), sentAtMs } };
  };
  const parts = { client, tableName, clock: realClock, telemetry: silentTelemetry, random: createSystemRandomness() };
  const secrets = secretsAt('https://bench.example');
  const { renew } = composeInstance({ ...parts, fetch, secrets, provider, timing, storeTimeoutMs: 10_000, functionMs: 30_000 });
  const codec = { decodeCommand: notInvoked, encodeOutcome: notInvoked };
  const worker = renewTokenSetsHandler({
    ...parts,
    renewTokenSet: renew,
    giveBack: async () => notInvoked(),
    codec,
    timing,
    secretPrefix: 'bench',
  });
  const store = createTokenTable({ ...parts, timeoutMs: 10_000 });

  const accounts = Array.from({ length: BATCHES * CONCURRENCY }, (_, index) => ({ provider: provider.id, account: `a${index}` }));
  for (let from = 0; from < accounts.length; from += CONCURRENCY) {
    const some = accounts.slice(from, from + CONCURRENCY);
    await Promise.all(
      some.map((ref) => renew({ command: 'renew', ref, parameters: {}, minTtlMs: 0 }, { deadlineMs: Date.now() + 30_000 })),
    );
  }
  await wait(timing.spacing.atLeastMs);
  const bodies: string[] = [];
  for (const ref of accounts) {
    const key = keyOf(ref, {});
    const item = await store.readTokenSet(key);
    const dueAtMs = Date.now() - 1;
    await store.moveDue(key, item?.generation ?? 0, item?.dueAtMs ?? 0, dueAtMs);
    bodies.push(JSON.stringify({ partition: key.partition, sets: [{ sort: key.sort, dueAtMs }], sentAtMs: Date.now() }));
  }
  const before = serial;
  const batchMs: number[] = [];
  for (let from = 0; from < bodies.length; from += CONCURRENCY) {
    const batch = bodies.slice(from, from + CONCURRENCY);
    const startedMs = performance.now();
    await worker(
      { Records: batch.map((body, index) => ({ eventSource: 'aws:sqs', messageId: String(index), receiptHandle: String(index), body })) },
      aContext(30_000),
    );
    batchMs.push(performance.now() - startedMs);
  }
  const perSecond = (CONCURRENCY * 1_000) / median(batchMs);
  client.destroy();
  database.child.kill();
  if (serial - before !== accounts.length) throw new Error(`${serial - before} of ${accounts.length} sets were renewed`);
  const possible = CONCURRENCY / (LATENCY_MS / 1_000);
  return { perSecond: rounded(perSecond), concurrency: CONCURRENCY, possible, ratio: rounded(perSecond / possible), goal: 0.9 };
}

function notInvoked(): never {
  throw new Error('this worker is fed by the queue alone');
}
