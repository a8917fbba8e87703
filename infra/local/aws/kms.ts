import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { arn, AwsError, operation, type Service } from './protocol.ts';
import type { State } from './state.ts';

/** A master key as it is kept. */
interface StoredKey {
  enabled: boolean;
  /** base64, 32 bytes */
  master: string;
}

/** What KMS keeps, by key id. */
export type KeysState = State<{ keys: Record<string, StoredKey> }>;

const ID_BYTES = 36;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const context = z.optional(z.record(z.string(), z.string()));

/** @returns the id of the one master key of a local run; makes it where there is none */
export function ensureMasterKey(state: KeysState): string {
  const present = Object.keys(state.value.keys)[0];
  if (present !== undefined) return present;
  const id = randomUUID();
  state.value.keys[id] = { enabled: true, master: randomBytes(32).toString('base64') };
  state.save();
  return id;
}

/** The master keys of a run. */
class MasterKeys {
  readonly #state: KeysState;

  constructor(state: KeysState) {
    this.#state = state;
  }

  /** @throws AwsError where there is none */
  find(idOrArn: string): { id: string; key: StoredKey } {
    const id = idOrArn.slice(idOrArn.lastIndexOf('/') + 1);
    const key = this.#state.value.keys[id];
    if (key === undefined) throw new AwsError('NotFoundException', `Key '${arn('kms', `key/${id}`)}' does not exist`);
    return { id, key };
  }

  /** @throws AwsError also where it is disabled */
  findEnabled(idOrArn: string): { id: string; key: StoredKey } {
    const found = this.find(idOrArn);
    if (!found.key.enabled) throw new AwsError('DisabledException', `${arn('kms', `key/${found.id}`)} is disabled.`);
    return found;
  }

  /** @throws AwsError where no key of these wrapped it */
  findWrapping(blob: Buffer): { id: string; key: StoredKey } {
    const id = blob.subarray(0, ID_BYTES).toString();
    if (this.#state.value.keys[id] === undefined) throw invalidCiphertext();
    return this.findEnabled(id);
  }

  setEnabled(idOrArn: string, enabled: boolean): void {
    this.find(idOrArn).key.enabled = enabled;
    this.#state.save();
  }
}

/**
 * KMS: wraps data keys with AES-256-GCM and binds them to their encryption context, as the real one does.
 *
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html
 */
export function createKms(state: KeysState): Service {
  const keys = new MasterKeys(state);
  return { ...switching(keys), ...wrapping(keys) };
}

function switching(keys: MasterKeys): Service {
  const setEnabled = (enabled: boolean) =>
    operation({ KeyId: z.string() }, ({ KeyId }) => {
      keys.setEnabled(KeyId, enabled);
      return {};
    });
  return {
    EnableKey: setEnabled(true),
    DisableKey: setEnabled(false),
    DescribeKey: operation({ KeyId: z.string() }, ({ KeyId }) => {
      const { id, key } = keys.find(KeyId);
      const KeyState = key.enabled ? 'Enabled' : 'Disabled';
      return { KeyMetadata: { KeyId: id, Arn: arn('kms', `key/${id}`), Enabled: key.enabled, KeyState, KeyUsage: 'ENCRYPT_DECRYPT' } };
    }),
  };
}

function wrapping(keys: MasterKeys): Service {
  return {
    GenerateDataKey: operation(
      { KeyId: z.string(), KeySpec: z.optional(z.literal('AES_256')), EncryptionContext: context },
      ({ KeyId, EncryptionContext }) => {
        const { id, key } = keys.findEnabled(KeyId);
        const dataKey = randomBytes(32);
        const CiphertextBlob = wrap(id, key, dataKey, EncryptionContext).toString('base64');
        return { KeyId: arn('kms', `key/${id}`), Plaintext: dataKey.toString('base64'), CiphertextBlob };
      },
    ),
    Decrypt: operation(
      { CiphertextBlob: z.string(), KeyId: z.optional(z.string()), EncryptionContext: context },
      ({ CiphertextBlob, KeyId, EncryptionContext }) => {
        const blob = Buffer.from(CiphertextBlob, 'base64');
        const { id, key } = keys.findWrapping(blob);
        if (KeyId !== undefined && keys.find(KeyId).id !== id) {
          throw new AwsError('IncorrectKeyException', 'The key ID in the request does not identify a CMK that can perform this operation.');
        }
        return { KeyId: arn('kms', `key/${id}`), Plaintext: unwrap(key, blob, EncryptionContext).toString('base64') };
      },
    ),
  };
}

function additionalData(id: string, encryptionContext: Readonly<Record<string, string>> = {}): Buffer {
  return Buffer.from(JSON.stringify([id, Object.entries(encryptionContext).toSorted(([a], [b]) => (a < b ? -1 : 1))]));
}

/** The blob is: the key's id, a fresh nonce, the tag, the ciphertext. */
function wrap(id: string, key: StoredKey, plain: Buffer, encryptionContext: Record<string, string> | undefined): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key.master, 'base64'), iv);
  cipher.setAAD(additionalData(id, encryptionContext));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.from(id), iv, cipher.getAuthTag(), sealed]);
}

function unwrap(key: StoredKey, blob: Buffer, encryptionContext: Record<string, string> | undefined): Buffer {
  const body = blob.subarray(ID_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key.master, 'base64'), body.subarray(0, IV_BYTES));
    decipher.setAAD(additionalData(blob.subarray(0, ID_BYTES).toString(), encryptionContext));
    decipher.setAuthTag(body.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(body.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}

/** The real KMS says no more than this either: what was changed stays its secret. */
function invalidCiphertext(): AwsError {
  return new AwsError('InvalidCiphertextException', '');
}
