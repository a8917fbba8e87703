import { createDynamoDb, createKms, createLambda, createSsm } from './adapters/aws-clients.ts';
import { createDataKeys } from './adapters/data-keys.ts';
import { createLambdaRenewals } from './adapters/lambda-renewals.ts';
import { createSsmGrants } from './adapters/ssm-grants.ts';
import { createSystemClock, createSystemRandomness } from './adapters/system.ts';
import { createTelemetry } from './adapters/telemetry.ts';
import { createTokenTable } from './adapters/token-table.ts';
import { configurations, readConfiguration } from './configuration.ts';
import { timing } from './core/timing.ts';
import { createVendToken } from './core/vend-token.ts';
import { vendTokenHandler } from './handlers/vend-token.ts';
import { providersById } from './providers/index.ts';

const configuration = readConfiguration(configurations.vendToken, process.env);
const { TABLE_NAME, DEPLOYMENT, DUE_SHARDS, KEY_ID, RENEW_FUNCTION, GRANTS_PATH, CALLERS, RESTORE_EPOCH_MS } = configuration;

const clock = createSystemClock();
const random = createSystemRandomness();
const telemetry = createTelemetry({ clock, namespace: DEPLOYMENT });
const providers = providersById();
const store = createTokenTable({ client: createDynamoDb(), tableName: TABLE_NAME, clock, telemetry });

const vendToken = createVendToken({
  store,
  keys: createDataKeys({ kms: createKms, store, keyId: KEY_ID, deployment: DEPLOYMENT, clock }),
  renewals: createLambdaRenewals({ lambda: createLambda, functionName: RENEW_FUNCTION }),
  clock,
  random,
  telemetry,
  timing,
  providers,
  deployment: DEPLOYMENT,
  dueShards: DUE_SHARDS,
  restoreEpochMs: RESTORE_EPOCH_MS,
});

/** Faces callers; holds no credential and cannot reach a provider. */
export const handler = vendTokenHandler({
  vendToken,
  grants: createSsmGrants({ client: createSsm(), path: GRANTS_PATH, clock, random, telemetry }),
  callers: CALLERS,
  providers,
  clock,
  telemetry,
});
