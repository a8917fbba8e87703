import * as z from 'zod/mini';
import type { Provider, Step, Traits } from '../../functions/core/provider.ts';
import { careful } from '../../functions/providers/careful.ts';
import { httpsUrl, keep, name, noParameters, secret, shape } from '../../functions/providers/credentials.ts';
import { postForm } from '../../functions/providers/http.ts';
import { oauthError, oauthTokens } from '../../functions/providers/oauth.ts';
import type { Simulated } from '../../infra/local/simulators/index.ts';
import { checkLogin, createSessions } from '../../infra/local/simulators/sessions.ts';
import { startSimulator } from '../../infra/local/simulators/simulator.ts';
import type { Behaviour, Reply, SimulatedRequest, Stage } from '../../infra/local/simulators/simulator.ts';

const credentials = z.strictObject({ base_url: httpsUrl, client_id: name, client_secret: secret, keep }, shape);
type Credentials = z.infer<typeof credentials>;

const traits: Traits = { ...careful, refreshWith: 'none', defaultLifeSeconds: 300 };

const login: Step<Credentials> = {
  request: ({ credentials: { base_url, client_id, client_secret } }) =>
    postForm(`${base_url}/token`, { grant_type: 'client_credentials', client_id, client_secret: client_secret.reveal() }),
  read: oauthTokens,
};

/**
 * The smallest provider that there can be, of a kind that none of the service's own is: it knows its clients by a secret, and
 * neither refreshes nor revokes. What the service claims of every provider is tried on it as well.
 *
 * @see RFC 6749 section 4.4
 */
export const clientCredentials = {
  id: 'client-credentials',
  credentials,
  parameters: noParameters,
  identity: ({ client_id }) => ['', client_id],
  traits: () => traits,
  publicTraits: traits,
  login: [login],
  refresh: [],
  classify: oauthError,
} satisfies Provider<Credentials>;

const client = { id: 'demo-importer', secret: 'not-a-real-client-secret' };

/** Its simulator. */
export const simulatedClientCredentials: Simulated = {
  start: (options) => startSimulator(options, { lifeSeconds: 300, users: { [client.id]: { password: client.secret } } }, behave),
  secret: ({ origin }) => ({ base_url: origin, client_id: client.id, client_secret: client.secret }),
};

function behave(stage: Stage): Behaviour {
  const sessions = createSessions(stage, 'kept');
  const { mint, control } = stage;

  function token({ body }: SimulatedRequest): Reply {
    const form = new URLSearchParams(body);
    const id = form.get('client_id') ?? '';
    const right = checkLogin(stage, control.users[id], ({ password }) => password === form.get('client_secret'), 100);
    if (right !== 'good') return { status: 401, body: envelope('invalid_client', 'Client authentication failed') };
    const access_token = mint.jwt(sessions.claims('access', id, control.lifeSeconds));
    const expires_in = control.omit.includes('life') ? undefined : control.lifeSeconds;
    return { status: 200, body: JSON.stringify({ access_token, token_type: 'Bearer', expires_in }) };
  }

  return {
    envelope,
    lives: (value) => sessions.alive(mint.openJwt(value)),
    routes: [{ kind: 'login', method: 'POST', path: /^\/token$/, handle: token }],
  };
}

function envelope(error: string, error_description: string): string {
  return JSON.stringify({ error, error_description });
}
