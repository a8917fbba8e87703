import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { verifySignature, type SignedRequest } from '../gateway/sigv4.ts';
import { AwsError, region } from './protocol.ts';

/** The one key pair that the AWS of a run answers to. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Makes the pair of a run; both of its parts are hard to guess, and it ends with the run. */
export function makeAwsKeys(): AwsKeys {
  return {
    accessKeyId: `AKIALOCAL${randomBytes(16).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString('base64url'),
  };
}

/**
 * Lets pass what is signed with the keys, for whatever service. A signature does not age here, because its key does not outlive
 * the run, and the clocks of tests go wrong on purpose.
 *
 * @throws AwsError as AWS says it
 */
export function demandSignature(request: SignedRequest, keys: AwsKeys): void {
  const credentialOf = (accessKeyId: string) => (accessKeyId === keys.accessKeyId ? keys : undefined);
  if (verifySignature(request, { region, service: undefined, credentialOf, nowMs: undefined }) === undefined) throw strangersError();
}

/** @returns whether a request names the access key: for a server that reads its requests itself, so that no signature is verified */
export function namesAccessKey(authorization: string | undefined, { accessKeyId }: AwsKeys): boolean {
  const [, named = ''] = /Credential=([^/]+)\//.exec(authorization ?? '') ?? [];
  return timingSafeEqual(digest(named), digest(accessKeyId));
}

/** What AWS says to keys that it does not know. */
export function strangersError(): AwsError {
  return new AwsError(
    'UnrecognizedClientException',
    'The security token included in the request is invalid: it takes the keys of this run.',
    403,
  );
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}
