import { CreateSecretCommand, GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Grant } from '../../functions/core/grants.ts';
import type { Accounts } from './accounts.ts';
import { region } from './aws/protocol.ts';

/** What a run puts into the local AWS before anybody calls. */
export interface Seed {
  /** what `AWS_ENDPOINT_URL_*` is set to */
  endpoint: string;
  secretPrefix: string;
  grantsPath: string;
  grants: readonly Grant[];
  accounts: Accounts;
  /** what of a stored secret is kept although the account says otherwise: what somebody changed while it ran */
  keepsStored: boolean;
}

/** Stores grants and secrets, as an operator would with the AWS command line. */
export async function seed({ endpoint, ...what }: Seed): Promise<void> {
  const config = { endpoint, region, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const ssm = new SSMClient(config);
  const secrets = new SecretsManagerClient(config);
  const value = JSON.stringify(what.grants);
  await ssm.send(new PutParameterCommand({ Name: `${what.grantsPath}/developer`, Value: value, Type: 'String', Overwrite: true }));
  for (const [account, secret] of Object.entries(what.accounts)) {
    await storeSecret(secrets, `${what.secretPrefix}/${account}`, secret, what.keepsStored);
  }
  ssm.destroy();
  secrets.destroy();
}

type SecretValue = Readonly<Record<string, unknown>>;

async function storeSecret(client: SecretsManagerClient, name: string, wanted: SecretValue, keepsStored: boolean): Promise<void> {
  const stored = await readSecret(client, name);
  if (stored === undefined) {
    await client.send(new CreateSecretCommand({ Name: name, SecretString: JSON.stringify(wanted) }));
    return;
  }
  // A simulator may have another port now; everything else of a stored secret is the developer's to change.
  const next = keepsStored ? { ...stored, base_url: wanted['base_url'] } : wanted;
  if (JSON.stringify(next) === JSON.stringify(stored)) return;
  await client.send(new PutSecretValueCommand({ SecretId: name, SecretString: JSON.stringify(next) }));
}

async function readSecret(client: SecretsManagerClient, name: string): Promise<SecretValue | undefined> {
  try {
    const { SecretString = '{}' } = await client.send(new GetSecretValueCommand({ SecretId: name }));
    const value: SecretValue = JSON.parse(SecretString);
    return value;
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}
