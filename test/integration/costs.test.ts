import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { viewLines } from '../../infra/local/log-view.ts';
import { startLocalStack, type LocalStack } from '../../infra/local/stack.ts';
import { startCountingProxy, type CountingProxy } from '../support/counting-proxy.ts';

// The calls that docs/costs.md multiplies by prices. A change here is a change there.

const clock = { aheadMs: 0 };
const now = Date.now;
let table: CountingProxy;
let stack: LocalStack;
let showLines: () => void;
let written = 0;

async function vend(account = 'movingimage/main'): Promise<void> {
  const headers = { authorization: `Bearer ${stack.callers.developer.jwt}` };
  const { status } = await fetch(`${stack.url}/v1/tokens/${account}`, { method: 'POST', headers });
  expect(status).toBe(200);
}

/** What something costs in calls: of the table by name, of everything else by service and name. */
async function callsOf(work: () => Promise<void>): Promise<Record<string, number>> {
  const before = stack.aws.counters();
  table.taken();
  await work();
  const calls: Record<string, number> = {};
  for (const operation of table.taken()) calls[operation] = (calls[operation] ?? 0) + 1;
  for (const [name, count] of Object.entries(stack.aws.counters())) {
    if (count > (before[name] ?? 0) && name !== 'sqs.ReceiveMessage') calls[name] = count - (before[name] ?? 0);
  }
  return calls;
}

beforeAll(async () => {
  Date.now = () => now() + clock.aheadMs;
  showLines = viewLines((line) => {
    written += Buffer.byteLength(line);
    return undefined;
  });
  table = await startCountingProxy();
  stack = await startLocalStack({ lifeSeconds: 3_600, environment: { AWS_ENDPOINT_URL_DYNAMODB: table.origin } });
  table.connect(stack.dynamodbEndpoint);
  await vend();
  // The grants and the data key are in memory now, and the set is warm.
  clock.aheadMs += 20_000;
  await vend();
});
afterAll(async () => {
  await stack.stop();
  await table.close();
  showLines();
  Date.now = now;
});

describe('what a call costs', () => {
  test('a vend past the memory reads both items with one request, and one from memory nothing', async () => {
    clock.aheadMs += 11_000;
    expect(await callsOf(() => vend())).toEqual({ BatchGetItem: 1 });
    expect(await callsOf(() => vend())).toEqual({});
  });

  test('a vend of a platform whose refresh may end the old token reads the table each time', async () => {
    await vend('vidizmo/main');
    expect(await callsOf(() => vend('vidizmo/main'))).toEqual({ BatchGetItem: 1 });
  });

  test('a vend writes less than a kilobyte of log', async () => {
    const before = written;
    await vend();
    expect(written - before).toBeGreaterThan(300);
    expect(written - before).toBeLessThan(1_024);
  });

  test('a tick with nothing due is two queries: its shard, and one that is none any more', async () => {
    expect(await callsOf(() => stack.tick())).toEqual({ Query: 2 });
  });

  test('each of two renewals by the schedule is two reads, two writes and its secret; the rest they share', async () => {
    clock.aheadMs += 3_400_000;
    expect(await callsOf(() => stack.tick())).toEqual({
      Query: 2,
      'sqs.SendMessageBatch': 1,
      // account and token set, twice, and the data key of the day
      GetItem: 5,
      'secretsmanager.GetSecretValue': 2,
      'kms.Decrypt': 1,
      // acquire and commit, twice
      UpdateItem: 4,
    });
  });
});
