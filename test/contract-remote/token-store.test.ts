import { createTokenTable } from '../../functions/adapters/token-table.ts';
import { describeTokenStore } from '../contract/token-store.ts';
import { clientOf, createTable } from '../support/dynalite.ts';
import { realClock, silentTelemetry } from '../support/ports.ts';

/** `name=url,name=url`: DynamoDBs that are running, each of which gets a table of its own for this run. */
const endpoints = (process.env['DYNAMODB_ENDPOINTS'] ?? '').split(',').filter((entry) => entry !== '');
if (endpoints.length === 0) throw new Error('DYNAMODB_ENDPOINTS must name at least one database: name=url,…');

for (const entry of endpoints) {
  const [name = '', url = ''] = entry.split('=');
  describeTokenStore(name, async () => {
    const client = clientOf(url);
    const tableName = `tokens-${process.pid}`;
    await createTable(client, tableName);
    // An emulator on a busy machine may be slower than AWS: the time-out is not what is tried here.
    const table = createTokenTable({ client, tableName, clock: realClock, telemetry: silentTelemetry, timeoutMs: 10_000 });
    return { store: table, stop: async () => client.destroy() };
  });
}
