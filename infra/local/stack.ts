import path from 'node:path';
import type { Grant } from '../../functions/core/grants.ts';
import { providersById } from '../../functions/providers/index.ts';
import { operationsParameter, type Operations } from '../operations.ts';
import type { Accounts } from './accounts.ts';
import { makeAwsKeys, type AwsKeys } from './aws/keys.ts';
import { startLocalAws, type LocalAws } from './aws/local-aws.ts';
import { deployFunctions, functionNameOf, type Stem } from './deploy-functions.ts';
import { grantEverything } from './developer-grants.ts';
import { startDynamoDb } from './dynamodb.ts';
import { awsEnvironmentOf, keepEnvironment, leaveAws, trustAuthority, type AwsEnvironment } from './environment.ts';
import { runDocumentPath, writeEnvironmentFile } from './environment-file.ts';
import { startFront } from './front.ts';
import { functionVariables, grantsPathOf } from './function-variables.ts';
import { createCallers, type LocalCallers } from './gateway/callers.ts';
import type { IamCaller } from './gateway/iam-authorizer.ts';
import { LocalFunctions } from './local-functions.ts';
import { startLocalSimulators } from './local-simulators.ts';
import { seed } from './seed.ts';
import type { Simulators } from './simulators/index.ts';
import { startTicker } from './ticker.ts';

/** How a local run differs from the usual one. */
export interface LocalStackOptions {
  /** where everything is kept; undefined: in memory */
  dataDirectory?: string | undefined;
  /** of the gateway; 0 or undefined takes a free one */
  port?: number | undefined;
  /** how callers prove who they are; JWTs of the development issuer unless told */
  callers?: 'jwt' | 'iam' | undefined;
  /** accounts of real providers, in place of the simulators and their accounts */
  accounts?: Accounts | undefined;
  /** life of the simulators' tokens; 150 s unless told, so that one sees them renewed */
  lifeSeconds?: number | undefined;
  /** between two ticks of the schedule, ms; undefined: only {@link LocalStack.tick} ticks */
  tickMs?: number | undefined;
  /** besides the developer's, who may do everything */
  grants?: readonly Grant[] | undefined;
  /** IAM callers by access key, besides the developer */
  iamCallers?: ReadonlyMap<string, IamCaller> | undefined;
  /** what the gateway lets through; everything unless told */
  throttle?: { ratePerSecond: number; burst: number } | undefined;
  /** further variables of the functions' environment */
  environment?: Readonly<Record<string, string>> | undefined;
}

/** The whole service in this process, while it runs. */
export interface LocalStack {
  /** of the gateway, without a slash at the end */
  readonly url: string;
  /** what the developer proves itself with; `issuer` signs tokens for other callers, who are `issuer#subject` */
  readonly callers: Pick<LocalCallers, 'developer' | 'issuer'>;
  readonly accounts: Accounts;
  /** secrets are named `{secretPrefix}/{provider}/{account}` */
  readonly secretPrefix: string;
  /** undefined in a run with accounts of its own */
  readonly simulators: Simulators | undefined;
  readonly aws: LocalAws;
  /** what its AWS answers to */
  readonly awsKeys: AwsKeys;
  /** what AWS clients in other processes need */
  readonly awsEnvironment: AwsEnvironment;
  /** the file that holds it, for whoever started the run alone */
  readonly environmentFile: string;
  readonly dynamodbEndpoint: string;
  readonly functions: LocalFunctions;
  /** @returns the deployed name of a function */
  nameOf(stem: Stem): string;
  /** One tick of the schedule; resolves when the workers are through with what it found. */
  tick(): Promise<void>;
  /** Ends everything: takes no further request, and waits for those in work. */
  stop(): Promise<void>;
}

/** What is under way, and how it is ended. */
interface Run {
  options: LocalStackOptions;
  deployment: string;
  directory: string | undefined;
  keys: AwsKeys;
  functions: LocalFunctions;
  nameOf: (stem: Stem) => string;
  /** takes what must be ended; what came last ends first */
  onStop: (end: () => Promise<void> | void) => void;
}

/**
 * Starts the whole service in this process: embedded DynamoDB, local AWS, simulators with their own authority, the four
 * functions as they are deployed, gateway and schedule. One at a time in a process, because the functions read its environment.
 *
 * @throws what listening throws where the port is taken (`code` `EADDRINUSE`); then nothing is left running
 */
