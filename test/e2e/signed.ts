import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { region } from './cloud.ts';

/** Credentials of an IAM identity. */
export interface Keys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

interface Unsigned {
  method: 'GET' | 'POST';
  url: string;
  headers?: Record<string, string>;
  body?: string;
}

/**
 * Sends a request signed with Signature Version 4, as every AWS client does.
 *
 * @param signedPath what is signed as the path, where the emulator serves an API below another one than its callers know
 */
export async function fetchSigned(keys: Keys, service: string, request: Unsigned, signedPath?: string): Promise<Response> {
  const url = new URL(request.url);
  const signer = new SignatureV4({ service, region, credentials: keys, sha256: Sha256 });
  const { headers } = await signer.sign({
    method: request.method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: signedPath ?? url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { host: url.host, ...request.headers },
    body: request.body,
  });
  const body = request.body === undefined || request.body === '' ? {} : { body: request.body };
  return fetch(url, { method: request.method, headers, signal: AbortSignal.timeout(35_000), ...body });
}
