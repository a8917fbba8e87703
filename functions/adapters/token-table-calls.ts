import { BatchGetItemCommand, GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient, QueryCommandInput } from '@aws-sdk/client-dynamodb';
import type { Clock } from '../core/ports.ts';
import type { TokenSetKey } from '../core/token-set.ts';
import { awsCodeOf, awsFailure } from './aws-failure.ts';
import { encodeKey } from './token-table-items.ts';
import type { Item } from './token-table-items.ts';
import type { UpdateExpressions } from './token-table-expressions.ts';

/** What a conditional write came to; `before` only where it was asked for and there was an item. */
export type Written = { done: false } | { done: true; before?: Item | undefined };

/** The few calls that the token table is made of. Every call ends within the time-out, by an answer or `store_unavailable`. */
export interface TableCalls {
  /** Strongly consistent. */
  get(key: TokenSetKey): Promise<Item | undefined>;
  /** Eventually consistent; items come in no order. */
  getAll(keys: readonly TokenSetKey[]): Promise<readonly Item[]>;
  put(item: Item, expressions: Omit<UpdateExpressions, 'UpdateExpression'>): Promise<Written>;
  update(key: TokenSetKey, expressions: UpdateExpressions, returnBefore?: boolean): Promise<Written>;
  /** One page at a time, until the end or until the reader stops. */
  query(input: Omit<QueryCommandInput, 'TableName'>): AsyncIterable<readonly Item[]>;
}

/** First wait before asking again for keys that DynamoDB left unread, ms; doubles. */
const unprocessedWaitMs = 20;

/**
 * @param timeoutMs longest time for one call, retries of the SDK included, ms
 */
export function createTableCalls(client: DynamoDBClient, tableName: string, clock: Clock, timeoutMs: number): TableCalls {
  const limit = () => ({ abortSignal: AbortSignal.timeout(timeoutMs) });
  return {
    async get(key) {
      const command = new GetItemCommand({ TableName: tableName, Key: encodeKey(key), ConsistentRead: true });
      return (await reading('dynamodb:GetItem', () => client.send(command, limit()))).Item;
    },
    getAll: (keys) => reading('dynamodb:BatchGetItem', () => getAll(client, tableName, keys, clock, limit(), clock.nowMs() + timeoutMs)),
    put: (item, expressions) =>
      conditional('dynamodb:PutItem', () => client.send(new PutItemCommand({ TableName: tableName, Item: item, ...expressions }), limit())),
    update(key, expressions, returnBefore = false) {
      const returned = returnBefore ? ({ ReturnValues: 'ALL_OLD' } as const) : {};
      const command = new UpdateItemCommand({ TableName: tableName, Key: encodeKey(key), ...expressions, ...returned });
      return conditional('dynamodb:UpdateItem', () => client.send(command, limit()));
    },
    async *query(input) {
      let from: Item | undefined;
      do {
        const command = new QueryCommand({ TableName: tableName, ...input, ...(from === undefined ? {} : { ExclusiveStartKey: from }) });
        const page = await reading('dynamodb:Query', () => client.send(command, limit()));
        if (page.Items !== undefined && page.Items.length > 0) yield page.Items;
        from = page.LastEvaluatedKey;
      } while (from !== undefined);
    },
  };
}

async function conditional(operation: string, write: () => Promise<{ Attributes?: Item | undefined }>): Promise<Written> {
  try {
    return { done: true, before: (await write()).Attributes };
  } catch (error) {
    if (awsCodeOf(error) === 'ConditionalCheckFailedException') return { done: false };
    throw awsFailure('store_unavailable', operation, error);
  }
}

async function reading<T>(operation: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw awsFailure('store_unavailable', operation, error);
  }
}

async function getAll(
  client: DynamoDBClient,
  tableName: string,
  keys: readonly TokenSetKey[],
  clock: Clock,
  limit: { abortSignal: AbortSignal },
  deadlineMs: number,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let unread: Item[] = keys.map(encodeKey);
  for (let waitMs = unprocessedWaitMs; ; waitMs *= 2) {
    const answer = await client.send(new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys: unread } } }), limit);
    items.push(...(answer.Responses?.[tableName] ?? []));
    unread = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
    if (unread.length === 0) return items;
    if (clock.nowMs() + waitMs >= deadlineMs) throw new UnprocessedKeysError();
    await clock.sleep(waitMs);
  }
}

/** DynamoDB kept leaving keys unread: it is out of capacity. */
class UnprocessedKeysError extends Error {
  override name = 'UnprocessedKeys';
}
