import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { DataKeys } from './ports.ts';
import { Secret } from './secret.ts';
import type { Facts, TokenParameters, TokenSet, TokenSetItem, TokenSetKey } from './token-set.ts';

/** Everything that a sealed value is bound to. A value that is moved, renumbered or re-dated does not open. */
export interface SealContext {
  /** of the sealed value's layout */
  version: number;
  deployment: string;
  /** UTC days since the epoch; names the data key */
  day: number;
  key: TokenSetKey;
  generation: number;
  obtainedAtMs: number;
  expiresAtMs: number;
  refreshExpiresAtMs: number | undefined;
}

/** Seals token sets with the day's data key and opens them. */
export interface Sealer {
  /**
   * @param generation the generation that the sealed set will be stored under
   * @throws keys_unavailable
   */
  seal(key: TokenSetKey, generation: number, tokenSet: TokenSet, nowMs: number): Promise<Uint8Array>;
  /**
   * @returns undefined where nothing is sealed; `refused` where the value does not belong to this item, or was altered
   * @throws keys_unavailable
   */
  open(key: TokenSetKey, item: TokenSetItem): Promise<TokenSet | 'refused' | undefined>;
}

// Layout: version (1 byte), day (2 bytes, big endian: until 2149), nonce (12), ciphertext, tag (16).
const VERSION = 2;
/**
 * What the plain text of a version is deflated with: the words that every token set has, so that a short one is not mostly words.
 * Sealed values outlive a deployment: a dictionary is never edited, a better one is another version.
 */
const dictionaries: Readonly<Record<number, Buffer>> = {
  1: Buffer.alloc(0),
  2: Buffer.from(
    '{"a":"eyJhbGciOiJ","r":"eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6I","s":"openid profile","f":{"user_id":"","user_profile_id":"' +
      '"video_managers":[{"id":,"name":""}]},"p":{"video_manager":,"login_user_profile":"},"i":"","e":1}","o":"https://.com","i":""}',
  ),
};
const HEADER_BYTES = 3;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
// No provider's answer is larger than 100 KiB, so nothing honest inflates to more than twice that.
const MOST_PLAIN_BYTES = 200 * 1024;

/** The sealed members by one letter each: an item stays near the size of its tokens, and tokens deflate well. */
interface Plain {
  a: string;
  r?: string | undefined;
  s?: string | undefined;
  f?: Facts | undefined;
  p?: TokenParameters | undefined;
  o: string;
  i: string;
  e?: 1 | undefined;
}

/** @param deps `deployment` separates stages that share a key; `keys` gives one data key a day */
export function createSealer({ keys, deployment }: { keys: DataKeys; deployment: string }): Sealer {
  return {
    async seal(key, generation, tokenSet, nowMs) {
      const { day, key: dataKey } = await keys.forSealing(nowMs);
      const { obtainedAtMs, expiresAtMs, refreshExpiresAtMs } = tokenSet;
      const context = { version: VERSION, deployment, day, key, generation, obtainedAtMs, expiresAtMs, refreshExpiresAtMs };
      const header = Buffer.alloc(HEADER_BYTES);
      header.writeUInt8(VERSION, 0);
      header.writeUInt16BE(day, 1);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', setKey(dataKey, key), nonce).setAAD(associatedData(context));
      const deflated = deflateRawSync(JSON.stringify(toPlain(tokenSet)), { dictionary: dictionaries[VERSION] });
      const body = Buffer.concat([cipher.update(deflated), cipher.final()]);
      return Buffer.concat([header, nonce, body, cipher.getAuthTag()]);
    },

    async open(key, item) {
      const { sealed, generation, obtainedAtMs, expiresAtMs, refreshExpiresAtMs } = item;
      if (!sealed) return undefined;
      if (obtainedAtMs === undefined || expiresAtMs === undefined) return 'refused';
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      if (bytes.length < HEADER_BYTES + NONCE_BYTES + TAG_BYTES) return 'refused';
      const version = bytes.readUInt8(0);
      if (!(version in dictionaries)) return 'refused';
      const day = bytes.readUInt16BE(1);
      const context = { version, deployment, day, key, generation, obtainedAtMs, expiresAtMs, refreshExpiresAtMs };
      const dataKey = await keys.forOpening(day);
      const plain = dataKey && decrypt(bytes, dataKey, context);
      return plain === undefined ? 'refused' : fromPlain(plain, context);
    },
  };
}

function decrypt(bytes: Buffer, dataKey: Buffer, context: SealContext): Plain | undefined {
  const body = HEADER_BYTES + NONCE_BYTES;
  try {
    const decipher = createDecipheriv('aes-256-gcm', setKey(dataKey, context.key), bytes.subarray(HEADER_BYTES, body))
      .setAAD(associatedData(context))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    const deflated = Buffer.concat([decipher.update(bytes.subarray(body, -TAG_BYTES)), decipher.final()]);
    const dictionary = dictionaries[context.version];
    const plain: Plain = JSON.parse(inflateRawSync(deflated, { dictionary, maxOutputLength: MOST_PLAIN_BYTES }).toString());
    return plain;
  } catch {
    // Authentication failed. What failed says nothing that a log may know, and the set is renewed.
    return undefined;
  }
}

/** RFC 5869: a key of its own for every token set, so that a nonce is never shared between two of them. */
function setKey(dataKey: Buffer, { partition, sort }: TokenSetKey): Buffer {
  return Buffer.from(hkdfSync('sha256', dataKey, '', `${partition}\n${sort}`, 32));
}

function associatedData(context: SealContext): Buffer {
  const { version, deployment, day, key, generation, obtainedAtMs, expiresAtMs, refreshExpiresAtMs } = context;
  const members = [deployment, day, key.partition, key.sort, generation, obtainedAtMs, expiresAtMs, refreshExpiresAtMs ?? null];
  return Buffer.from(JSON.stringify(version === 1 ? members : [...members, version]));
}

function toPlain({ accessToken, refreshToken, scope, facts, parameters, origin, identity, refreshEndsOldToken }: TokenSet): Plain {
  return {
    a: accessToken.reveal(),
    r: refreshToken?.reveal(),
    s: scope,
    f: Object.keys(facts).length > 0 ? facts : undefined,
    p: Object.keys(parameters).length > 0 ? parameters : undefined,
    o: origin,
    i: identity,
    e: refreshEndsOldToken ? 1 : undefined,
  };
}

function fromPlain({ a, r, s, f = {}, p = {}, o, i, e }: Plain, { obtainedAtMs, expiresAtMs, refreshExpiresAtMs }: SealContext): TokenSet {
  return {
    accessToken: new Secret(a),
    refreshToken: r === undefined ? undefined : new Secret(r),
    scope: s,
    facts: f,
    parameters: p,
    origin: o,
    identity: i,
    refreshEndsOldToken: e === 1,
    obtainedAtMs,
    expiresAtMs,
    refreshExpiresAtMs,
  };
}
