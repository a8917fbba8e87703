import { createTokenTable } from '../../functions/adapters/token-table.ts';
import { startDynalite } from '../support/dynalite.ts';
import { realClock, silentTelemetry } from '../support/ports.ts';
import { describeTokenStore } from './token-store.ts';

describeTokenStore('dynalite', async () => {
  const { client, tableName, stop } = await startDynalite();
  return { store: createTokenTable({ client, tableName, clock: realClock, telemetry: silentTelemetry }), stop };
});
