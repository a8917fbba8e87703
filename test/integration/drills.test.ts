import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { region } from '../../infra/local/aws/protocol.ts';
import { viewLines } from '../../infra/local/log-view.ts';
import { startLocalStack, type LocalStack } from '../../infra/local/stack.ts';
import { createTableInput } from '../../infra/table-definition.ts';

// The drills of docs/runbook.md, step by step.

const root = path.join(import.meta.dirname, '..', '..');
const account = 'movingimage/main';
const clock = { aheadMs: 0 };
const now = Date.now;
let stack: LocalStack;
let showLines: () => void;

async function vend(): Promise<{ status: number; body: Record<string, unknown>; retryAfter: string | null }> {
  const headers = { authorization: `Bearer ${stack.callers.developer.jwt}` };
  const answer = await fetch(`${stack.url}/v1/tokens/${account}`, { method: 'POST', headers });
  const body: Record<string, unknown> = JSON.parse(await answer.text());
  return { status: answer.status, body, retryAfter: answer.headers.get('retry-after') };
}

const counters = () => ({ ...stack.simulators?.byProvider.movingimage.counters });

beforeAll(() => {
  Date.now = () => now() + clock.aheadMs;
  showLines = viewLines(() => undefined);
});
afterEach(() => {
  clock.aheadMs = 0;
});
afterAll(() => {
  Date.now = now;
  showLines();
});

const kms = () => new KMSClient({ endpoint: stack.aws.origin, region, credentials: stack.awsKeys });
const dynamodb = () => new DynamoDBClient({ endpoint: stack.dynamodbEndpoint, region, credentials: stack.awsKeys });

const itemsOf = async (table: string) => (await dynamodb().send(new ScanCommand({ TableName: table }))).Items ?? [];

/** What `aws dynamodb restore-table-to-point-in-time` leaves: another table with the items of then. */
async function restoreTo(table: string, items: readonly Record<string, AttributeValue>[]): Promise<void> {
  const client = dynamodb();
  await client.send(new CreateTableCommand(createTableInput(table)));
  // A table that is being created takes no item yet.
  await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { TableName: table });
  for (const item of items) await client.send(new PutItemCommand({ TableName: table, Item: item }));
}

describe('the drill in which the key is disabled', () => {
  beforeAll(async () => {
    stack = await startLocalStack({ lifeSeconds: 3_600 });
  });
  afterAll(() => stack.stop());

  test('shuts within five minutes, says why, and opens again with nothing lost and nobody logged in', async () => {
    const before = await vend();
    expect(before.status).toBe(200);
    await kms().send(new DisableKeyCommand({ KeyId: stack.aws.keyId }));
    clock.aheadMs = 5 * 60_000 + 1_000;
    const shut = await vend();
    expect(shut).toMatchObject({ status: 503, body: { code: 'keys_unavailable' }, retryAfter: expect.any(String) });
    expect(JSON.stringify(shut.body)).not.toContain(String(before.body['access_token']));

    await kms().send(new EnableKeyCommand({ KeyId: stack.aws.keyId }));
    const after = await vend();
    expect(after).toMatchObject({ status: 200, body: { access_token: before.body['access_token'] } });
    expect(counters()).toMatchObject({ logins: 1, refreshes: 0 });
  });
});

describe('the drill in which the table is restored', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'token-vending-drill-'));
    stack = await startLocalStack({ dataDirectory: directory, lifeSeconds: 3_600 });
  });
  afterAll(async () => {
    await stack.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test('brings back what was lost, vends it while it lives, and then logs in rather than replay an old refresh token', async () => {
    const first = await vend();
    const backup = await itemsOf('local');
    // The refresh token of the backup is spent by a renewal after it: the next use would end the session.
    clock.aheadMs = 3_400_000;
    const renewed = await vend();
    expect(renewed.body['access_token']).not.toBe(first.body['access_token']);
    expect(counters()).toMatchObject({ logins: 1, refreshes: 1 });
    clock.aheadMs = 0;

    // The disaster.
    for (const { pk = { S: '' }, sk = { S: '' } } of await itemsOf('local')) {
      await dynamodb().send(new DeleteItemCommand({ TableName: 'local', Key: { pk, sk } }));
    }
    await restoreTo('restored', backup);

    // Deployed anew with `restoreEpochMs`, and the missing items copied.
    const restoreEpochMs = Date.now();
    await stack.stop();
    stack = await startLocalStack({
      dataDirectory: directory,
      lifeSeconds: 3_600,
      environment: { RESTORE_EPOCH_MS: String(restoreEpochMs) },
    });
    const args = ['infra/restore.ts', '--from', 'restored', '--local', stack.url];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
    expect(stdout).toMatch(/^\d+ of \d+ items were missing in local and are there again\.\n$/);

    // The sealed sets open, because they are bound to the deployment and not to the table.
    expect((await vend()).body['access_token']).toBe(first.body['access_token']);
    expect(counters()).toMatchObject({ logins: 0, refreshes: 0 });
    clock.aheadMs = 3_500_000;
    expect((await vend()).status).toBe(200);
    expect(counters()).toMatchObject({ logins: 1, refreshes: 0, reused: 0 });
  });
});
