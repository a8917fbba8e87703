import { createHash } from 'node:crypto';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { GetSecretValueCommandOutput, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Clock, ProviderSecret, ProviderSecrets } from '../core/ports.ts';
import { partitionOf } from '../core/token-set.ts';
import { awsCodeOf, awsFailure } from './aws-failure.ts';
import { createSingleFlight } from '../core/single-flight.ts';

/** How long a secret, or its absence, stays in memory, ms. */
const keptForMs = 60_000;

/** Secrets in memory at once; the one read longest ago goes first. */
const mostKept = 1_000;

/** Longest time of one call, ms. */
const defaultTimeoutMs = 2_000;

/** 66 bits of a hash: versions are compared for equality only, and stored with every token set. */
const versionCharacters = 11;

/** A secret that is not there; the second is what a deletion under way looks like. */
const absences: ReadonlySet<string> = new Set(['ResourceNotFoundException', 'InvalidRequestException']);

/** What the secrets need. */
export interface ProviderSecretsOptions {
  client: SecretsManagerClient;
  /** secrets are named `{prefix}/{provider}/{account}` */
  prefix: string;
  clock: Clock;
  /** longest time of one call, retries included, ms; 2 s */
  timeoutMs?: number | undefined;
}

interface Entry {
  secret: ProviderSecret | undefined;
  readAtMs: number;
  /** numbers the requests, so that a slow old answer never replaces a newer one */
  request: number;
}

/**
 * The accounts' credentials from Secrets Manager.
 *
 * Cached reads of one secret that come at the same time share a request. A fresh read never joins one that began before it: its
 * answer could be older than what the caller has read elsewhere meanwhile.
 *
 * @returns the secrets; throws `secrets_unavailable`
 */
export function createProviderSecrets(options: ProviderSecretsOptions): ProviderSecrets {
  const { clock, prefix } = options;
  const memory = new Map<string, Entry>();
  const flight = createSingleFlight<ProviderSecret | undefined>();
  let requests = 0;

  const request = async (name: string): Promise<ProviderSecret | undefined> => {
    const number = ++requests;
    const readAtMs = clock.nowMs();
    const secret = await getSecret(options, name);
    if ((memory.get(name)?.request ?? 0) < number) keep(memory, name, { secret, readAtMs, request: number });
    return secret;
  };
  return {
    async read(ref, fresh) {
      const name = `${prefix}/${partitionOf(ref)}`;
      if (fresh) return request(name);
      const entry = memory.get(name);
      if (entry !== undefined && clock.nowMs() - entry.readAtMs < keptForMs) return entry.secret;
      return flight.join(name, () => request(name));
    },
  };
}

async function getSecret(
  { client, timeoutMs = defaultTimeoutMs }: ProviderSecretsOptions,
  name: string,
): Promise<ProviderSecret | undefined> {
  try {
    const command = new GetSecretValueCommand({ SecretId: name });
    return toSecret(await client.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) }));
  } catch (error) {
    if (absences.has(awsCodeOf(error))) return undefined;
    throw awsFailure('secrets_unavailable', 'secretsmanager:GetSecretValue', error);
  }
}

function toSecret({ VersionId = '', SecretString = '' }: GetSecretValueCommandOutput): ProviderSecret {
  const version = createHash('sha256').update(VersionId).digest('base64url').slice(0, versionCharacters);
  return { version, value: parsed(SecretString) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text; that it is no JSON is all that may be known.
    return undefined;
  }
}

function keep(memory: Map<string, Entry>, name: string, entry: Entry): void {
  memory.delete(name);
  memory.set(name, entry);
  for (const [oldest, { readAtMs }] of memory) {
    if (memory.size <= mostKept && entry.readAtMs - readAtMs < keptForMs) return;
    memory.delete(oldest);
  }
}
