import * as z from 'zod/mini';
import type { Provider, ProviderAnswer, Step, StepInput, TokenAnswer, Traits } from '../core/provider.ts';
import { careful } from './careful.ts';
import { httpsUrl, keep, name, secret, shape } from './credentials.ts';
import { at, bearer, firstAfter, idOf, jsonOf, jwtExpiry, numberOf, postJson, secretOf, textOf } from './http.ts';

const credentials = z.strictObject(
  {
    base_url: httpsUrl,
    username: name,
    password: secret,
    /** `legacy`: a profile's token comes from the older endpoint, as deployments before 2019-10 have it */
    profile_endpoint: z.optional(z.literal('legacy', { error: 'must be "legacy"' })),
    /** the service name of the legacy log-out; without it nothing can be revoked */
    logout_service: z.optional(name),
    keep,
  },
  shape,
);

const parameters = z.strictObject({
  login_user_profile: z.exactOptional(
    z.string({ error: 'must be a profile id' }).check(z.regex(/^[A-Za-z0-9-]{1,64}$/, 'must be a profile id: letters, digits and hyphens')),
  ),
});

type Credentials = z.infer<typeof credentials>;
type Input = StepInput<Credentials>;

// Nobody says what a refresh does to the old tokens, nor how long a token lives: that is set per deployment (an hour to a year).
const traits: Traits = { ...careful, sessionCap: true, defaultLifeSeconds: 900 };

const byPassword = ({ credentials: { base_url, username, password } }: Input, profile?: string) =>
  postJson(`${base_url}/api/auth/v1/access_tokens`, {
    grant_type: 'password',
    credentials: { username, password: password.reveal() },
    login_user_profile: profile,
  });

const byRefreshToken = ({ credentials: { base_url } }: Input, token: string, profile?: string) =>
  postJson(`${base_url}/api/auth/v1/access_tokens`, {
    grant_type: 'refresh_token',
    credentials: { refresh_token: token },
    login_user_profile: profile,
  });

const login: Step<Credentials> = { request: (input) => byPassword(input), read: (answer) => pair(answer) };

const refresh: Step<Credentials> = {
  request: (input) => {
    const token = input.previous?.refreshToken?.reveal();
    return token === undefined ? undefined : byRefreshToken(input, token, isLegacy(input) ? undefined : profileOf(input));
  },
  read: (answer, input) => pair(answer, isLegacy(input) ? undefined : profileOf(input)),
};

/** A step of its own, so that a wrong profile is never counted as a wrong password. Not needed where the profile is right already. */
const narrow: Step<Credentials> = {
  request(input) {
    const { credentials, soFar } = input;
    const profile = profileOf(input);
    if (profile === undefined || String(soFar.facts?.['user_profile_id']) === profile || soFar.accessToken === undefined) return undefined;
    if (isLegacy(input)) {
      const user = encodeURIComponent(String(soFar.facts?.['user_id']));
      return postJson(`${credentials.base_url}/api/users/v1/users/${user}/profile/${profile}/token`, undefined, bearer(soFar.accessToken));
    }
    return soFar.refreshToken ? byRefreshToken(input, soFar.refreshToken.reveal(), profile) : byPassword(input, profile);
  },
  read: (answer, input) => pair(answer, profileOf(input)),
};

const narrowLegacy: Step<Credentials> = { ...narrow, request: (input) => (isLegacy(input) ? narrow.request(input) : undefined) };

const logout: Step<Credentials> = {
  request({ credentials: { base_url, username, logout_service }, previous }) {
    if (logout_service === undefined || previous === undefined) return undefined;
    const query = new URLSearchParams({ ajax: '1', service: logout_service }).toString();
    return postJson(`${base_url}/api/user/${encodeURIComponent(username)}/logout?${query}`, undefined, bearer(previous.accessToken));
  },
  read: () => ({}),
};

/** Reads `data`, an object since 2019-11 and an array before. A token of another profile than the one asked for is no answer. */
function pair(answer: ProviderAnswer, profile?: string): Partial<TokenAnswer> | undefined {
  const body = jsonOf(answer);
  const attributes = at(body, 'data', 'attributes') ?? at(body, 'data', 0, 'attributes');
  const accessToken = secretOf(at(attributes, 'access_token'));
  const facts = { user_id: idOf(at(attributes, 'user_id')), user_profile_id: idOf(at(attributes, 'user_profile_id')) };
  if (accessToken === undefined || (profile !== undefined && String(facts.user_profile_id ?? profile) !== profile)) return undefined;
  const refreshToken = secretOf(at(attributes, 'refresh_token'));
  const expiresAt = numberOf(at(attributes, 'expires_at_timestamp')) ?? 0;
  const stated = expiresAt > (numberOf(at(attributes, 'login_timestamp')) ?? 0) ? expiresAt * 1000 : undefined;
  return {
    accessToken,
    refreshToken,
    expiresAtMs: firstAfter(answer, stated, jwtExpiry(accessToken)),
    refreshExpiresAtMs: firstAfter(answer, jwtExpiry(refreshToken)),
    facts,
  };
}

function profileOf({ parameters }: Input): string | undefined {
  return textOf(parameters['login_user_profile']);
}

function isLegacy({ credentials }: Input): boolean {
  return credentials.profile_endpoint === 'legacy';
}

/**
 * Amino (AminoTV, AminoMOVE, BooxMedia): JSON of its own shape, tokens per user profile, absolute expiry.
 *
 * @see docs/providers/amino.md
 */
export const amino = {
  id: 'amino',
  credentials,
  parameters,
  identity: ({ username }) => [username, ''],
  traits: ({ logout_service }) => (logout_service === undefined ? traits : { ...traits, revocationEnds: 'session' }),
  publicTraits: traits,
  login: [login, narrow],
  refresh: [refresh, narrowLegacy],
  revoke: [logout],
  /** The codes of a bad password and of a dead token are not published; a legacy error has a number, a current one a word. */
  classify(answer) {
    const body = jsonOf(answer);
    const code = idOf(at(body, 'errors', 0, 'code')) ?? idOf(at(body, 'error', 'code'));
    return { providerError: code?.toString(), kind: code === 'ec8e9588' ? 'configuration' : undefined };
  },
} satisfies Provider<Credentials>;
