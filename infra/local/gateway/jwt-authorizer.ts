import { createRemoteJWKSet, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import type { Authorization, Authorizer } from './authorizer.ts';

/** Whose tokens pass, and for what they must have been given. */
export interface JwtRules {
  issuer: string;
  audience: string;
  /** the route's scope, which every token must carry */
  scope: string;
}

/** API Gateway takes RSA signatures and nothing else. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512'];

/**
 * API Gateway's JWT authorizer: signature by the issuer's published keys, `iss`, `aud` (or `client_id`), `exp`, `nbf`, `iat`
 * and the route's scope.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
 */
export function createJwtAuthorizer(rules: JwtRules): Authorizer {
  let keys: JWTVerifyGetKey | undefined;
  return async ({ headers }) => {
    const token = /^(?:bearer )?([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(headers['authorization'] ?? '')?.[1];
    if (token === undefined) return unauthorized('Bearer');
    try {
      keys ??= await publishedKeys(rules.issuer);
      const { payload } = await jwtVerify(token, keys, { issuer: rules.issuer, algorithms: ALGORITHMS, requiredClaims: ['exp'] });
      const scopes = scopesOf(payload);
      if (!audienceFits(payload, rules.audience)) return unauthorized(invalid('the token does not have a valid audience'));
      if (payload.iat !== undefined && payload.iat > Date.now() / 1000) return unauthorized(invalid('the token is not valid yet'));
      if (!scopes.includes(rules.scope)) return { status: 403, message: 'Forbidden', headers: challenge(insufficient(rules.scope)) };
      return { authorizer: { jwt: { claims: claimsOf(payload), scopes } } };
    } catch {
      return unauthorized(invalid('the token is not valid'));
    }
  };
}

/** Keys are found by discovery; a key id that is not among them makes them be fetched again, so issuers may rotate. */
async function publishedKeys(issuer: string): Promise<JWTVerifyGetKey> {
  const answer = await fetch(`${issuer}/.well-known/openid-configuration`);
  const document: unknown = await answer.json();
  if (typeof document !== 'object' || document === null || !('jwks_uri' in document)) throw new Error('the issuer publishes no keys');
  return createRemoteJWKSet(new URL(String(document.jwks_uri)), { cooldownDuration: 0 });
}

function audienceFits({ aud, ['client_id']: clientId }: JWTPayload, audience: string): boolean {
  // `client_id` counts only where there is no `aud`: access tokens of Cognito have none.
  return aud === undefined ? clientId === audience : [aud].flat().includes(audience);
}

function scopesOf({ scope, scp }: JWTPayload): readonly string[] {
  const claim = scp ?? scope;
  if (Array.isArray(claim)) return claim.map(String);
  return typeof claim === 'string' ? claim.split(' ') : [];
}

/** Every claim becomes a string, a list becomes `[a b]`, and null is left out. */
function claimsOf(payload: JWTPayload): Readonly<Record<string, string>> {
  const said = Object.entries(payload).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(said.map(([name, value]) => [name, textOf(value)]));
}

function textOf(claim: unknown): string {
  if (Array.isArray(claim)) return `[${claim.join(' ')}]`;
  return typeof claim === 'string' ? claim : JSON.stringify(claim);
}

function unauthorized(words: string): Authorization {
  return { status: 401, message: 'Unauthorized', headers: challenge(words) };
}

function challenge(words: string) {
  return { 'www-authenticate': words };
}

function invalid(description: string): string {
  return `Bearer scope="" error="invalid_token" error_description="${description}"`;
}

function insufficient(scope: string): string {
  return `Bearer scope="${scope}" error="insufficient_scope" error_description="the token does not have the required scope"`;
}
