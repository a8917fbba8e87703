import type { Provider, ProviderAnswer, Step, StepInput, Traits } from '../../functions/core/provider.ts';
import { Secret } from '../../functions/core/secret.ts';
import type { FakeCredentials } from '../support/world/a-provider.ts';
import { aProvider } from '../support/world/a-provider.ts';

type FormOf = (input: StepInput<FakeCredentials>) => Record<string, string>;

const step = (formOf: FormOf): Step<FakeCredentials> => ({
  request: (input) => {
    const form: Record<string, string> = { client_id: 'vending', ...formOf(input) };
    return {
      method: 'POST',
      url: `${input.credentials.base_url}/token`,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        // For the test alone, which looks at requests without parsing them.
        'x-grant': form['grant_type'] ?? '',
        'x-user': input.credentials.user,
      },
      body: new URLSearchParams(form).toString(),
    };
  },
  read: readTokens,
});

/** The provider file of the OpenID Connect server: RFC 6749's password and refresh grants of a public client. */
export function anOidcProvider(id: string, traits: Traits): Provider<FakeCredentials> {
  return {
    ...aProvider(id, traits),
    login: [
      step(({ credentials: { user, password } }) => ({ grant_type: 'password', username: user, password, scope: 'openid offline_access' })),
    ],
    refresh: [step(({ previous }) => ({ grant_type: 'refresh_token', refresh_token: previous?.refreshToken?.reveal() ?? '' }))],
    classify: (_answer, sent) => ({ kind: sent === 'login' ? 'credentials_refused' : 'refresh_refused' }),
  };
}

function readTokens({ text }: ProviderAnswer): ReturnType<Step['read']> {
  const body: Record<string, unknown> = JSON.parse(text);
  const { access_token, refresh_token, expires_in, session } = body;
  if (typeof access_token !== 'string') return undefined;
  return {
    accessToken: new Secret(access_token),
    refreshToken: typeof refresh_token === 'string' ? new Secret(refresh_token) : undefined,
    expiresInSeconds: Number(expires_in),
    facts: { session: String(session) },
  };
}
