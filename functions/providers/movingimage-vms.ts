import * as z from 'zod/mini';
import type { Provider, ProviderAnswer, Step, TokenAnswer, Traits } from '../core/provider.ts';
import type { Secret } from '../core/secret.ts';
import { careful } from './careful.ts';
import { httpsUrl, keep, name, secret, shape } from './credentials.ts';
import { at, idOf, jsonOf, jwtExpiry, firstAfter, numberOf, postJson, secretOf, textOf } from './http.ts';

const credentials = z.strictObject(
  { base_url: z._default(httpsUrl, 'https://api.video-cdn.net'), username: name, password: secret, keep },
  shape,
);

const rule = 'must be the id of a VideoManager: a whole number';
const parameters = z.strictObject({
  /** a number or its digits; one way to write it, so that one VideoManager is one token set */
  video_manager: z.exactOptional(
    z.pipe(
      z
        .union([z.int(), z.string().check(z.regex(/^\d{1,15}$/, { error: rule, abort: true }))], { error: rule })
        .check(z.refine((id) => Number(id) >= 0, { error: rule })),
      z.transform((id: string | number) => Number(id)),
    ),
  ),
});

type Credentials = z.infer<typeof credentials>;

// A client of 2017 used one refresh token for several VideoManagers; whether that still holds, nobody says.
const traits: Traits = { ...careful, defaultLifeSeconds: 300, defaultRefreshLifeSeconds: 3600 };

const login: Step<Credentials> = {
  request: ({ credentials: { base_url, username, password } }) =>
    postJson(`${base_url}/v1/vms/auth/login`, { username, password: password.reveal() }),
  read: (answer) => tokens(answer),
};

/** After a log-in that gave another VideoManager's token than the one asked for. */
const choose: Step<Credentials> = {
  request({ credentials, parameters: { video_manager: wanted }, soFar }) {
    return wanted === undefined || soFar.facts?.['video_manager'] === wanted
      ? undefined
      : forManager(credentials, wanted, soFar.refreshToken);
  },
  read: (answer, { parameters }) => tokens(answer, parameters['video_manager']),
};

const refresh: Step<Credentials> = {
  request({ credentials, parameters, previous }) {
    const manager = numberOf(parameters['video_manager'] ?? previous?.facts['video_manager']);
    return manager === undefined || previous?.refreshToken === undefined
      ? undefined
      : forManager(credentials, manager, previous.refreshToken);
  },
  read: (answer, { parameters }) => tokens(answer, parameters['video_manager']),
};

function forManager({ base_url }: Credentials, manager: unknown, token: Secret | undefined) {
  return postJson(`${base_url}/v1/vms/auth/refresh/${String(manager)}`, { refreshToken: token?.reveal() });
}

/** A token of another VideoManager than the wanted one is no answer. */
function tokens(answer: ProviderAnswer, wanted?: unknown): Partial<TokenAnswer> | undefined {
  const body = jsonOf(answer);
  const accessToken = secretOf(at(body, 'accessToken'));
  const manager = numberOf(at(body, 'validForVideoManager'));
  if (accessToken === undefined || (wanted !== undefined && (manager ?? wanted) !== wanted)) return undefined;
  const refreshToken = secretOf(at(body, 'refreshToken'));
  const list: unknown = at(body, 'videoManagerList');
  return {
    accessToken,
    refreshToken,
    expiresAtMs: firstAfter(answer, jwtExpiry(accessToken)),
    refreshExpiresAtMs: firstAfter(answer, jwtExpiry(refreshToken)),
    facts: {
      video_manager: manager ?? wanted,
      video_managers: Array.isArray(list)
        ? list.map((each: unknown) => ({ id: numberOf(at(each, 'id')) ?? idOf(at(each, 'id')), name: textOf(at(each, 'name')) }))
        : [],
    },
  };
}

/**
 * movingimage's older log-in (`/v1/vms/auth`): an access token is for one VideoManager, a refresh token for all of a log-in.
 *
 * @see docs/providers/movingimage-vms.md
 */
export const movingimageVms = {
  id: 'movingimage-vms',
  credentials,
  parameters,
  identity: ({ username }) => [username, ''],
  traits: () => traits,
  publicTraits: traits,
  login: [login, choose],
  refresh: [refresh],
  /** Errors are documented nowhere. A failed log-in has been seen as JSON with a `message`, also where one would expect tokens. */
  classify(answer, sent) {
    if (textOf(at(jsonOf(answer), 'message')) === undefined) return undefined;
    return { kind: sent === 'login' ? 'credentials_refused' : 'refresh_refused' };
  },
} satisfies Provider<Credentials>;
