import { createDynamoDb, createKms, createSecretsManager, createSqs } from './adapters/aws-clients.ts';
import { createDataKeys } from './adapters/data-keys.ts';
import { createGiveBack } from './adapters/given-back-messages.ts';
import { createProviderFetch } from './adapters/provider-fetch.ts';
import { createProviderSecrets } from './adapters/provider-secrets.ts';
import { renewalCodec } from './adapters/renewal-codec.ts';
import { createSystemClock, createSystemRandomness } from './adapters/system.ts';
import { createTelemetry } from './adapters/telemetry.ts';
import { createTokenTable } from './adapters/token-table.ts';
import { configurations, readConfiguration } from './configuration.ts';
import { createRenewTokenSet } from './core/renew-token-set.ts';
import { timing } from './core/timing.ts';
import { renewTokenSetsHandler } from './handlers/renew-token-sets.ts';
import { providersById } from './providers/index.ts';

const configuration = readConfiguration(configurations.renewTokenSets, process.env);
const { TABLE_NAME, DEPLOYMENT, DUE_SHARDS, KEY_ID, SECRET_PREFIX, EGRESS_ORIGINS, RESTORE_EPOCH_MS, MAX_TOKEN_SETS, QUEUE_URL } =
  configuration;

const clock = createSystemClock();
const telemetry = createTelemetry({ clock, namespace: DEPLOYMENT });
const store = createTokenTable({ client: createDynamoDb(), tableName: TABLE_NAME, clock, telemetry });

const renewTokenSet = createRenewTokenSet({
  store,
  secrets: createProviderSecrets({ client: createSecretsManager(), prefix: SECRET_PREFIX, clock }),
  keys: createDataKeys({ kms: createKms, store, keyId: KEY_ID, deployment: DEPLOYMENT, clock }),
  fetch: createProviderFetch({ clock, egress: { privateOrigins: EGRESS_ORIGINS } }),
  clock,
  random: createSystemRandomness(),
  telemetry,
  timing,
  providers: providersById(),
  deployment: DEPLOYMENT,
  dueShards: DUE_SHARDS,
  restoreEpochMs: RESTORE_EPOCH_MS,
  maxTokenSets: MAX_TOKEN_SETS,
});

/** Talks to the providers, alone; invoked by functions, fed by the queue, told of changed secrets. */
export const handler = renewTokenSetsHandler({
  renewTokenSet,
  giveBack: createGiveBack({ sqs: createSqs, queueUrl: QUEUE_URL }),
  codec: renewalCodec,
  clock,
  telemetry,
  timing,
  secretPrefix: SECRET_PREFIX,
});
