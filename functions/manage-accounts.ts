import { createDynamoDb, createLambda, createSsm } from './adapters/aws-clients.ts';
import { createLambdaRenewals } from './adapters/lambda-renewals.ts';
import { lazy } from './adapters/lazy.ts';
import { createSsmGrants } from './adapters/ssm-grants.ts';
import { createSystemClock, createSystemRandomness } from './adapters/system.ts';
import { createTelemetry } from './adapters/telemetry.ts';
import { createTokenTable } from './adapters/token-table.ts';
import { configurations, readConfiguration } from './configuration.ts';
import { createManageAccounts } from './core/manage-accounts.ts';
import { timing } from './core/timing.ts';
import { manageAccountsHandler } from './handlers/manage-accounts.ts';
import { providersById } from './providers/index.ts';

const configuration = readConfiguration(configurations.manageAccounts, process.env);
const { TABLE_NAME, DEPLOYMENT, RENEW_FUNCTION, GRANTS_PATH, CALLERS } = configuration;

const clock = createSystemClock();
const random = createSystemRandomness();
const telemetry = createTelemetry({ clock, namespace: DEPLOYMENT });
const providers = providersById();

const manage = createManageAccounts({
  store: createTokenTable({ client: createDynamoDb(), tableName: TABLE_NAME, clock, telemetry }),
  renewals: createLambdaRenewals({ lambda: createLambda, functionName: RENEW_FUNCTION }),
  clock,
  timing,
  providers,
});

/** Shows, revokes and resets accounts, and describes the interface. */
export const handler = manageAccountsHandler({
  manage,
  grants: createSsmGrants({ client: createSsm(), path: GRANTS_PATH, clock, random, telemetry }),
  callers: CALLERS,
  providers,
  openApi: lazy(async () => (await import('./handlers/openapi.ts')).openApiDocument(providers, CALLERS)),
  clock,
  telemetry,
});
