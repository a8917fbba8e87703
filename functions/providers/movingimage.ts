import * as z from 'zod/mini';
import type { DiscoveryStep, Provider, Step, Traits } from '../core/provider.ts';
import { careful } from './careful.ts';
import { httpsUrl, keep, name, noParameters, secret, shape } from './credentials.ts';
import { at, getJson, jsonOf, postForm, textOf } from './http.ts';
import { bare, oauthError, oauthTokens, oidcConfiguration, WELL_KNOWN } from './oauth.ts';

const credentials = z
  .strictObject(
    {
      /** where WebFinger is asked: a custom domain, or the general one */
      base_url: z.optional(httpsUrl),
      /** skips WebFinger */
      issuer: z.optional(httpsUrl),
      client_id: z._default(name, 'anonymous'),
      client_secret: z.optional(secret),
      username: name,
      password: secret,
      scope: z._default(name, 'openid'),
      keep,
    },
    shape,
  )
  .check(
    z.refine(({ base_url, issuer }) => base_url === undefined || issuer === undefined, {
      path: ['issuer'],
      error: 'must not be there together with base_url',
    }),
  );

type Credentials = z.infer<typeof credentials>;

// Keycloak can rotate with reuse detection, and older ones end all sessions of the user at a revocation; the realm's version and
// settings are unknown. Its access tokens are JWTs, which a refresh does not end.
const traits: Traits = { ...careful, revocationEnds: 'user', refreshEndsOldToken: false, defaultLifeSeconds: 300 };

const webfinger: DiscoveryStep<Credentials> = {
  request({ credentials: { base_url = 'https://api.video-cdn.net', issuer } }) {
    const resource = encodeURIComponent(`${base_url}/v1/`);
    return issuer === undefined ? getJson(`${base_url}/.well-known/webfinger?resource=${resource}`) : undefined;
  },
  /** The link names the configuration document itself instead of the issuer; the properties name server and realm. */
  read(answer) {
    const body = jsonOf(answer);
    const links = [at(body, 'links')].flat();
    const link = links.find((each) => at(each, 'rel') === 'http://openid.net/specs/connect/1.0/issuer');
    const properties = Object.entries(at(body, 'properties') ?? {});
    const property = (end: string) => textOf(properties.find(([key]) => key.endsWith(`/keycloak/${end}`))?.[1]);
    const [server, realm] = [property('auth-server-url'), property('realm')];
    const issuer = textOf(at(link, 'href')) ?? (server && realm && `${bare(server)}/realms/${realm}`);
    return issuer ? { issuer: bare(issuer.replace(WELL_KNOWN, '')) } : undefined;
  },
};

const configuration = oidcConfiguration<Credentials>(({ credentials, endpoints }) => credentials.issuer ?? endpoints['issuer'] ?? '');

const post = (url: string | undefined, { client_id, client_secret }: Credentials, fields: Readonly<Record<string, string>> | undefined) =>
  url && fields ? postForm(url, { client_id, client_secret: client_secret?.reveal(), ...fields }) : undefined;

const login: Step<Credentials> = {
  request({ credentials, endpoints }) {
    const { scope, username, password } = credentials;
    const fields = { grant_type: 'password', response_type: 'token', scope, username, password: password.reveal() };
    return post(endpoints['token'], credentials, fields);
  },
  read: oauthTokens,
};

const refresh: Step<Credentials> = {
  request: ({ credentials, endpoints, previous: { refreshToken } = {} }) =>
    post(endpoints['token'], credentials, refreshToken && { grant_type: 'refresh_token', refresh_token: refreshToken.reveal() }),
  read: oauthTokens,
};

const revocation: Step<Credentials> = {
  request: ({ credentials, endpoints, previous: { refreshToken } = {} }) =>
    post(endpoints['revocation'], credentials, refreshToken && { token: refreshToken.reveal(), token_type_hint: 'refresh_token' }),
  read: () => ({}),
};

const endOfSession: Step<Credentials> = {
  request: ({ credentials, endpoints, previous: { refreshToken } = {} }) =>
    post(endpoints['end_session'], credentials, refreshToken && { refresh_token: refreshToken.reveal() }),
  read: () => ({}),
};

/**
 * movingimage VideoManager Pro: OpenID Connect (Keycloak) with a password grant, endpoints by discovery.
 *
 * @see docs/providers/movingimage.md
 */
export const movingimage = {
  id: 'movingimage',
  credentials,
  parameters: noParameters,
  identity: ({ issuer = '', username, client_id }) => [issuer, username, client_id],
  traits: () => traits,
  publicTraits: traits,
  discover: [webfinger, configuration],
  login: [login],
  refresh: [refresh],
  revoke: [revocation, endOfSession],
  classify: oauthError,
} satisfies Provider<Credentials>;
