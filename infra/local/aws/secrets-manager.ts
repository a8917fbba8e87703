import * as z from 'zod/mini';
import { AwsError, operation, seconds, type Service } from './protocol.ts';
import { describe, type SecretStore } from './secret-store.ts';

const DAY = 86_400_000;
const optional = z.optional(z.string());
const newValue = { SecretString: optional, ClientRequestToken: optional, Description: optional };

/**
 * Secrets Manager, as far as the service, its command line and `aws secretsmanager` need it.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html
 */
export function createSecretsManager(store: SecretStore): Service {
  return { ...writing(store), ...reading(store), ...ending(store) };
}

function writing(store: SecretStore): Service {
  return {
    CreateSecret: operation({ Name: z.string(), ...newValue }, ({ Name, SecretString, ClientRequestToken, Description }) => {
      const secret = store.create(Name, Description);
      if (SecretString !== undefined) return store.put(secret, SecretString, ClientRequestToken);
      store.keep(undefined, secret);
      return { ARN: secret.arn, Name };
    }),
    PutSecretValue: operation(
      { SecretId: z.string(), SecretString: z.string(), ClientRequestToken: optional },
      ({ SecretId, SecretString, ClientRequestToken }) => store.put(store.findLiving(SecretId), SecretString, ClientRequestToken),
    ),
    UpdateSecret: operation({ SecretId: z.string(), ...newValue }, ({ SecretId, SecretString, ClientRequestToken, Description }) => {
      const secret = store.findLiving(SecretId);
      secret.description = Description ?? secret.description;
      if (SecretString !== undefined) return store.put(secret, SecretString, ClientRequestToken);
      store.keep(undefined, secret);
      return { ARN: secret.arn, Name: secret.name };
    }),
  };
}

function reading(store: SecretStore): Service {
  return {
    GetSecretValue: operation({ SecretId: z.string(), VersionId: optional, VersionStage: optional }, (input) => {
      const secret = store.findLiving(input.SecretId);
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
    DescribeSecret: operation({ SecretId: z.string() }, ({ SecretId }) => describe(store.find(SecretId))),
    ListSecrets: operation(
      {
        Filters: z.optional(z.array(z.object({ Key: z.string(), Values: z.array(z.string()) }))),
        IncludePlannedDeletion: z.optional(z.boolean()),
        MaxResults: z.optional(z.number()),
        NextToken: optional,
      },
      ({ Filters = [], IncludePlannedDeletion = false, MaxResults = 100, NextToken = '0' }) => {
        const listed = store
          .all()
          .filter(({ deleteAtMs }) => IncludePlannedDeletion || deleteAtMs === undefined)
          .filter(({ name }) => Filters.every(({ Key, Values }) => Key !== 'name' || Values.some((value) => name.startsWith(value))));
        const next = Number(NextToken) + MaxResults;
        const SecretList = listed.slice(Number(NextToken), next).map(describe);
        return { SecretList, ...(next < listed.length ? { NextToken: String(next) } : {}) };
      },
    ),
  };
}

function ending(store: SecretStore): Service {
  return {
    DeleteSecret: operation(
      { SecretId: z.string(), RecoveryWindowInDays: z.optional(z.number()), ForceDeleteWithoutRecovery: z.optional(z.boolean()) },
      ({ SecretId, RecoveryWindowInDays = 30, ForceDeleteWithoutRecovery = false }) => {
        const secret = store.find(SecretId);
        secret.deleteAtMs = Date.now() + (ForceDeleteWithoutRecovery ? 0 : RecoveryWindowInDays * DAY);
        store.keep('deleted', secret);
        return { ARN: secret.arn, Name: secret.name, DeletionDate: seconds(secret.deleteAtMs) };
      },
    ),
    RestoreSecret: operation({ SecretId: z.string() }, ({ SecretId }) => {
      const secret = store.find(SecretId);
      delete secret.deleteAtMs;
      store.keep('restored', secret);
      return { ARN: secret.arn, Name: secret.name };
    }),
  };
}
