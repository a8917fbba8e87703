import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Clock, Telemetry, TokenStore } from '../core/ports.ts';
import type { TokenSetKey } from '../core/token-set.ts';
import { accountOf, partitionOf } from '../core/token-set.ts';
import { observeClockSkew } from './clock-skew.ts';
import { accountSort, attributes as a, dataKeyPartition, indexes, tokenSetSortPrefix } from './token-table-attributes.ts';
import { createTableCalls } from './token-table-calls.ts';
import type { TableCalls } from './token-table-calls.ts';
import { isAbsent, putExpressions, revisionIs } from './token-table-expressions.ts';
import {
  accountKey,
  decodeAccount,
  decodeDueEntry,
  decodeKey,
  decodeTokenSet,
  encodeAccount,
  encodeKey,
  number,
  schemaVersion,
  text,
} from './token-table-items.ts';
import {
  acquireUpdate,
  clearFailureUpdate,
  commitUpdate,
  forgetUpdate,
  markWarmUpdate,
  moveDueUpdate,
  refuseRefreshTokenUpdate,
  releaseUpdate,
} from './token-table-updates.ts';

/** Longest time of one call, ms: inside what a renewal has left to commit. */
const defaultTimeoutMs = 1_000;

/** Entries of the due index and of a listing that one page asks for. */
const pageEntries = 500;

/** What the token table needs. */
export interface TokenTableOptions {
  client: DynamoDBClient;
  tableName: string;
  clock: Clock;
  telemetry: Telemetry;
  /** longest time of one call, retries of the SDK included, ms; 1 s */
  timeoutMs?: number | undefined;
}

/**
 * The token store in one DynamoDB table: single-item conditional writes, no transactions, nothing cached.
 *
 * @returns the store; its failures are `store_unavailable`, and `internal` for an item that a newer format wrote
 * @see docs/decisions/0002-item-format.md
 */
export function createTokenTable({ client, tableName, clock, telemetry, timeoutMs = defaultTimeoutMs }: TokenTableOptions): TokenStore {
  observeClockSkew(client, clock, telemetry);
  const table = createTableCalls(client, tableName, clock, timeoutMs);
  return { ...accountMethods(table), ...renewalMethods(table), ...scheduleMethods(table), ...dataKeyMethods(table) };
}

function accountMethods(table: TableCalls): Pick<TokenStore, 'peek' | 'readAccount' | 'writeAccount' | 'listAccounts' | 'listTokenSets'> {
  return {
    async peek(key) {
      const items = await table.getAll([{ partition: key.partition, sort: accountSort }, key]);
      const account = items.find((item) => decodeKey(item).sort === accountSort);
      const tokenSet = items.find((item) => decodeKey(item).sort === key.sort);
      return { account: account && decodeAccount(account), tokenSet: tokenSet && decodeTokenSet(tokenSet) };
    },
    async readAccount(ref) {
      const item = await table.get(accountKey(ref));
      return item && decodeAccount(item);
    },
    async writeAccount(account) {
      const before = account.revision - 1;
      return (await table.put(encodeAccount(account), putExpressions(before === 0 ? isAbsent : revisionIs(before)))).done;
    },
    async *listAccounts(provider, after = '') {
      const pages = table.query({
        IndexName: indexes.listing,
        // No account has an empty name, so that this is before the first one.
        KeyConditionExpression: `${a.listing} = :provider AND ${a.partition} > :after`,
        ExpressionAttributeValues: { ':provider': text(provider), ':after': text(partitionOf({ provider, account: after })) },
        ProjectionExpression: a.partition,
        Limit: pageEntries,
      });
      for await (const page of pages) yield page.map((item) => accountOf(decodeKey(item).partition));
    },
    async *listTokenSets(ref) {
      const pages = table.query({
        KeyConditionExpression: `${a.partition} = :partition AND begins_with(${a.sort}, :prefix)`,
        ExpressionAttributeValues: { ':partition': text(partitionOf(ref)), ':prefix': text(tokenSetSortPrefix) },
      });
      for await (const page of pages) yield page.map((item) => ({ key: decodeKey(item), item: decodeTokenSet(item) }));
    },
  };
}

function renewalMethods(
  table: TableCalls,
): Pick<TokenStore, 'readTokenSet' | 'acquire' | 'commit' | 'release' | 'refuseRefreshToken' | 'forget' | 'clearFailure'> {
  return {
    async readTokenSet(key) {
      const item = await table.get(key);
      return item && decodeTokenSet(item);
    },
    async acquire(key, request) {
      const written = await table.update(key, acquireUpdate(request), true);
      if (!written.done) return undefined;
      const before = written.before && decodeTokenSet(written.before);
      return { before, generation: before?.generation ?? request.nowMs };
    },
    commit: (key, generation, request) => done(table, key, commitUpdate(generation, request)),
    release: (key, generation, attempt, request) => done(table, key, releaseUpdate(generation, attempt, request)),
    refuseRefreshToken: (key, generation, attempt) => done(table, key, refuseRefreshTokenUpdate(generation, attempt)),
    forget: (key, generation, attempt) => done(table, key, forgetUpdate(generation, attempt)),
    clearFailure: (key, generation) => done(table, key, clearFailureUpdate(generation)),
  };
}

function scheduleMethods(table: TableCalls): Pick<TokenStore, 'markWarm' | 'moveDue' | 'queryDue'> {
  return {
    markWarm: (key, expiresAtMs, warm) => done(table, key, markWarmUpdate(expiresAtMs, warm)),
    moveDue: (key, generation, dueAtMs, newDueAtMs) => done(table, key, moveDueUpdate(generation, dueAtMs, newDueAtMs)),
    async *queryDue(shard, untilMs, limit) {
      let left = limit;
      const pages = table.query({
        IndexName: indexes.due,
        KeyConditionExpression: `${a.dueShard} = :shard AND ${a.dueAt} <= :until`,
        ExpressionAttributeValues: { ':shard': number(shard), ':until': number(untilMs) },
        ProjectionExpression: [a.partition, a.sort, a.dueAt, a.dueGroup].join(', '),
        Limit: Math.min(limit, pageEntries),
      });
      for await (const page of pages) {
        const entries = page.slice(0, left).map(decodeDueEntry);
        yield entries;
        left -= entries.length;
        if (left <= 0) return;
      }
    },
  };
}

function dataKeyMethods(table: TableCalls): Pick<TokenStore, 'readDataKey' | 'writeDataKey'> {
  return {
    async readDataKey(day) {
      return (await table.get(dataKeyOf(day)))?.[a.wrapped]?.B;
    },
    async writeDataKey(day, wrapped) {
      const item = { ...encodeKey(dataKeyOf(day)), [a.schema]: number(schemaVersion), [a.wrapped]: { B: wrapped } };
      return (await table.put(item, putExpressions(isAbsent))).done;
    },
  };
}

function dataKeyOf(day: number): TokenSetKey {
  return { partition: dataKeyPartition, sort: String(day) };
}

async function done(table: TableCalls, key: TokenSetKey, expressions: Parameters<TableCalls['update']>[1]): Promise<boolean> {
  return (await table.update(key, expressions)).done;
}
