import { createRequire } from 'node:module';
import type { Server } from 'node:http';
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { createTableInput } from '../../infra/table-definition.ts';

/** What dynalite is made of; it ships no types. */
type MakeDynalite = (options: { createTableMs: number; path?: string }) => Server;

/** A DynamoDB in this process. */
export interface Dynalite {
  /** `http://127.0.0.1:<port>` */
  endpoint: string;
  client: DynamoDBClient;
  tableName: string;
  stop: () => Promise<void>;
}

/**
 * @param endpoint where a DynamoDB that is no AWS listens
 * @param credentials dummy keys unless told
 * @returns a client for it
 */
export function clientOf(endpoint: string, credentials = { accessKeyId: 'test', secretAccessKey: 'test' }): DynamoDBClient {
  return new DynamoDBClient({ endpoint, region: 'eu-central-1', credentials });
}

/** Makes the token table, from the one definition, unless it is there, and waits until it can be used. */
export async function createTable(client: DynamoDBClient, tableName: string): Promise<void> {
  await client.send(new CreateTableCommand(createTableInput(tableName))).catch((error: Error) => {
    if (error.name !== 'ResourceInUseException') throw error;
  });
  await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { TableName: tableName });
}

/**
 * Starts DynamoDB in process with the token table in it.
 *
 * @param options `port`: a free one by default; `path`: directory to keep data in, otherwise memory
 */
export async function startDynalite(options: { port?: number; path?: string; tableName?: string } = {}): Promise<Dynalite> {
  const { port = 0, path, tableName = 'tokens' } = options;
  const makeDynalite: MakeDynalite = createRequire(import.meta.url)('dynalite');
  const server = makeDynalite({ createTableMs: 0, ...(path === undefined ? {} : { path }) });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const endpoint = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`;
  const client = clientOf(endpoint);
  await createTable(client, tableName);
  return {
    endpoint,
    client,
    tableName,
    async stop() {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
