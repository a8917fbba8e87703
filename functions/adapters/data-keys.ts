import type { KMSClient } from '@aws-sdk/client-kms';
import { TokenVendingError } from '../core/errors.ts';
import type { Clock, DataKeys, TokenStore } from '../core/ports.ts';
import { awsFailure } from './aws-failure.ts';
import { lazy } from './lazy.ts';
import { createSingleFlight } from '../core/single-flight.ts';

const dayMs = 24 * 60 * 60 * 1_000;

/** How long a key stays in memory, ms: a disabled KMS key shuts everything within this time. */
const keptForMs = 5 * 60 * 1_000;

/** Longest time of one KMS call, ms. */
const defaultTimeoutMs = 2_000;

/** What the data keys need. */
export interface DataKeysOptions {
  /** called at the first need */
  kms: () => Promise<KMSClient>;
  store: Pick<TokenStore, 'readDataKey' | 'writeDataKey'>;
  /** id or ARN of the KMS key that wraps them */
  keyId: string;
  deployment: string;
  clock: Clock;
  /** longest time of one KMS call, retries included, ms; 2 s */
  timeoutMs?: number | undefined;
}

/**
 * One data key a day, made by KMS, stored wrapped beside the token sets. Callers who need the same day at the same time share one
 * KMS call.
 *
 * @returns the keys; throws `keys_unavailable` where KMS refuses or does not answer, `store_unavailable` where the table does not
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
 */
export function createDataKeys(options: DataKeysOptions): DataKeys {
  const { store, clock } = options;
  const calls = createKmsCalls(options);
  const memory = new Map<number, { key: Buffer; untilMs: number }>();
  const opening = createSingleFlight<Buffer | undefined>();
  const sealing = createSingleFlight<Buffer>();

  const remembered = (day: number): Buffer | undefined => {
    const entry = memory.get(day);
    return entry !== undefined && entry.untilMs > clock.nowMs() ? entry.key : undefined;
  };
  /** @param askedAtMs counted from before KMS was asked: the key may have been disabled since */
  const remember = (day: number, key: Buffer, askedAtMs: number): Buffer => {
    for (const [other, { untilMs }] of memory) if (untilMs <= askedAtMs) memory.delete(other);
    memory.set(day, { key, untilMs: askedAtMs + keptForMs });
    return key;
  };
  const open = (day: number): Promise<Buffer | undefined> =>
    opening.join(String(day), async () => {
      const wrapped = await store.readDataKey(day);
      const askedAtMs = clock.nowMs();
      return wrapped && remember(day, await calls.unwrap(day, wrapped), askedAtMs);
    });
  const make = async (day: number): Promise<Buffer> => {
    const askedAtMs = clock.nowMs();
    const { key, wrapped } = await calls.generate(day);
    if (await store.writeDataKey(day, wrapped)) return remember(day, key, askedAtMs);
    const winners = await open(day);
    if (winners === undefined) throw new TokenVendingError('keys_unavailable', {}, { problem: 'a data key vanished', day });
    return winners;
  };
  return {
    async forSealing(nowMs) {
      const day = Math.floor(nowMs / dayMs);
      const key = remembered(day) ?? (await sealing.join(String(day), async () => (await open(day)) ?? (await make(day))));
      return { day, key };
    },
    forOpening: async (day) => remembered(day) ?? (await open(day)),
  };
}

interface KmsCalls {
  generate(day: number): Promise<{ key: Buffer; wrapped: Uint8Array }>;
  unwrap(day: number, wrapped: Uint8Array): Promise<Buffer>;
}

function createKmsCalls({ kms, keyId, deployment, timeoutMs = defaultTimeoutMs }: DataKeysOptions): KmsCalls {
  const client = lazy(kms);
  const contextOf = (day: number) => ({ deployment, day: String(day) });
  const calling = async <T>(operation: string, call: (limit: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> => {
    try {
      return await call({ abortSignal: AbortSignal.timeout(timeoutMs) });
    } catch (error) {
      throw awsFailure('keys_unavailable', operation, error);
    }
  };
  return {
    generate: (day) =>
      calling('kms:GenerateDataKey', async (limit) => {
        const { GenerateDataKeyCommand } = await import('./kms-client.ts');
        const command = new GenerateDataKeyCommand({ KeyId: keyId, KeySpec: 'AES_256', EncryptionContext: contextOf(day) });
        const { Plaintext, CiphertextBlob } = await (await client()).send(command, limit);
        return { key: bytesOf(Plaintext), wrapped: bytesOf(CiphertextBlob) };
      }),
    unwrap: (day, wrapped) =>
      calling('kms:Decrypt', async (limit) => {
        const { DecryptCommand } = await import('./kms-client.ts');
        const command = new DecryptCommand({ KeyId: keyId, CiphertextBlob: wrapped, EncryptionContext: contextOf(day) });
        return bytesOf((await (await client()).send(command, limit)).Plaintext);
      }),
  };
}

function bytesOf(bytes: Uint8Array | undefined): Buffer {
  if (bytes === undefined) throw new IncompleteAnswer();
  return Buffer.from(bytes);
}

/** KMS said yes and sent nothing. */
class IncompleteAnswer extends Error {
  override name = 'IncompleteAnswer';
}
