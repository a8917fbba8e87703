import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { errors, Provider } from 'oidc-provider';
import type { Adapter, AdapterPayload, Configuration, TokenEndpointGrantContext } from 'oidc-provider';
import type { Authority } from '../../infra/local/authority.ts';

/** A real OpenID Connect server in this process, on loopback. */
export interface OidcServer {
  issuer: string;
  /** the user that it knows */
  user: { username: string; password: string };
  /** asks the server itself; an opaque token is alive as long as the server has it */
  lives(accessToken: string): Promise<boolean>;
  /** names of the server's own events, for example `grant.error`, in order */
  events: string[];
  close(): Promise<void>;
}

interface PasswordParameters {
  username?: string;
  password?: string;
  scope?: string;
}

const user = { username: 'jo@example.com', password: 'not-a-real-password-oidc' };

/**
 * Starts `oidc-provider` with a password grant, rotation with reuse detection, discovery and revocation; public client `anonymous`,
 * confidential client `confidential`.
 */
export async function startOidcServer(authority: Authority, host = '127.0.0.2'): Promise<OidcServer> {
  const { certPem, keyPem } = await authority.issue([host]);
  const server = createServer({ key: keyPem, cert: certPem });
  const issuer = `https://${host}:${await listen(server, host)}`;
  const oidc = new Provider(issuer, configuration());
  oidc.registerGrantType<PasswordParameters>('password', (ctx) => passwordGrant(oidc, ctx), [
    'username',
    'password',
    'scope',
    'response_type',
  ]);
  const events: string[] = [];
  oidc.on('grant.error', () => events.push('grant.error'));
  oidc.on('grant.revoked', () => events.push('grant.revoked'));
  const handle = oidc.callback();
  server.on('request', (incoming, outgoing) => void handle(incoming, outgoing));
  return {
    issuer,
    user,
    events,
    lives: async (token) => (await oidc.AccessToken.find(token)) !== undefined,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

function configuration(): Configuration {
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const client = { grant_types: ['password', 'refresh_token'], redirect_uris: [], response_types: [] };
  return {
    jwks: { keys: [{ ...key, kid: 'one', use: 'sig', alg: 'RS256' }] },
    cookies: { keys: ['not-a-real-cookie-key'] },
    clients: [
      { ...client, client_id: 'anonymous', token_endpoint_auth_method: 'none' },
      { ...client, client_id: 'confidential', client_secret: 'not-a-real-client-secret', token_endpoint_auth_method: 'client_secret_post' },
    ],
    adapter: memory(),
    features: { revocation: { enabled: true, allowedPolicy: () => true }, devInteractions: { enabled: false } },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    rotateRefreshToken: true,
    ttl: { AccessToken: 300, RefreshToken: 3600, Grant: 3600, IdToken: 300 },
  };
}

async function passwordGrant(oidc: Provider, ctx: TokenEndpointGrantContext<PasswordParameters>): Promise<void> {
  const { client, params } = ctx.oidc;
  if (params.username !== user.username || params.password !== user.password) throw new errors.InvalidGrant('invalid user credentials');
  const scope = params.scope ?? 'openid';
  const grant = new oidc.Grant({ accountId: user.username, clientId: client.clientId });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const common = { accountId: user.username, client, grantId, gty: 'password', scope };
  const accessToken = new oidc.AccessToken(common);
  const refreshToken = new oidc.RefreshToken(common);
  ctx.body = {
    access_token: await accessToken.save(),
    expires_in: accessToken.expiration,
    refresh_token: await refreshToken.save(),
    token_type: 'Bearer',
    scope,
  };
}

/** The server's own memory warns that it is for development only, so it gets one of ours. */
function memory(): (model: string) => Adapter {
  const items = new Map<string, AdapterPayload>();
  return (model) => ({
    upsert: async (id, payload) => void items.set(`${model}:${id}`, payload),
    find: async (id) => items.get(`${model}:${id}`),
    findByUserCode: async () => undefined,
    findByUid: async (uid) => [...items.values()].find((payload) => payload.uid === uid),
    async consume(id) {
      const payload = items.get(`${model}:${id}`);
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    },
    destroy: async (id) => void items.delete(`${model}:${id}`),
    async revokeByGrantId(grantId) {
      for (const [key, payload] of items) if (payload.grantId === grantId) items.delete(key);
    },
  });
}

function listen(server: Server, host: string): Promise<number> {
  return new Promise((listening, failed) => {
    server.once('error', failed).listen(0, host, () => {
      const address = server.address();
      listening(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
