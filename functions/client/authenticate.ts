/** A request for a token, before its sender has proven who it is. Signers of AWS's kind take it as it is. */
export interface VendRequest {
  method: 'POST';
  /** with the colon */
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  /** lower-case names; `host` is among them, because signatures cover it */
  headers: Record<string, string>;
  /** JSON */
  body: string;
}

/**
 * Proves who asks.
 *
 * @returns the headers to send: those of the request, and what proves its sender
 * @example
 * // SigV4, with `@smithy/signature-v4`
 * const authenticate = async (request) => (await signer.sign(request)).headers;
 */
export type Authenticate = (request: VendRequest) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;

/**
 * @param jwt a JWT of the deployment's issuer, or what gets one; asked before every request
 * @returns proof by `Authorization: Bearer`
 */
export function bearer(jwt: string | (() => string | Promise<string>)): Authenticate {
  return async ({ headers }) => ({ ...headers, authorization: `Bearer ${typeof jwt === 'string' ? jwt : await jwt()}` });
}
