import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';

// Bare clients: region, credentials and `AWS_ENDPOINT_URL_*` are theirs to find. Each call is given its whole time by the adapter
// that makes it (an abort signal, over connecting, retrying and reading), so no client has time-outs of its own. One retry heals a
// dropped connection or a throttled call; a function that thawed often finds its kept connection dead.
const retryOnce = { maxAttempts: 2 };

/** @returns the client of the token table */
export function createDynamoDb(): DynamoDBClient {
  return new DynamoDBClient(retryOnce);
}

/** @returns the client of the accounts' credentials */
export function createSecretsManager(): SecretsManagerClient {
  return new SecretsManagerClient(retryOnce);
}

/** @returns the client of the grants' parameters; SSM throttles a whole account at 40 reads a second, so it is asked patiently */
export function createSsm(): SSMClient {
  return new SSMClient({ maxAttempts: 6 });
}

/** @returns the client of the renewal queue, loaded when it is first needed: by who has something to send, or crashed */
export async function createSqs(): Promise<SQSClient> {
  const { SQSClient } = await import('./sqs-client.ts');
  return new SQSClient(retryOnce);
}

/** @returns the client of the sealing key, loaded when it is first needed: most requests never open or make a data key */
export async function createKms(): Promise<KMSClient> {
  const { KMSClient } = await import('./kms-client.ts');
  return new KMSClient(retryOnce);
}

/**
 * Loaded when it is first needed: an answer from memory or table never is. Not retried, because a renewal that timed out may still
 * be running, and on a connection of its own, so that a dead one cannot make that necessary.
 *
 * @returns the client that invokes the renewing function
 */
export async function createLambda(): Promise<LambdaClient> {
  const { LambdaClient } = await import('./lambda-client.ts');
  return new LambdaClient({ maxAttempts: 1, requestHandler: { httpsAgent: { keepAlive: false }, httpAgent: { keepAlive: false } } });
}
