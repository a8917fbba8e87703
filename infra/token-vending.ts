import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Stack, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Grant, Operation } from '../functions/core/grants.ts';
import { CallerApi } from './constructs/caller-api.ts';
import type { Callers, CustomDomain } from './constructs/caller-api.ts';
import { callerOf, callsOf, writeGrant } from './constructs/grants.ts';
import type { GrantOptions } from './constructs/grants.ts';
import { Monitoring } from './constructs/monitoring.ts';
import { describeOperations } from './constructs/operations.ts';
import { createRenewalSchedule } from './constructs/renewal-schedule.ts';
import { RenewalQueue } from './constructs/renewal-queue.ts';
import { createSealingKey } from './constructs/sealing-key.ts';
import { watchSecrets } from './constructs/secret-watch.ts';
import { acknowledge, arnOf } from './constructs/service-function.ts';
import { ServiceFunctions } from './constructs/service-functions.ts';
import { TokenTable } from './constructs/token-table.ts';

export type { Callers, CustomDomain, Grant, GrantOptions, Operation };

/** What a deployment of the service can be told. Every property but `deployment` has a default that suits a sandbox. */
export interface TokenVendingProps {
  /**
   * Name of this deployment, unique in its account and region. Sealed token sets are bound to it, secrets and grants stand under
   * it, so it never changes once tokens are stored.
   */
  deployment: string;
  /**
   * Retains table and key, keeps point-in-time recovery and longer logs, and adds dashboard and alarms.
   *
   * @default false: everything goes when the stack goes
   */
  production?: boolean | undefined;
  /** Secrets are named `{secretPrefix}/{provider}/{account}`. @default the deployment's name */
  secretPrefix?: string | undefined;
  /** Customer keys that encrypt accounts' secrets. @default none: secrets use the account's own `aws/secretsmanager` */
  secretKeys?: readonly IKey[] | undefined;
  /** How callers prove who they are. @default 'iam' */
  callers?: Callers | undefined;
  /** Grants to callers that are no roles of this app: roles by ARN (without their path), `issuer#subject` of JWTs. */
  grants?: readonly Grant[] | undefined;
  /** Origins of providers that may resolve to private addresses, such as `https://video.intranet.example`. @default none */
  privateOrigins?: readonly string[] | undefined;
  /** The network that the renewing function stands in; it alone calls providers. @default none: the public internet */
  vpc?: IVpc | undefined;
  vpcSubnets?: SubnetSelection | undefined;
  securityGroups?: readonly ISecurityGroup[] | undefined;
  /** A name of one's own; the API's generated name is switched off then. */
  domain?: CustomDomain | undefined;
  /** What the API lets through, all callers together. @default 100 requests a second, bursts of 200 */
  throttle?: { ratePerSecond: number; burst: number } | undefined;
  /** How many workers of the schedule run at once, 2 to 1,000. @default 5, half of a new AWS account's concurrency */
  renewalConcurrency?: number | undefined;
  /** Partitions of the due index. @default 1, good for some hundred renewals a second */
  dueShards?: number | undefined;
  /** Living token sets that one account may hold. @default the service's own */
  maxTokenSets?: number | undefined;
  /** Token sets obtained before it count as in doubt (ms since the epoch): the table was restored from a backup of then. */
  restoreEpochMs?: number | undefined;
  /** Where alarms go; gives a sandbox its alarms, too. @default in production a topic of its own */
  alarmTopic?: ITopic | undefined;
  /** @default arm64 */
  architecture?: Architecture | undefined;
}

const perimeterReason = 'The accounts are the secrets under this prefix, and they come and go without a deploy';

/**
 * The whole service as a construct: API, four functions, table, key, queue, schedule, and the rules that watch the secrets.
 *
 * @example
 * const vending = new TokenVending(this, 'Tokens', { deployment: 'tokens-prod', production: true });
 * vending.grantVend(importer.role, 'vidizmo/main');
 * importer.addEnvironment('TOKENS_URL', vending.url);
 */
export class TokenVending extends Construct {
  /** where callers reach the service, without a slash at the end */
  readonly url: string;
  /** secrets are named `{secretPrefix}/{provider}/{account}` */
  readonly secretPrefix: string;
  /** parameters under this path hold the grants */
  readonly grantsPath: string;
  /** what a policy names to let a role of another app vend an account: `{vendArn}/{provider}/{account}` */
  readonly vendArn: string;
  private readonly callerApi: CallerApi;
  private readonly callers: Callers;

