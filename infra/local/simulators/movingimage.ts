import { checkLogin, createSessions, userOf } from './sessions.ts';
import { startSimulator } from './simulator.ts';
import type { Behaviour, Reply, SimulatedRequest, Simulator, SimulatorOptions, Stage } from './simulator.ts';

/** A demo user; obviously no credential of anybody. */
export const movingimageUser = { username: 'demo.editor@example.com', password: 'not-a-real-password-movingimage' };

const REALM = '/auth/realms/platform';

/**
 * movingimage as docs/providers/movingimage.md says: WebFinger, a Keycloak realm with a password grant, rotation with reuse
 * detection, revocation and log-out. Variants of discovery: 0 the link names the configuration document, 1 it names the issuer and
 * documents may not be kept, 2 there is no link but Keycloak's properties.
 */
export function startMovingimageSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { username, password } = movingimageUser;
  return startSimulator(options, { lifeSeconds: 300, refreshLifeSeconds: 3600, users: { [username]: { password } } }, behave);
}

function behave(stage: Stage): Behaviour {
  const sessions = createSessions(stage, 'strict');
  const { mint, control } = stage;

  function tokens(user: string, scope: string, sid?: string): Reply {
    const offline = scope.split(' ').includes('offline_access');
    const access = sessions.claims('access', user, control.lifeSeconds, { sid, for: scope });
    const refresh = sessions.claims('refresh', user, offline ? 10 * 31_536_000 : control.refreshLifeSeconds, {
      sid: access.sid,
      for: scope,
    });
    const life = control.omit.includes('life');
    return json(200, {
      access_token: mint.jwt(access),
      expires_in: life ? undefined : control.lifeSeconds,
      refresh_expires_in: life ? undefined : offline ? 0 : control.refreshLifeSeconds,
      refresh_token: control.omit.includes('refresh_token') ? undefined : mint.jwt(refresh),
      token_type: 'bearer',
      id_token: mint.jwt(access),
      'not-before-policy': 0,
      session_state: access.sid,
      scope: `${scope} profile email`,
    });
  }

  function login({ body }: SimulatedRequest): Reply {
    const form = new URLSearchParams(body);
    const user = form.get('username') ?? '';
    if (!isClient(form)) return error(401, 'unauthorized_client', 'Invalid client or Invalid client credentials');
    if (!(form.get('scope') ?? '').split(' ').includes('openid')) return error(400, 'invalid_scope', 'Invalid scopes');
    const right = checkLogin(stage, userOf(control, user), (known) => known.password === form.get('password'), 30);
    // A lock looks like a bad password; the status differs between versions.
    return right === 'good'
      ? tokens(user, form.get('scope') ?? '')
      : error(right === 'bad' ? 401 : 400, 'invalid_grant', 'Invalid user credentials');
  }

  function refresh({ body }: SimulatedRequest): Reply {
    const form = new URLSearchParams(body);
    if (!isClient(form)) return error(401, 'unauthorized_client', 'Invalid client or Invalid client credentials');
    const claims = mint.openJwt(form.get('refresh_token') ?? '');
    const spent = claims?.type === 'refresh' ? sessions.spend(claims) : undefined;
    return spent === undefined
      ? error(400, 'invalid_grant', 'Token is not active')
      : tokens(spent.sub, (spent.for ?? '').replace(' profile email', ''), spent.sid);
  }

  function end({ body }: SimulatedRequest): Reply {
    const form = new URLSearchParams(body);
    const claims = mint.openJwt(form.get('token') ?? form.get('refresh_token') ?? '');
    if (!sessions.alive(claims)) return form.has('token') ? { status: 200, body: '' } : error(400, 'invalid_grant', 'Session not active');
    sessions.end(claims);
    return { status: form.has('token') ? 200 : 204, body: '' };
  }

  function webfinger(): Reply {
    const issuer = `${stage.origin()}${REALM}`;
    const href = control.variant === 1 ? issuer : `${issuer}/.well-known/openid-configuration`;
    const document = {
      subject: `${stage.origin()}/v1/`,
      properties: {
        [`${stage.origin()}/v1/keycloak/realm`]: 'platform',
        [`${stage.origin()}/v1/keycloak/auth-server-url`]: `${stage.origin()}/auth/`,
      },
      links: control.variant === 2 ? [] : [{ rel: 'http://openid.net/specs/connect/1.0/issuer', href }],
    };
    return json(200, document, { 'content-type': 'application/jrd+json', ...caching() });
  }

  function configuration(): Reply {
    const issuer = `${stage.origin()}${REALM}`;
    const connect = `${issuer}/protocol/openid-connect`;
    const document = {
      issuer,
      token_endpoint: `${connect}/token`,
      revocation_endpoint: `${connect}/revoke`,
      end_session_endpoint: `${connect}/logout`,
    };
    return json(200, document, caching());
  }

  const caching = (): Record<string, string> =>
    control.variant === 1
      ? { 'cache-control': 'no-cache, must-revalidate, no-transform, no-store' }
      : { 'cache-control': 'public, max-age=3600' };

  const connect = (name: string): RegExp => new RegExp(`^${REALM}/protocol/openid-connect/${name}$`);
  const lives = (token: string): boolean => {
    const claims = mint.openJwt(token);
    return sessions.alive(claims) && claims.type === 'access';
  };
  return {
    lives,
    envelope: (code, text) => JSON.stringify({ error: code, error_description: text }),
    routes: [
      { kind: 'discovery', method: 'GET', path: /^\/\.well-known\/webfinger$/, handle: webfinger },
      { kind: 'discovery', method: 'GET', path: new RegExp(`^${REALM}/\\.well-known/openid-configuration$`), handle: configuration },
      { kind: 'refresh', method: 'POST', path: connect('token'), when: isRefresh, handle: refresh },
      { kind: 'login', method: 'POST', path: connect('token'), handle: login },
      { kind: 'revocation', method: 'POST', path: connect('revoke'), handle: end },
      { kind: 'revocation', method: 'POST', path: connect('logout'), handle: end },
    ],
  };
}

function isRefresh({ body }: SimulatedRequest): boolean {
  return new URLSearchParams(body).get('grant_type') === 'refresh_token';
}

function isClient(form: URLSearchParams): boolean {
  const id = form.get('client_id');
  return id === 'anonymous' || (id === 'confidential' && form.get('client_secret') === 'not-a-real-client-secret');
}

function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

function error(status: number, code: string, text: string): Reply {
  return json(status, { error: code, error_description: text });
}
