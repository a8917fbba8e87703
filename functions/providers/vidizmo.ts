import * as z from 'zod/mini';
import type { Provider, ProviderAnswer, Step, TokenAnswer, Traits } from '../core/provider.ts';
import { Secret } from '../core/secret.ts';
import { careful } from './careful.ts';
import { httpsUrl, keep, name, noParameters, secret, shape } from './credentials.ts';
import { at, bearer, jsonOf, postJson, textOf } from './http.ts';

const credentials = z
  .strictObject(
    {
      base_url: httpsUrl,
      email: name,
      password: z.optional(secret),
      client_secret: z.optional(secret),
      /** the portal's token life; 900 s unless said, under the 20 minutes of its default log-out for inactivity */
      life_seconds: z._default(
        z.int({ error: 'must be a whole number' }).check(z.gte(10, 'must be at least 10'), z.lte(31_536_000, 'must be at most 31536000')),
        900,
      ),
      keep,
    },
    shape,
  )
  .check(
    z.refine((value) => (value.password === undefined) !== (value.client_secret === undefined), {
      path: ['password'],
      error: 'must be there, or client_secret instead; not both',
    }),
  );

type Credentials = z.infer<typeof credentials>;

// Whether a refresh ends the old token, and whether a log-out ends other sessions of the user, nobody says: the careful side.
const traits: Traits = { ...careful, revocationEnds: 'user', refreshWith: 'access_token', defaultLifeSeconds: 900 };

const authenticate: Step<Credentials> = {
  request: ({ credentials: { base_url, email, password, client_secret } }) =>
    postJson(`${base_url}/api/v1/user/authenticate`, {
      emailAddress: email,
      password: password?.reveal(),
      clientSecret: client_secret?.reveal(),
    }),
  read: bareToken,
};

const refresh: Step<Credentials> = {
  request: ({ credentials: { base_url }, previous }) =>
    previous && postJson(`${base_url}/api/v1/user/refresh-access-token`, undefined, bearer(previous.accessToken)),
  read: bareToken,
};

const logout: Step<Credentials> = {
  request: ({ credentials: { base_url }, previous }) =>
    previous && postJson(`${base_url}/api/v1/user/logout`, undefined, bearer(previous.accessToken)),
  read: () => ({}),
};

/** The whole body is the token, with quotes in most copies of the docs and without in one. Nothing in it tells its life. */
function bareToken(answer: ProviderAnswer, { credentials }: { credentials: Credentials }): Partial<TokenAnswer> | undefined {
  const body = textOf(jsonOf(answer)) ?? answer.text.trim();
  if (!/^[A-Za-z0-9._~+/-]{20,}=*$/.test(body)) return undefined;
  return { accessToken: new Secret(body), expiresInSeconds: credentials.life_seconds };
}

/**
 * VIDIZMO (EnterpriseTube and others): a bare token for an e-mail address with a password or a client secret, renewed by itself.
 *
 * @see docs/providers/vidizmo.md
 */
export const vidizmo = {
  id: 'vidizmo',
  credentials,
  parameters: noParameters,
  identity: ({ email }) => [email, ''],
  traits: () => traits,
  publicTraits: traits,
  login: [authenticate],
  refresh: [refresh],
  revoke: [logout],
  /** Every error is a 400 that tells itself by `name`; which names a bad password or a lock has is not published. */
  classify(answer, sent) {
    const providerError = textOf(at(jsonOf(answer), 'name'));
    const dead = providerError === 'ExpiredAccessTokenException' || providerError === 'InvalidAccessTokenException';
    return { providerError, kind: dead && sent !== 'login' ? 'refresh_refused' : undefined };
  },
} satisfies Provider<Credentials>;
