import { exportJWK, exportPKCS8, generateKeyPair, importPKCS8, SignJWT } from 'jose';
import { createPublicKey } from 'node:crypto';
import { openState } from '../aws/state.ts';

/** An issuer of JWTs for a local run. */
export interface DevelopmentIssuer {
  /** its name, and where its documents are found below */
  readonly issuer: string;
  /** @returns the document at a path below the issuer's, or undefined */
  documentAt(path: string): unknown;
  /**
   * @param subject who the token is for; grants name `issuer#subject`
   * @param claims further ones, or others in place of the usual
   * @returns a signed token that lives for 12 hours
   */
  sign(subject: string, claims?: Readonly<Record<string, unknown>>): Promise<string>;
}

const KEY_ID = 'development';

/**
 * Makes the issuer whose tokens a local run's callers bring. Its key is kept with the other data, so that a token that was
 * pasted somewhere still works after a restart.
 *
 * @param issuer URL under which the gateway serves its documents
 */
export async function createDevelopmentIssuer(
  issuer: string,
  defaults: { audience: string; scope: string },
  dataDirectory: string | undefined,
): Promise<DevelopmentIssuer> {
  const state = openState(dataDirectory, 'issuer.json', { privateKey: '' });
  if (state.value.privateKey === '') {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    state.value.privateKey = await exportPKCS8(privateKey);
    state.save();
  }
  const key = await importPKCS8(state.value.privateKey, 'RS256');
  const published = { ...(await exportJWK(createPublicKey(state.value.privateKey))), kid: KEY_ID, use: 'sig', alg: 'RS256' };
  const documents = new Map<string, unknown>([
    ['/.well-known/openid-configuration', { issuer, jwks_uri: `${issuer}/jwks.json` }],
    ['/jwks.json', { keys: [published] }],
  ]);
  return {
    issuer,
    documentAt: (path) => documents.get(path),
    sign: (subject, claims = {}) =>
      new SignJWT({ scope: defaults.scope, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: KEY_ID })
        .setIssuer(issuer)
        .setAudience(defaults.audience)
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime('12h')
        .sign(key),
  };
}
