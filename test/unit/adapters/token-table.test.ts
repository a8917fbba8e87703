import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { BatchGetItemCommand, DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { warmAttributes } from '../../../functions/adapters/token-table-attributes.ts';
import { encodeKey } from '../../../functions/adapters/token-table-items.ts';
import { markWarmUpdate } from '../../../functions/adapters/token-table-updates.ts';
import { createTokenTable } from '../../../functions/adapters/token-table.ts';
import type { AcquireRequest, CommitRequest } from '../../../functions/core/ports.ts';
import { clientOf, startDynalite } from '../../support/dynalite.ts';
import type { Dynalite } from '../../support/dynalite.ts';
import { handClock, realClock, recordingTelemetry, silentTelemetry } from '../../support/ports.ts';

const nowMs = 1_793_456_789_012;
const dayMs = 86_400_000;
const key = { partition: 'vidizmo/main', sort: 'set#x' };
const acquire: AcquireRequest = {
  judged: undefined,
  attempt: 'a',
  nowMs,
  leaseUntilMs: nowMs + 16_000,
  skewMs: 2_000,
  respectNotBefore: true,
};
const commit: CommitRequest = {
  attempt: 'a',
  sealed: new Uint8Array([1]),
  obtainedAtMs: nowMs,
  expiresAtMs: nowMs + 1_000,
  refreshExpiresAtMs: nowMs + dayMs,
  secretVersion: 'v',
  lifeMs: 1_000,
  warmUntilMs: undefined,
  due: undefined,
};

const seconds = (ms: number) => ({ N: String(Math.ceil(ms / 1_000)) });

describe('the token table, over DynamoDB', () => {
  const dynamo = mockClient(DynamoDBClient);
  const clock = handClock(nowMs);
  const table = createTokenTable({ client: new DynamoDBClient({}), tableName: 'tokens', clock, telemetry: silentTelemetry });
  afterEach(() => void dynamo.reset());
  afterAll(() => dynamo.restore());

  test('is unavailable, and says the code without the words', async () => {
    const message = 'User: arn:aws:sts::111122223333:assumed-role/x is not authorized';
    dynamo
      .on(GetItemCommand)
      .rejects(Object.assign(new Error(message), { name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } }));

    const failure = await table.readTokenSet(key).catch((error: unknown) => error);

    expect(failure).toMatchObject({
      code: 'store_unavailable',
      cause: { operation: 'dynamodb:GetItem', code: 'AccessDeniedException', status: 400 },
    });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('arn:');
  });

  test('is unavailable for a write whose fate is unknown, and never calls that a lost race', async () => {
    dynamo.on(UpdateItemCommand).rejects(Object.assign(new Error('x'), { name: 'InternalServerError' }));
    await expect(table.commit(key, 1, commit)).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(table.acquire(key, acquire)).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  test('asks again for keys that were left unread', async () => {
    const item = { ...encodeKey(key), g: { N: '7' }, v: { N: '1' } };
    dynamo
      .on(BatchGetItemCommand)
      .resolvesOnce({ Responses: { tokens: [] }, UnprocessedKeys: { tokens: { Keys: [encodeKey(key)] } } })
      .resolvesOnce({ Responses: { tokens: [item] } });

    expect((await table.peek(key)).tokenSet?.generation).toBe(7);
    expect(dynamo.commandCalls(BatchGetItemCommand)[1]?.args[0].input.RequestItems?.['tokens']?.Keys).toEqual([encodeKey(key)]);
  });

  test('gives up on keys that stay unread when the time-out is over', async () => {
    dynamo.on(BatchGetItemCommand).resolves({ UnprocessedKeys: { tokens: { Keys: [encodeKey(key)] } } });
    const startMs = clock.nowMs();
    await expect(table.peek(key)).rejects.toMatchObject({ code: 'store_unavailable', cause: { code: 'UnprocessedKeys' } });
    expect(clock.nowMs() - startMs).toBeLessThan(1_000);
  });

  test('reads strongly where something is decided by it', async () => {
    dynamo.on(GetItemCommand).resolves({});
    await Promise.all([table.readTokenSet(key), table.readAccount({ provider: 'vidizmo', account: 'main' }), table.readDataKey(7)]);
    expect(dynamo.commandCalls(GetItemCommand).map((call) => call.args[0].input.ConsistentRead)).toEqual([true, true, true]);
  });

  test('reads both items of a vend in one request, at half the price of a strong one', async () => {
    dynamo.on(BatchGetItemCommand).resolves({});
    await table.peek(key);
    const reads = dynamo.commandCalls(BatchGetItemCommand).map((call) => call.args[0].input.RequestItems?.['tokens']);
    expect(reads).toEqual([{ Keys: [encodeKey({ ...key, sort: '#' }), encodeKey(key)] }]);
  });

  test('does not take an item of a newer format for absent', async () => {
    dynamo.on(GetItemCommand).resolves({ Item: { ...encodeKey(key), g: { N: '7' }, v: { N: '2' } } });
    await expect(table.readTokenSet(key)).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('the token table, over a slow or skewed connection', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
  const serve = async (listener: RequestListener): Promise<DynamoDBClient> => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return clientOf(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`);
  };

  test.each<[string, RequestListener]>([
    ['no answer comes', () => {}],
    ['an answer begins and does not end', (_request, response) => void response.writeHead(200, { 'content-length': '9' }).write('{')],
  ])('ends a call within the time-out where %s', async (_title, listener) => {
    const client = await serve(listener);
    const table = createTokenTable({ client, tableName: 'tokens', clock: realClock, telemetry: silentTelemetry, timeoutMs: 50 });
    await expect(table.readTokenSet(key)).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  test.each([
    [0, []],
    [-1_500, []],
    [2_900, []],
    [-30_000, [{ name: 'ClockSkew', value: 30_000, unit: 'Milliseconds', dimension: 'dynamodb' }]],
    [30_000, [{ name: 'ClockSkew', value: 29_000, unit: 'Milliseconds', dimension: 'dynamodb' }]],
  ])('reports a clock that is %d ms ahead of DynamoDB only where that is more than is allowed', async (aheadMs, metrics) => {
    const client = await serve((_request, response) => {
      response
        .writeHead(200, { date: new Date(Math.floor(nowMs / 1_000) * 1_000).toUTCString(), 'content-type': 'application/x-amz-json-1.0' })
        .end('{}');
    });
    const telemetry = recordingTelemetry();
    const clock = handClock(Math.floor(nowMs / 1_000) * 1_000 + aheadMs);
    await createTokenTable({ client, tableName: 'tokens', clock, telemetry }).readTokenSet(key);
    expect(telemetry.metrics).toEqual(metrics);
  });
});

describe('the token table, as it stands in the database', () => {
  let database: Dynalite;
  beforeAll(async () => {
    database = await startDynalite();
  });
  afterAll(() => database.stop());
  const tableOf = () => createTokenTable({ client: database.client, tableName: 'tokens', clock: realClock, telemetry: silentTelemetry });
  const raw = async (sort: string) => {
    const command = new GetItemCommand({ TableName: 'tokens', Key: encodeKey({ ...key, sort }) });
    return (await database.client.send(command)).Item;
  };

  test('lets the TTL delete a set 7 days after it was acquired in vain, or after the later of both ends', async () => {
    await tableOf().acquire({ ...key, sort: 'set#ttl' }, acquire);
    expect((await raw('set#ttl'))?.['ttl']).toEqual(seconds(nowMs + 7 * dayMs));

    await tableOf().commit({ ...key, sort: 'set#ttl' }, nowMs, commit);
    expect((await raw('set#ttl'))?.['ttl']).toEqual(seconds(nowMs + 8 * dayMs));

    await tableOf().acquire({ ...key, sort: 'set#ttl' }, { ...acquire, judged: nowMs + 1, nowMs: nowMs + dayMs });
    expect((await raw('set#ttl'))?.['ttl']).toEqual(seconds(nowMs + 8 * dayMs));
  });

  test('never lets the TTL delete a set that persists, an account or a data key', async () => {
    const persistent = { ...key, sort: 'set#persists' };
    await tableOf().acquire(persistent, acquire);
    await tableOf().commit(persistent, nowMs, { ...commit, persists: true });
    await tableOf().acquire(persistent, { ...acquire, judged: nowMs + 1 });
    expect(new Date(Number((await raw(persistent.sort))?.['ttl']?.N) * 1_000).getUTCFullYear()).toBe(2286);

    const account = { ref: { provider: 'vidizmo', account: 'main' }, revision: 1, secretVersion: 'v', identity: 'i', proven: false };
    await tableOf().writeAccount({ ...account, refused: 0, unanswered: {}, outages: 0, clientRefused: false, keep: false });
    expect(await raw('#')).not.toHaveProperty('ttl');
  });

  test("an acquire leaves the format's number of an older item alone, and a commit writes today's", async () => {
    const old = { ...key, sort: 'set#old' };
    await database.client.send(
      new UpdateItemCommand({
        TableName: 'tokens',
        Key: encodeKey(old),
        UpdateExpression: 'SET g = :g, v = :v',
        ExpressionAttributeValues: { ':g': { N: '5' }, ':v': { N: '0' } },
      }),
    );
    await tableOf()
      .acquire(old, { ...acquire, judged: 5 })
      .catch(() => undefined);
    expect((await raw(old.sort))?.['v']).toEqual({ N: '0' });

    await tableOf().commit(old, 5, commit);
    expect((await raw(old.sort))?.['v']).toEqual({ N: '1' });
  });

  test('the one write of a vend names no attribute outside of its rights', () => {
    const update = markWarmUpdate(1, { warmUntilMs: 2, due: { shard: 0, atMs: 3, group: 'x' } });
    expect(warmAttributes).toEqual(expect.arrayContaining(Object.values(update.ExpressionAttributeNames)));
  });
});
