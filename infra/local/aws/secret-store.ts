import { randomBytes, randomUUID } from 'node:crypto';
import { arn, AwsError, seconds } from './protocol.ts';
import type { State } from './state.ts';

/** One version of a secret. `AWSCURRENT` is among the stages of exactly one. */
export interface StoredVersion {
  value: string;
  stages: string[];
  createdMs: number;
}

/** A secret as it is kept. */
export interface StoredSecret {
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

/** The secrets with their versions; every change is kept and told. */
export class SecretStore {
  readonly #state: SecretsState;
  readonly #changed: (change: SecretChange) => void;

  /** @param changed is told after a change is kept */
  constructor(state: SecretsState, changed: (change: SecretChange) => void) {
    this.#state = state;
    this.#changed = changed;
  }

  /** @returns every secret that is not gone, in the order of their making */
  all(): readonly StoredSecret[] {
    return Object.values(this.#state.value.secrets).filter((secret) => !isGone(secret));
  }

  /** @param id name, ARN, or ARN without its suffix. @throws AwsError where there is none */
  find(id: string): StoredSecret {
    const named = this.#state.value.secrets[id];
    const found = named ?? this.all().find(({ arn }) => arn === id || arn.slice(0, -7) === id);
    if (found !== undefined && !isGone(found)) return found;
    throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }

  /** @throws AwsError also where it is marked for deletion */
  findLiving(id: string): StoredSecret {
    const secret = this.find(id);
    if (secret.deleteAtMs === undefined) return secret;
    throw new AwsError('InvalidRequestException', "You can't perform this operation on the secret because it was marked for deletion.");
  }

  create(name: string, description: string | undefined): StoredSecret {
    const { secrets } = this.#state.value;
    refuseTaken(secrets[name]);
    const secret = { ...newSecret(name), description };
    secrets[name] = secret;
    return secret;
  }

  /** Makes a version the current one. @returns what the calls that do so answer */
  put(secret: StoredSecret, value: string, token: string | undefined) {
    const versionId = addVersion(secret, value, token ?? randomUUID());
    this.keep('label_updated', secret, versionId);
    return { ARN: secret.arn, Name: secret.name, VersionId: versionId, VersionStages: ['AWSCURRENT'] };
  }

  /** @param kind of the change that others are told of; undefined: nobody is */
  keep(kind: SecretChange['kind'] | undefined, secret: StoredSecret, versionId?: string): void {
    if (isGone(secret)) delete this.#state.value.secrets[secret.name];
    this.#state.save();
    if (kind !== undefined) this.#changed({ kind, name: secret.name, arn: secret.arn, versionId });
  }
}

function isGone({ deleteAtMs }: StoredSecret): boolean {
  return deleteAtMs !== undefined && deleteAtMs <= Date.now();
}

/** AWS ends every ARN with a hyphen and six random characters, so a secret made anew under an old name has another one. */
function newSecret(name: string): StoredSecret {
  const suffix = randomBytes(3).toString('hex');
  return { arn: arn('secretsmanager', `secret:${name}-${suffix}`), name, createdMs: Date.now(), versions: {} };
}

function refuseTaken(taken: StoredSecret | undefined): void {
  if (taken === undefined || isGone(taken)) return;
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

/** @returns a secret without its value */
export function describe(secret: StoredSecret) {
  return {
    ARN: secret.arn,
    Name: secret.name,
    ...(secret.description === undefined ? {} : { Description: secret.description }),
    ...(secret.deleteAtMs === undefined ? {} : { DeletedDate: seconds(secret.deleteAtMs) }),
    CreatedDate: seconds(secret.createdMs),
    VersionIdsToStages: Object.fromEntries(Object.entries(secret.versions).map(([id, { stages }]) => [id, stages])),
  };
}
