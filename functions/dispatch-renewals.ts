import { createDynamoDb, createSqs } from './adapters/aws-clients.ts';
import { createRenewalQueue } from './adapters/renewal-queue.ts';
import { createSystemClock } from './adapters/system.ts';
import { createTelemetry } from './adapters/telemetry.ts';
import { createTokenTable } from './adapters/token-table.ts';
import { configurations, readConfiguration } from './configuration.ts';
import { createDispatchRenewals } from './core/dispatch-renewals.ts';
import { timing } from './core/timing.ts';
import { dispatchRenewalsHandler } from './handlers/dispatch-renewals.ts';
import { providersById } from './providers/index.ts';

const { TABLE_NAME, DEPLOYMENT, QUEUE_URL, DUE_SHARDS } = readConfiguration(configurations.dispatchRenewals, process.env);

const clock = createSystemClock();
const telemetry = createTelemetry({ clock, namespace: DEPLOYMENT });

const dispatchRenewals = createDispatchRenewals({
  store: createTokenTable({ client: createDynamoDb(), tableName: TABLE_NAME, clock, telemetry }),
  queue: createRenewalQueue({ sqs: createSqs, queueUrl: QUEUE_URL }),
  clock,
  telemetry,
  timing,
  providers: providersById(),
  dueShards: DUE_SHARDS,
});

/** Finds what is due and queues it; can open nothing. */
export const handler = dispatchRenewalsHandler({ dispatchRenewals, telemetry });
