import {
  CreateSecretCommand,
  GetSecretValueCommand,
  InvalidRequestException,
  PutSecretValueCommand,
  ResourceNotFoundException,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Accounts } from './accounts.ts';
import type { AwsKeys } from './aws/keys.ts';
import { region } from './aws/protocol.ts';

/** What a run puts into the local AWS before anybody calls. */
export interface Seed {
  /** what `AWS_ENDPOINT_URL` is set to */
  endpoint: string;
  keys: AwsKeys;
  /** by name; each is kept as JSON */
  parameters: Readonly<Record<string, unknown>>;
  secretPrefix: string;
  accounts: Accounts;
}

/**
 * Stores parameters and secrets, as a deployment and an operator would with the AWS command line. What simulators or file say of an account wins over
 * what was stored before, because a simulator starts anew with the password that it says; other secrets stay as they are.
 */
export async function seed({ endpoint, keys, parameters, secretPrefix, accounts }: Seed): Promise<void> {
  const config = { endpoint, region, credentials: keys };
  const ssm = new SSMClient(config);
  const secrets = new SecretsManagerClient(config);
  for (const [Name, value] of Object.entries(parameters)) {
    await ssm.send(new PutParameterCommand({ Name, Value: JSON.stringify(value), Type: 'String', Overwrite: true }));
  }
  for (const [account, secret] of Object.entries(accounts)) {
    await storeSecret(secrets, `${secretPrefix}/${account}`, secret);
  }
  ssm.destroy();
  secrets.destroy();
}

async function storeSecret(client: SecretsManagerClient, name: string, wanted: Accounts[string]): Promise<void> {
  const SecretString = JSON.stringify(wanted);
  const stored = await readSecret(client, name);
  if (stored.state === 'absent') {
    await client.send(new CreateSecretCommand({ Name: name, SecretString }));
    return;
  }
  if (stored.state === 'deleted') await client.send(new RestoreSecretCommand({ SecretId: name }));
  // An equal value would be a new version all the same, and a new version is a reason to log in.
  if (stored.value !== SecretString) await client.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
}

async function readSecret(client: SecretsManagerClient, name: string): Promise<{ state: 'living' | 'deleted' | 'absent'; value?: string }> {
  try {
    const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: name }));
    return { state: 'living', value: SecretString };
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return { state: 'absent' };
    if (error instanceof InvalidRequestException) return { state: 'deleted' };
    throw error;
  }
}
