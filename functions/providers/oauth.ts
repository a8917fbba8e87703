import type { Classified, DiscoveryStep, FailureKind, ProviderAnswer, Sent, TokenAnswer } from '../core/provider.ts';
import { at, getJson, jsonOf, numberOf, secretOf, textOf } from './http.ts';

/** Where an issuer keeps its configuration document, after the issuer's own path. */
export const WELL_KNOWN = '/.well-known/openid-configuration';

/**
 * Reads a token answer of OAuth 2, with Keycloak's `refresh_expires_in`. A token that is not to be used as a bearer is none.
 *
 * @see RFC 6749 section 5.1
 */
export function oauthTokens(answer: ProviderAnswer): Partial<TokenAnswer> | undefined {
  const body = jsonOf(answer);
  const accessToken = secretOf(at(body, 'access_token'));
  if (accessToken === undefined || (textOf(at(body, 'token_type')) ?? 'bearer').toLowerCase() !== 'bearer') return undefined;
  return {
    accessToken,
    refreshToken: secretOf(at(body, 'refresh_token')),
    expiresInSeconds: numberOf(at(body, 'expires_in')),
    refreshExpiresInSeconds: numberOf(at(body, 'refresh_expires_in')),
    scope: textOf(at(body, 'scope')),
  };
}

const errors: Readonly<Record<string, FailureKind | Partial<Record<Sent, FailureKind>>>> = {
  invalid_grant: { login: 'credentials_refused', refresh: 'refresh_refused' },
  invalid_client: 'client_refused',
  unauthorized_client: 'configuration',
  invalid_scope: 'configuration',
  unsupported_grant_type: 'configuration',
  invalid_request: { login: 'configuration' },
  temporarily_unavailable: 'transient',
  server_error: 'transient',
};

/**
 * Judges an error of OAuth 2 by its code: servers disagree about the status, also between their own versions. But for one: 401 is
 * only said of a client's own authentication, and Keycloak says `unauthorized_client` with it where the client's secret is wrong.
 *
 * @see RFC 6749 section 5.2
 */
export function oauthError(answer: ProviderAnswer, sent: Sent): Classified {
  const providerError = textOf(at(jsonOf(answer), 'error'));
  const known = providerError !== undefined && Object.hasOwn(errors, providerError) ? errors[providerError] : undefined;
  if (providerError === 'unauthorized_client' && answer.status === 401) return { providerError, kind: 'client_refused' };
  return { providerError, kind: typeof known === 'object' ? known[sent] : known };
}

/**
 * A step that reads an issuer's configuration: `token`, and `revocation` and `end_session` where it has them. A document that
 * names another issuer than the one asked is an impostor's.
 *
 * @param issuerOf the issuer, without a trailing slash
 * @see OpenID Connect Discovery 1.0 section 4.3
 */
export function oidcConfiguration<C>(
  issuerOf: (input: { credentials: C; endpoints: Readonly<Record<string, string>> }) => string,
): DiscoveryStep<C> {
  return {
    request: (input) => getJson(issuerOf(input) + WELL_KNOWN),
    read(answer, input) {
      const body = jsonOf(answer);
      const token = textOf(at(body, 'token_endpoint'));
      if (token === undefined || bare(textOf(at(body, 'issuer')) ?? '') !== issuerOf(input)) return undefined;
      const revocation = textOf(at(body, 'revocation_endpoint'));
      const endOfSession = textOf(at(body, 'end_session_endpoint'));
      return { token, ...(revocation && { revocation }), ...(endOfSession && { end_session: endOfSession }) };
    },
  };
}

/** @returns the URL without a trailing slash: issuers are compared that way */
export function bare(url: string): string {
  return url.replace(/\/+$/, '');
}