  constructor(scope: Construct, id: string, props: TokenVendingProps) {
    super(scope, id);
    checkProps(props);
    const { deployment, production = false } = props;
    this.callers = props.callers ?? 'iam';
    this.secretPrefix = props.secretPrefix ?? deployment;
    this.grantsPath = `/${deployment}/grants`;
    const queue = new RenewalQueue(this, 'Renewals');
    const table = new TokenTable(this, 'Table', production);
    const functions = this.addFunctions(props, production, queue, table);
    queue.feed(functions.renew, props.renewalConcurrency ?? 5);
    createRenewalSchedule(this, functions.dispatch);
    watchSecrets(this, this.secretPrefix, functions.renew);
    this.callerApi = new CallerApi(this, 'Callers', {
      deployment,
      production,
      callers: this.callers,
      functions: { 'vend-token': functions.vend, 'manage-accounts': functions.manage },
      throttle: props.throttle ?? { ratePerSecond: 100, burst: 200 },
      domain: props.domain,
    });
    this.url = this.callerApi.url;
    this.vendArn = this.callerApi.invokeArn('POST', '/v1/tokens');
    describeOperations(this, deployment, {
      table: table.tableName,
      renew: functions.renew.functionName,
      url: this.url,
      secrets: this.secretPrefix,
      deadLetters: queue.deadLetters.queueUrl,
    });
    if (production || props.alarmTopic !== undefined) {
      const { api } = this.callerApi;
      new Monitoring(this, 'Monitoring', {
        deployment,
        api,
        functions: [functions.vend, functions.renew, functions.dispatch, functions.manage],
        deadLetters: queue.deadLetters,
        topic: props.alarmTopic,
      });
    }
    for (const grant of props.grants ?? []) writeGrant(this, 'Grant', this.grantsPath, grant);
  }

  /**
   * Lets a role of this AWS account vend an account's tokens: the service's grant and the role's own permission to call, in one.
   * The grant becomes part of the role's stack and goes with it. Running functions see it within a minute. Called again for the same
   * role and account it grants more; with the same options, nothing.
   *
   * @param role whoever calls; with JWT callers there is nothing that a role could be granted
   * @param account `provider/account`, `provider/*` or `*`
   * @throws Error where callers are no IAM identities, or the role belongs to another AWS account
   */
  grantVend(role: IRole, account: string, options: GrantOptions = {}): void {
    if (this.callers !== 'iam') throw new Error('grantVend is for IAM callers; this deployment takes JWTs: name them in `grants`');
    const { account: ours } = Stack.of(this);
    if (!Token.isUnresolved(ours) && !Token.isUnresolved(role.env.account) && role.env.account !== ours) {
      throw new Error('Callers of other AWS accounts assume a role in the account of the service: grant that role');
    }
    const { operations = ['vend'], parameters, maxMinTtlSeconds } = options;
    const grant = { caller: callerOf(role), operations, accounts: [account], parameters, maxMinTtlSeconds };
    if (!writeGrant(role, `${this.node.addr.slice(-8)}Grant`, this.grantsPath, grant)) return;
    const resources = callsOf(operations, account).map(({ method, path }) => this.callerApi.invokeArn(method, path));
    role.addToPrincipalPolicy(new PolicyStatement({ actions: ['execute-api:Invoke'], resources }));
  }

  private addFunctions(props: TokenVendingProps, production: boolean, queue: RenewalQueue, table: TokenTable): ServiceFunctions {
    const { deployment, vpc } = props;
    const key = createSealingKey(this, deployment, production);
    const secrets = `secret:${this.secretPrefix}/*`;
    const functions = new ServiceFunctions(this, {
      settings: {
        ...props,
        tableName: table.tableName,
        keyArn: key.keyArn,
        queueUrl: queue.queueUrl,
        secretPrefix: this.secretPrefix,
        grantsPath: this.grantsPath,
        callers: this.callers,
        privateOrigins: props.privateOrigins ?? [],
        dueShards: props.dueShards ?? 1,
        maxTokenSets: props.maxTokenSets,
        restoreEpochMs: props.restoreEpochMs,
      },
      resources: {
        tableArn: table.tableArn,
        dueIndexArn: table.dueIndexArn,
        listingIndexArn: table.listingIndexArn,
        keyArn: key.keyArn,
        deployment,
        secretsArn: arnOf(this, 'secretsmanager', secrets),
        grantsArn: arnOf(this, 'ssm', `parameter${this.grantsPath}`),
        queueArn: queue.queueArn,
        secretKeyArns: (props.secretKeys ?? []).map((secretKey) => secretKey.keyArn),
        secretsService: `secretsmanager.${Stack.of(this).region}.${Stack.of(this).urlSuffix}`,
      },
      production,
      architecture: props.architecture ?? Architecture.ARM_64,
      network: vpc === undefined ? undefined : { vpc, subnets: props.vpcSubnets, securityGroups: props.securityGroups },
    });
    const finding = `Resource::arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:${secrets}`;
    acknowledge(functions.renew.ownRole, `AwsSolutions-IAM5[${finding}]`, perimeterReason);
    return functions;
  }
}

function checkProps({ deployment, secretPrefix, privateOrigins = [], vpc, vpcSubnets, securityGroups }: TokenVendingProps): void {
  if (!/^[a-zA-Z][\w-]{0,62}$/.test(deployment))
    throw new Error(`deployment: "${deployment}" must be letters, digits, _ and -, at most 63`);
  if (secretPrefix !== undefined && !/^[\w/.-]*[\w.-]$/.test(secretPrefix))
    throw new Error('secretPrefix must be a secret name without a slash at its end');
  const wrong = privateOrigins.find((origin) => new URL(origin).origin !== origin || !origin.startsWith('https://'));
  if (wrong !== undefined) throw new Error(`privateOrigins: "${wrong}" must be an https origin without a path`);
  if (vpc === undefined && (vpcSubnets ?? securityGroups) !== undefined) throw new Error('vpcSubnets and securityGroups need a vpc');
}
