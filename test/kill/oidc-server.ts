import { createServer } from 'node:http';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { Provider } from 'oidc-provider';
import { listen } from '../../infra/local/listen.ts';
import { endWithParent, settingsOf, tellParent } from '../support/processes/child.ts';
import { attemptHeader } from '../support/processes/provider-messages.ts';
import { createRequestGate } from '../support/processes/request-gate.ts';
import { KeepingAdapter } from './oidc-adapter.ts';

/** What the server is started with. */
export interface OidcServerSettings {
  /** life of an access token, seconds */
  lifeSeconds: number;
  users: readonly string[];
}

const HOUR = 3_600;

/** A real OpenID Connect server: password grant, rotation, and a refresh token shown twice ends the grant. */
function createOidcServer(issuer: string, { lifeSeconds, users }: OidcServerSettings): Provider {
  const known = new Set(users);
  const provider = new Provider(issuer, {
    adapter: KeepingAdapter,
    clients: [
      {
        client_id: 'vending',
        token_endpoint_auth_method: 'none',
        grant_types: ['password', 'refresh_token'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ['openid', 'offline_access'],
    features: { devInteractions: { enabled: false } },
    rotateRefreshToken: true,
    ttl: { AccessToken: lifeSeconds, RefreshToken: HOUR, Grant: HOUR, IdToken: lifeSeconds },
    findAccount: (_context, accountId) => (known.has(accountId) ? { accountId, claims: () => ({ sub: accountId }) } : undefined),
  });
  provider.registerGrantType('password', (context) => logIn(provider, known, lifeSeconds, context), ['username', 'password', 'scope']);
  return provider;
}

async function logIn(provider: Provider, known: ReadonlySet<string>, lifeSeconds: number, context: KoaContextWithOIDC): Promise<void> {
  const { client, params } = context.oidc;
  const accountId = String(params?.['username']);
  if (!client || params?.['password'] !== 'correct' || !known.has(accountId)) {
    context.status = 400;
    context.body = { error: 'invalid_grant' };
    return;
  }
  const scope = 'openid offline_access';
  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const shared = { accountId, client, grantId, gty: 'password', scope };
  const access = await new provider.AccessToken({ ...shared, claims: {} }).save();
  const refresh = await new provider.RefreshToken({ ...shared, iiat: Math.floor(Date.now() / 1000), rotations: 0 }).save();
  context.oidc.entity('Grant', grant);
  context.body = { access_token: access, expires_in: lifeSeconds, token_type: 'Bearer', refresh_token: refresh, scope };
}

/** Reports each token request, says which grant an answer belongs to, and answers `GET /use` for an access token that lives. */
function observe(provider: Provider): void {
  const gate = createRequestGate();
  provider.use(async (context, next) => {
    if (context.path === '/use') {
      const token = await provider.AccessToken.find(context.get('authorization').replace(/^Bearer /, ''));
      context.status = token?.isValid === true ? 204 : 401;
      return;
    }
    const sent = context.get('x-grant') === 'password' ? 'login' : 'refresh';
    const user = context.get('x-user');
    const id = gate.arrived(context.get(attemptHeader), sent, user, context.res);
    await next();
    const { RefreshToken: refresh, Grant: grant } = context.oidc?.entities ?? {};
    const session = refresh?.grantId ?? grant?.jti;
    const body: unknown = context.body;
    const good = context.status === 200 && typeof body === 'object' && body !== null;
    if (good) context.body = { ...body, session };
    await gate.handled(id, good, session, user);
  });
  provider.on('grant.revoked', (_context, grantId) => tellParent({ kind: 'session_died', session: grantId }));
}

if (import.meta.main) {
  endWithParent();
  // The issuer must know its own URL before it exists, so the port comes first.
  const server = createServer();
  const url = `http://127.0.0.1:${await listen(server)}`;
  const provider = createOidcServer(url, settingsOf<OidcServerSettings>());
  observe(provider);
  const callback = provider.callback();
  server.on('request', (request, response) => void callback(request, response));
  tellParent({ kind: 'ready', url });
}
