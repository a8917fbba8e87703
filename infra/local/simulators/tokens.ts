import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What a simulator's token says. Times are seconds since the epoch. */
export interface Claims {
  /** user */
  sub: string;
  /** session */
  sid: string;
  /** unique per token */
  jti: string;
  type: 'access' | 'refresh';
  iat: number;
  exp: number;
  /** the era it was made in */
  era: number;
  /** profile, VideoManager or scope */
  for?: string | undefined;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * Makes and recognises tokens by an HMAC, so that a simulator knows its own after a restart when it gets the same key.
 *
 * @param key any text; a fresh random one where none is given
 */
export function createMint(key: string = randomBytes(32).toString('hex')) {
  const mac = (text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const sign = (head: string, claims: Claims): string => {
    const text = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    return `${text}.${mac(text).toString('base64url')}`;
  };
  const open = (token: string): Claims | undefined => {
    const [head = '', payload = '', signature = ''] = token.split('.');
    const expected = mac(`${head}.${payload}`);
    const given = Buffer.from(signature, 'base64url');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const claims: Claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return claims;
  };
  const head = Buffer.from('{"typ":"JWT","alg":"HS256"}').toString('base64url');
  return {
    /** @returns a JWT */
    jwt: (claims: Claims): string => sign(head, claims),
    /** @returns the claims of a JWT of this mint, whether it is over or not */
    openJwt: open,
    /** @returns upper-case letters and digits that tell nothing */
    opaque: (claims: Claims): string => base32(Buffer.from(sign('', claims))),
    /** @returns the claims of an opaque token of this mint */
    openOpaque: (token: string): Claims | undefined => open(fromBase32(token)),
  };
}

export type Mint = ReturnType<typeof createMint>;

/** @returns the value of `Authorization: Bearer`, or nothing */
export function bearerOf(headers: IncomingHttpHeaders): string {
  return /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
}

function base32(bytes: Buffer): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  return (bits.match(/.{1,5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
}

function fromBase32(text: string): string {
  let bits = '';
  for (const letter of text) bits += Math.max(ALPHABET.indexOf(letter), 0).toString(2).padStart(5, '0');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2))).toString('utf8');
}
