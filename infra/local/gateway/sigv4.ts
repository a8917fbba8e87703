import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** A request as it came over the wire. */
export interface SignedRequest {
  method: string;
  /** as sent, still encoded, without the query */
  path: string;
  /** as sent, without the question mark */
  query: string;
  /** lower-case names; a name that came more than once holds its values with commas */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}

/** What a signature must be made for. */
export interface SigningRules {
  region: string;
  /** undefined: any */
  service: string | undefined;
  /** @returns the secret of an access key and the session token that must come with it; undefined: no such key */
  credentialOf(accessKeyId: string): { secretAccessKey: string; sessionToken?: string | undefined } | undefined;
  /** undefined: a signature may be of any age */
  nowMs: number | undefined;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
/** API Gateway refuses a signature that is further away than this. */
const SKEW_MS = 5 * 60_000;
const HEADER =
  /^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request,\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/;

/**
 * Verifies a signature of version 4 in the `Authorization` header.
 *
 * @returns the access key that signed, or undefined: missing, malformed, too old, for another region, or wrong
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function verifySignature(request: SignedRequest, rules: SigningRules): string | undefined {
  const match = HEADER.exec(request.headers['authorization'] ?? '');
  const [, accessKeyId = '', day = '', region = '', service = '', names = '', signature = ''] = match ?? [];
  const signedHeaders = names.split(';');
  const time = request.headers['x-amz-date'] ?? '';
  const credential = rules.credentialOf(accessKeyId);
  if (match === null || credential === undefined) return undefined;
  if (region !== rules.region || service !== (rules.service ?? service)) return undefined;
  if (!['host', 'x-amz-date'].every((name) => signedHeaders.includes(name))) return undefined;
  if (!time.startsWith(day) || (rules.nowMs !== undefined && Math.abs(msOf(time) - rules.nowMs) > SKEW_MS)) return undefined;
  if (request.headers['x-amz-security-token'] !== credential.sessionToken) return undefined;
  if (saidHash(request) !== sha256(request.body)) return undefined;

  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = [ALGORITHM, time, scope, sha256(canonicalRequest(request, signedHeaders))].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${credential.secretAccessKey}`);
  return timingSafeEqual(hmac(key, toSign), Buffer.from(signature, 'hex')) ? accessKeyId : undefined;
}

/** A client may send the body's hash as a header; it must be the true one, and "unsigned" is no hash. */
function saidHash(request: SignedRequest): string {
  return request.headers['x-amz-content-sha256'] ?? sha256(request.body);
}

function canonicalRequest(request: SignedRequest, signedHeaders: readonly string[]): string {
  const headers = signedHeaders.map((name) => `${name}:${(request.headers[name] ?? '').trim().replaceAll(/ +/g, ' ')}\n`);
  // Every service but S3 encodes the path once more than the wire has it.
  const path = request.path.split('/').map(encode).join('/');
  return [request.method, path, canonicalQuery(request.query), headers.join(''), signedHeaders.join(';'), sha256(request.body)].join('\n');
}

function canonicalQuery(query: string): string {
  const decoded = [...new URLSearchParams(query.replaceAll('+', '%2B'))];
  const pairs = decoded.map(([name, value]) => [encode(name), encode(value)] as const);
  return pairs
    .toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** RFC 3986: everything but the unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.codePointAt(0)?.toString(16).toUpperCase()}`);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** `20260115T101500Z` in ms since the epoch; not a number where it is not one. */
function msOf(time: string): number {
  return Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: Buffer | string, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
