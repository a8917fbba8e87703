import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Architecture, IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { dispatchRenewalsMay, manageAccountsMay, renewTokenSetsMay, vendTokenMay } from './permissions.ts';
import type { Resources } from './permissions.ts';
import { ServiceFunction } from './service-function.ts';
import type { FunctionStem } from './bundle.ts';
import type { Network } from './service-function.ts';

/** Configuration that the functions read from their environment; `functions/configuration.ts` says what each is. */
export interface FunctionSettings {
  tableName: string;
  keyArn: string;
  queueUrl: string;
  deployment: string;
  secretPrefix: string;
  grantsPath: string;
  callers: 'iam' | { issuer: string; scope: string };
  privateOrigins: readonly string[];
  dueShards: number;
  maxTokenSets: number | undefined;
  restoreEpochMs: number | undefined;
}

export interface ServiceFunctionsProps {
  settings: FunctionSettings;
  resources: Resources;
  production: boolean;
  architecture: Architecture;
  /** for the renewing function: it alone calls providers */
  network: Network | undefined;
}

/**
 * Memory is also processor time: 1,769 MB are one processor. Measured (`npm run bench -- memory`), a function starts in about 115 ms of
 * processor time and 75 MB. Where a caller waits, 512 MB make that 0.4 s; nobody waits for the dispatcher, which costs half at 256 MB.
 * See docs/decisions/0018-function-memory.md.
 */
export const memoryMb: Readonly<Record<FunctionStem, number>> = {
  'vend-token': 512,
  'renew-token-sets': 512,
  'manage-accounts': 512,
  'dispatch-renewals': 256,
};

/** The four functions, each with its environment and its hand-written permissions. */
export class ServiceFunctions {
  readonly renew: ServiceFunction;
  readonly vend: ServiceFunction;
  readonly manage: ServiceFunction;
  readonly dispatch: ServiceFunction;

  constructor(scope: Construct, props: ServiceFunctionsProps) {
    const { settings, resources, network, ...rest } = props;
    const add = (id: string, stem: FunctionStem, description: string, seconds: number, environment: Record<string, string>) =>
      new ServiceFunction(scope, id, {
        ...rest,
        stem,
        description,
        memoryMb: memoryMb[stem],
        timeout: Duration.seconds(seconds),
        environment: {
          TABLE_NAME: settings.tableName,
          DEPLOYMENT: settings.deployment,
          DUE_SHARDS: `${settings.dueShards}`,
          ...environment,
        },
        network: stem === 'renew-token-sets' ? network : undefined,
      });

    this.renew = add('RenewTokenSets', 'renew-token-sets', 'Talks to the providers, alone', 30, renewing(settings));
    const facing = { ...facingCallers(settings), RENEW_FUNCTION: this.renew.functionName };
    // API Gateway gives up at 30 s; a function that outlives its caller only costs.
    this.vend = add('VendToken', 'vend-token', 'Hands out access tokens; holds no credential', 29, { ...facing, ...judging(settings) });
    this.manage = add('ManageAccounts', 'manage-accounts', 'Shows, revokes and resets accounts', 29, facing);
    // Less than the minute to the next tick, so that two never run at once.
    this.dispatch = add('DispatchRenewals', 'dispatch-renewals', 'Finds what is due and queues it', 55, { QUEUE_URL: settings.queueUrl });

    permit(this.renew, renewTokenSetsMay(resources));
    permit(this.vend, [...vendTokenMay(resources), mayInvoke(this.renew)]);
    permit(this.manage, [...manageAccountsMay(resources), mayInvoke(this.renew)]);
    permit(this.dispatch, dispatchRenewalsMay(resources));
  }
}

function facingCallers({ grantsPath, callers }: FunctionSettings): Record<string, string> {
  return { GRANTS_PATH: grantsPath, CALLERS: callers === 'iam' ? callers : `jwt ${callers.issuer} ${callers.scope}` };
}

function judging({ keyArn, restoreEpochMs }: FunctionSettings): Record<string, string> {
  return { KEY_ID: keyArn, ...(restoreEpochMs === undefined ? {} : { RESTORE_EPOCH_MS: `${restoreEpochMs}` }) };
}

function renewing(settings: FunctionSettings): Record<string, string> {
  const { secretPrefix, queueUrl, privateOrigins, maxTokenSets } = settings;
  return {
    ...judging(settings),
    SECRET_PREFIX: secretPrefix,
    QUEUE_URL: queueUrl,
    EGRESS_ORIGINS: privateOrigins.join(' '),
    ...(maxTokenSets === undefined ? {} : { MAX_TOKEN_SETS: `${maxTokenSets}` }),
  };
}

function permit(target: ServiceFunction, statements: readonly PolicyStatement[]): void {
  for (const statement of statements) target.addToRolePolicy(statement);
}

function mayInvoke(target: IFunction): PolicyStatement {
  return new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [target.functionArn] });
}
