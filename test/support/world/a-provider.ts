import type {
  Classified,
  CommonCredentials,
  Provider,
  ProviderAnswer,
  Schema,
  Step,
  StepInput,
  TokenAnswer,
  Traits,
} from '../../../functions/core/provider.ts';
import { Secret } from '../../../functions/core/secret.ts';
import type { TokenParameters } from '../../../functions/core/token-set.ts';
import type { Behaviour } from './fake-provider.ts';

/** What the secret of a fake account holds. */
export interface FakeCredentials extends CommonCredentials {
  base_url: string;
  user: string;
  password: string;
}

const kinds: Readonly<Record<string, Classified['kind']>> = {
  invalid_grant: 'refresh_refused',
  bad_password: 'credentials_refused',
  invalid_client: 'client_refused',
  invalid_scope: 'configuration',
  consent_required: 'needs_consent',
};

/** The traits that fit a behaviour. */
export function traitsOf(behaviour: Behaviour): Traits {
  return {
    rotation: behaviour.rotation,
    revocationEnds: behaviour.revocationEnds,
    refreshEndsOldToken: behaviour.refreshEndsOldToken,
    returnsSameToken: behaviour.returnsSameToken,
    sessionCap: false,
    refreshWith: behaviour.givesRefreshTokens ? 'refresh_token' : 'none',
    loginNeedsPerson: false,
    defaultLifeSeconds: Math.floor(behaviour.lifeSeconds / 2),
  };
}

/** The provider file of the fake token server. */
export function aProvider(id: string, traits: Traits): Provider<FakeCredentials> {
  return {
    id,
    credentials: taking(isCredentials),
    parameters: taking(isParameters),
    identity: ({ user }) => [user],
    traits: () => traits,
    publicTraits: traits,
    login: [step('login')],
    refresh: traits.refreshWith === 'none' ? [] : [step('refresh')],
    revoke: traits.revocationEnds === 'nothing' ? undefined : [step('revoke')],
    classify: (answer) => {
      const error = parse(answer)['error'];
      return typeof error === 'string' ? { kind: kinds[error], providerError: error } : undefined;
    },
  };
}

function step(grant: 'login' | 'refresh' | 'revoke'): Step<FakeCredentials> {
  return {
    request: ({ credentials, parameters, previous }) => ({
      method: 'POST',
      url: `${credentials.base_url}/token`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(
        grant === 'login'
          ? { grant, user: credentials.user, password: credentials.password, parameters: everyParameter(parameters) }
          : { grant, token: tokenFor(grant, previous), parameters: everyParameter(parameters) },
      ),
    }),
    read: (answer) => (grant === 'revoke' ? {} : readTokens(answer)),
  };
}

/** A session without a refresh token is ended by its access token. */
function tokenFor(grant: 'refresh' | 'revoke', previous: StepInput['previous']): string | undefined {
  return (grant === 'refresh' ? previous?.refreshToken : (previous?.refreshToken ?? previous?.accessToken))?.reveal();
}

/** Also the ones that a broken key does not see: the control of the parameters' family hides one from enumeration. */
function everyParameter(parameters: TokenParameters): Record<string, unknown> {
  return Object.fromEntries(Object.getOwnPropertyNames(parameters).map((name) => [name, parameters[name]]));
}

function readTokens(answer: ProviderAnswer): Partial<TokenAnswer> | undefined {
  const { access, refresh, expires_in: life, refresh_expires_in: refreshLife, facts } = parse(answer);
  if (typeof access !== 'string') return undefined;
  return {
    accessToken: new Secret(access),
    refreshToken: typeof refresh === 'string' ? new Secret(refresh) : undefined,
    expiresInSeconds: typeof life === 'number' ? life : undefined,
    refreshExpiresInSeconds: typeof refreshLife === 'number' ? refreshLife : undefined,
    facts: typeof facts === 'object' && facts !== null ? { ...facts } : {},
  };
}

function parse({ text }: ProviderAnswer): Record<string, unknown> {
  try {
    const parsed: Record<string, unknown> = JSON.parse(text);
    return parsed;
  } catch {
    return {};
  }
}

function isCredentials(value: unknown): value is FakeCredentials {
  return typeof value === 'object' && value !== null && 'password' in value;
}

function isParameters(value: unknown): value is TokenParameters {
  return typeof value === 'object' && value !== null;
}

function taking<T>(fits: (value: unknown) => value is T): Schema<T> {
  return {
    safeParse: (data) =>
      fits(data) ? { success: true, data } : { success: false, error: { issues: [{ path: ['password'], message: 'must be there' }] } },
  };
}