export async function startLocalStack(options: LocalStackOptions = {}): Promise<LocalStack> {
  const ends: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  // Real accounts and simulated ones never share a table, a key or a secret.
  const deployment = options.accounts === undefined ? 'local' : 'local-own';
  const directory = options.dataDirectory === undefined ? undefined : path.join(options.dataDirectory, deployment);
  const nameOf = (stem: Stem) => functionNameOf(deployment, stem);
  try {
    const functions = new LocalFunctions();
    const run = { options, deployment, directory, keys: makeAwsKeys(), functions, nameOf, onStop: (end: () => void) => ends.push(end) };
    return { ...(await start(run)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(run: Run): Promise<Omit<LocalStack, 'stop'>> {
  const { options, deployment, directory, keys, functions, nameOf, onStop } = run;
  const front = await startFront({ functions, nameOf, throttle: options.throttle }, options.port ?? 0);
  const { url } = front;
  onStop(() => front.gateway.close());
  onStop(keepEnvironment());
  const dynamodb = await startDynamoDb(deployment, keys, directory === undefined ? undefined : path.join(directory, 'dynamodb'));
  onStop(() => dynamodb.close());
  const { simulators, accounts } = await startProviders(run);
  const aws = await startAws(run);
  const callers = await createCallers({ kind: options.callers ?? 'jwt', url, dataDirectory: directory, iamCallers: options.iamCallers });

  const awsEnvironment = awsEnvironmentOf(keys, { dynamodb: dynamodb.endpoint, others: aws.origin });
  const renew = nameOf('renew-token-sets');
  const setting = { deployment, keyId: aws.keyId, queueUrl: aws.queue.url, renew, callers: callers.rules, accounts };
  leaveAws(awsEnvironment);
  Object.assign(process.env, functionVariables(setting), options.environment);
  await deployFunctions(functions, deployment);
  const operations: Operations = { table: deployment, renew, url, secrets: deployment };
  const parameters = {
    [`${grantsPathOf(deployment)}/developer`]: [...grantEverything(callers.developerIds, providersById()), ...(options.grants ?? [])],
    [operationsParameter(deployment)]: operations,
  };
  await seed({ endpoint: aws.origin, keys, parameters, secretPrefix: deployment, accounts });
  // Every new secret was an event.
  await functions.drained();

  const tick = async () => {
    await functions.invoke(nameOf('dispatch-renewals'), {});
    await aws.queue.settled();
  };
  if (options.tickMs !== undefined) onStop(startTicker(options.tickMs, tick));
  const { file: environmentFile, remove } = writeEnvironmentFile(awsEnvironment);
  onStop(remove);
  const runDocument = { deployment, environment: environmentFile };
  front.open({ ...callers, documentAt: (at) => (at === runDocumentPath ? runDocument : callers.documentAt(at)) });
  // Requests in work need everything else, so this comes to its end before all of it.
  onStop(() => front.gateway.close());
  return {
    url,
    callers,
    accounts,
    secretPrefix: deployment,
    simulators,
    aws,
    awsKeys: keys,
    awsEnvironment,
    environmentFile,
    dynamodbEndpoint: dynamodb.endpoint,
    functions,
    nameOf,
    tick,
  };
}

async function startProviders({ options, directory, onStop }: Run) {
  if (options.accounts !== undefined) return { simulators: undefined, accounts: options.accounts };
  const { simulators, authority, accounts } = await startLocalSimulators(options.lifeSeconds ?? 150, directory);
  onStop(() => simulators.close());
  onStop(trustAuthority(authority.caPem));
  return { simulators, accounts };
}

async function startAws({ deployment, directory, keys, functions, nameOf, onStop }: Run): Promise<LocalAws> {
  const renewer = nameOf('renew-token-sets');
  const aws = await startLocalAws({
    functions,
    keys,
    dataDirectory: directory,
    secretChanged: (event) => void functions.invoke(renewer, event),
    queue: {
      name: `${deployment}-renewals`,
      visibilityMs: 180_000,
      maxReceives: 5,
      retentionMs: 300_000,
      concurrency: 5,
      deliver: async (event) => failedOf(await functions.invoke(renewer, event)),
    },
  });
  onStop(() => aws.close());
  onStop(() => functions.drained());
  return aws;
}

/** @throws Error where the worker crashed: then the queue counts every message as failed */
function failedOf(invocation: Awaited<ReturnType<LocalFunctions['invoke']>>): readonly string[] {
  if ('error' in invocation) throw new Error(invocation.error.errorMessage);
  const { result } = invocation;
  const failures: unknown = typeof result === 'object' && result !== null && 'batchItemFailures' in result ? result.batchItemFailures : [];
  return Array.isArray(failures) ? failures.map((failure: { itemIdentifier: string }) => failure.itemIdentifier) : [];
}
