import { randomBytes, randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { arn, AwsError, operation, seconds, type Service } from './protocol.ts';
import type { State } from './state.ts';

/** One version of a secret. `AWSCURRENT` is among the stages of exactly one. */
interface StoredVersion {
  value: string;
  stages: string[];
  createdMs: number;
}

/** A secret as it is kept. */
interface StoredSecret {
  arn: string;
  name: string;
  description?: string | undefined;
  createdMs: number;
  /** marked for deletion until then, and gone after it; ms since the epoch */
  deleteAtMs?: number | undefined;
  versions: Record<string, StoredVersion>;
}

/** What Secrets Manager keeps, by the secrets' names. */
export type SecretsState = State<{ secrets: Record<string, StoredSecret> }>;

/** What happened to a secret, for whoever listens: the local form of its EventBridge events. */
export interface SecretChange {
  kind: 'label_updated' | 'deleted' | 'restored';
  name: string;
  arn: string;
  /** of the new version, where there is one */
  versionId?: string | undefined;
}

const DAY = 86_400_000;
const marked = 'because it was marked for deletion.';
const optional = z.optional(z.string());

/**
 * Secrets Manager, as far as the service, its command line and `aws secretsmanager` need it.
 *
 * @param state where the secrets are kept
 * @param changed is told after a change is kept
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html
 */
export function createSecretsManager(state: SecretsState, changed: (change: SecretChange) => void): Service {
  const { secrets } = state.value;

  const find = (id: string): StoredSecret => {
    const found = secrets[id] ?? Object.values(secrets).find((secret) => secret.arn === id || secret.arn.slice(0, -7) === id);
    if (found !== undefined && (found.deleteAtMs ?? Infinity) > Date.now()) return found;
    throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  };
  const findLiving = (id: string): StoredSecret => {
    const secret = find(id);
    if (secret.deleteAtMs === undefined) return secret;
    throw new AwsError('InvalidRequestException', `You can't perform this operation on the secret ${marked}`);
  };
  const tell = (kind: SecretChange['kind'], secret: StoredSecret, versionId?: string) => {
    state.save();
    changed({ kind, name: secret.name, arn: secret.arn, versionId });
  };
  const put = (secret: StoredSecret, value: string, token: string | undefined) => {
    const versionId = addVersion(secret, value, token ?? randomUUID());
    tell('label_updated', secret, versionId);
    return { ARN: secret.arn, Name: secret.name, VersionId: versionId, VersionStages: ['AWSCURRENT'] };
  };

  return {
    CreateSecret: operation(
      { Name: z.string(), SecretString: optional, ClientRequestToken: optional, Description: optional },
      ({ Name, SecretString, ClientRequestToken, Description }) => {
        refuseTaken(secrets[Name]);
        const secret = { ...newSecret(Name), description: Description };
        secrets[Name] = secret;
        if (SecretString !== undefined) return put(secret, SecretString, ClientRequestToken);
        state.save();
        return { ARN: secret.arn, Name };
      },
    ),
    PutSecretValue: operation(
      { SecretId: z.string(), SecretString: z.string(), ClientRequestToken: optional },
      ({ SecretId, SecretString, ClientRequestToken }) => put(findLiving(SecretId), SecretString, ClientRequestToken),
    ),
    UpdateSecret: operation(
      { SecretId: z.string(), SecretString: optional, ClientRequestToken: optional, Description: optional },
      ({ SecretId, SecretString, ClientRequestToken, Description }) => {
        const secret = findLiving(SecretId);
        secret.description = Description ?? secret.description;
        if (SecretString !== undefined) return put(secret, SecretString, ClientRequestToken);
        state.save();
        return { ARN: secret.arn, Name: secret.name };
      },
    ),
    GetSecretValue: operation({ SecretId: z.string(), VersionId: optional, VersionStage: optional }, (input) => {
      const secret = findLiving(input.SecretId);
      const stage = input.VersionStage ?? (input.VersionId === undefined ? 'AWSCURRENT' : undefined);
      const found = Object.entries(secret.versions).find(
        ([id, version]) => (input.VersionId ?? id) === id && (stage === undefined || version.stages.includes(stage)),
      );
      if (found === undefined) {
        throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret value for that label or version.");
      }
      const [VersionId, { value, stages, createdMs }] = found;
      return { ARN: secret.arn, Name: secret.name, VersionId, SecretString: value, VersionStages: stages, CreatedDate: seconds(createdMs) };
    }),
    DescribeSecret: operation({ SecretId: z.string() }, ({ SecretId }) => describe(find(SecretId))),
    ListSecrets: operation(
      {
        Filters: z.optional(z.array(z.object({ Key: z.string(), Values: z.array(z.string()) }))),
        IncludePlannedDeletion: z.optional(z.boolean()),
        MaxResults: z.optional(z.number()),
        NextToken: optional,
      },
      ({ Filters = [], IncludePlannedDeletion = false, MaxResults = 100, NextToken = '0' }) => {
        const listed = Object.values(secrets)
          .filter((secret) => (secret.deleteAtMs ?? Infinity) > Date.now() && (IncludePlannedDeletion || secret.deleteAtMs === undefined))
          .filter((secret) => Filters.every(({ Key, Values }) => Key !== 'name' || Values.some((value) => secret.name.startsWith(value))));
        const from = Number(NextToken);
        const next = from + MaxResults;
        return { SecretList: listed.slice(from, next).map(describe), ...(next < listed.length ? { NextToken: String(next) } : {}) };
      },
    ),
    DeleteSecret: operation(
      { SecretId: z.string(), RecoveryWindowInDays: z.optional(z.number()), ForceDeleteWithoutRecovery: z.optional(z.boolean()) },
      ({ SecretId, RecoveryWindowInDays = 30, ForceDeleteWithoutRecovery = false }) => {
        const secret = find(SecretId);
        secret.deleteAtMs = Date.now() + (ForceDeleteWithoutRecovery ? 0 : RecoveryWindowInDays * DAY);
        if (ForceDeleteWithoutRecovery) delete secrets[secret.name];
        tell('deleted', secret);
        return { ARN: secret.arn, Name: secret.name, DeletionDate: seconds(secret.deleteAtMs) };
      },
    ),
    RestoreSecret: operation({ SecretId: z.string() }, ({ SecretId }) => {
      const secret = find(SecretId);
      delete secret.deleteAtMs;
      tell('restored', secret);
      return { ARN: secret.arn, Name: secret.name };
    }),
  };
}

/** AWS ends every ARN with a hyphen and six random characters, so a secret made anew under an old name has another one. */
function newSecret(name: string): StoredSecret {
  const suffix = randomBytes(3).toString('hex');
  return { arn: arn('secretsmanager', `secret:${name}-${suffix}`), name, createdMs: Date.now(), versions: {} };
}

function refuseTaken(taken: StoredSecret | undefined): void {
  if (taken === undefined || (taken.deleteAtMs ?? Infinity) <= Date.now()) return;
  if (taken.deleteAtMs === undefined) {
    throw new AwsError('ResourceExistsException', `The operation failed because the secret ${taken.name} already exists.`);
  }
  throw new AwsError(
    'InvalidRequestException',
    `You can't create this secret because a secret with this name is already scheduled for deletion.`,
  );
}

/** Makes a version the current one; the one before becomes `AWSPREVIOUS`, and any older one loses its last label and goes. */
function addVersion(secret: StoredSecret, value: string, versionId: string): string {
  const same = secret.versions[versionId];
  if (same?.value === value) return versionId;
  if (same !== undefined) throw new AwsError('ResourceExistsException', 'The version of this ClientRequestToken holds another value.');
  const current = Object.entries(secret.versions).find(([, version]) => version.stages.includes('AWSCURRENT'));
  secret.versions = {
    ...(current === undefined ? {} : { [current[0]]: { ...current[1], stages: ['AWSPREVIOUS'] } }),
    [versionId]: { value, stages: ['AWSCURRENT'], createdMs: Date.now() },
  };
  return versionId;
}

function describe(secret: StoredSecret) {
  return {
    ARN: secret.arn,
    Name: secret.name,
    ...(secret.description === undefined ? {} : { Description: secret.description }),
    ...(secret.deleteAtMs === undefined ? {} : { DeletedDate: seconds(secret.deleteAtMs) }),
    CreatedDate: seconds(secret.createdMs),
    VersionIdsToStages: Object.fromEntries(Object.entries(secret.versions).map(([id, { stages }]) => [id, stages])),
  };
}
