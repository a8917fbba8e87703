import type { LocalFunctions } from '../local-functions.ts';
import type { AwsKeys } from './keys.ts';
import { createKms, ensureMasterKey, type KeysState } from './kms.ts';
import { secretEvent } from './secret-events.ts';
import { SecretStore, type SecretsState } from './secret-store.ts';
import { createSecretsManager } from './secrets-manager.ts';
import { startAwsServer } from './server.ts';
import { LocalQueue, type QueueOptions } from './sqs.ts';
import { createSsm, type ParametersState } from './ssm.ts';
import { openState } from './state.ts';

/** What the local AWS needs to know. */
export interface LocalAwsOptions {
  /** what Lambda invokes */
  functions: LocalFunctions;
  /** what every call must be signed with */
  keys: AwsKeys;
  /** where secrets, keys and parameters are kept; undefined: in memory */
  dataDirectory: string | undefined;
  /** takes the EventBridge event of a changed secret */
  secretChanged(event: unknown): void;
  queue: QueueOptions;
}

/** The local AWS while it runs. */
export interface LocalAws {
  /** what `AWS_ENDPOINT_URL_*` is set to */
  readonly origin: string;
  readonly keyId: string;
  readonly queue: LocalQueue;
  /** @returns calls so far by `service.Operation` */
  counters(): Readonly<Record<string, number>>;
  /** Stops the workers after the batches that they have, then the server. */
  close(): Promise<void>;
}

/** Starts Secrets Manager, KMS, the Parameter Store, the queue and Lambda's Invoke on one loopback port. */
export async function startLocalAws(options: LocalAwsOptions): Promise<LocalAws> {
  const state: SecretsState & KeysState & ParametersState = openState(options.dataDirectory, 'aws.json', {
    secrets: {},
    keys: {},
    parameters: {},
  });
  const keyId = ensureMasterKey(state);
  const server = await startAwsServer(options.functions, options.keys);
  const queue = new LocalQueue(server.origin, options.queue);
  server.serve({
    secretsmanager: createSecretsManager(new SecretStore(state, (change) => options.secretChanged(secretEvent(change)))),
    kms: createKms(state),
    ssm: createSsm(state),
    sqs: queue.service,
  });
  return {
    origin: server.origin,
    keyId,
    queue,
    counters: () => server.counters(),
    close: async () => {
      await queue.stop();
      await server.close();
    },
  };
}
