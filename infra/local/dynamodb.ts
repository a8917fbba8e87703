import { mkdirSync } from 'node:fs';
import type { RequestListener, Server } from 'node:http';
import { createRequire } from 'node:module';
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { createTableInput } from '../table-definition.ts';
import { namesAccessKey, strangersError, type AwsKeys } from './aws/keys.ts';
import { region } from './aws/protocol.ts';
import { errorAnswer, send } from './aws/server.ts';
import { close, listen, underOwnName } from './listen.ts';

/** What dynalite is made of; it ships no types. */
type MakeDynalite = (options: { createTableMs: number; path?: string }) => Server;

/** What dynalite keeps its tables in. */
interface Level {
  open(): Promise<void>;
  close(): Promise<void>;
}

const require = createRequire(import.meta.url);

/** The embedded DynamoDB while it runs. */
export interface LocalDynamoDb {
  /** what `AWS_ENDPOINT_URL_DYNAMODB` is set to */
  readonly endpoint: string;
  close(): Promise<void>;
}

/**
 * Starts DynamoDB in this process and makes the token table where there is none.
 *
 * @param keys without them nobody is answered
 * @param directory where the tables are kept; undefined: in memory
 * @throws Error with `code` `LEVEL_LOCKED` where another process has the directory
 */
export async function startDynamoDb(tableName: string, keys: AwsKeys, directory: string | undefined): Promise<LocalDynamoDb> {
  const makeDynalite: MakeDynalite = require('dynalite');
  if (directory !== undefined) await takeDirectory(directory);
  const server = makeDynalite({ createTableMs: 0, ...(directory === undefined ? {} : { path: directory }) });
  guard(server, keys);
  const endpoint = `http://127.0.0.1:${await listen(server)}`;
  await createTable(endpoint, keys, tableName);
  return { endpoint, close: () => close(server) };
}

/** Dynalite asks nobody who they are, and reads its requests itself: so what stands before it knows callers by the access key alone. */
function guard(server: Server, keys: AwsKeys): void {
  const dynalite = server.listeners('request');
  const guarded: RequestListener = (request, response) => {
    if (!namesAccessKey(request.headers.authorization, keys)) return send(response, errorAnswer(strangersError()));
    for (const answer of dynalite) Reflect.apply(answer, server, [request, response]);
  };
  server.removeAllListeners('request').on('request', underOwnName(guarded));
}

/** Dynalite opens its directory when it is first asked for something, and throws where nobody can catch it; so it is tried before. */
async function takeDirectory(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { ClassicLevel }: { ClassicLevel: new (path: string) => Level } = createRequire(require.resolve('dynalite'))('classic-level');
  const level = new ClassicLevel(directory);
  try {
    await level.open();
  } catch (error) {
    throw error instanceof Error && error.cause instanceof Error ? error.cause : error;
  }
  await level.close();
}

async function createTable(endpoint: string, keys: AwsKeys, tableName: string): Promise<void> {
  const client = new DynamoDBClient({ endpoint, region, credentials: keys });
  try {
    await client.send(new CreateTableCommand(createTableInput(tableName))).catch((error: Error) => {
      if (error.name !== 'ResourceInUseException') throw error;
    });
    await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { TableName: tableName });
  } finally {
    client.destroy();
  }
}
