import { randomUUID } from 'node:crypto';
import { checkLogin, createSessions, jsonBody, userOf } from './sessions.ts';
import { startSimulator } from './simulator.ts';
import type { Behaviour, Reply, SimulatedRequest, Simulator, SimulatorOptions, Stage } from './simulator.ts';
import { bearerOf } from './tokens.ts';
import type { Claims } from './tokens.ts';

/** A demo user with two profiles, the first of them the default; obviously no credential of anybody. */
export const aminoUser = {
  username: 'demo.subscriber@example.com',
  password: 'not-a-real-password-amino',
  profiles: ['84eb61a9-75d4-42c7-8c15-84c3d7776227', '6c7f94af-b603-4f39-8384-f12226ea9d4c'],
};

/**
 * Amino as docs/providers/amino.md says: 201 and `text/plain` for JSON, an absolute expiry. Variants: 0 `data` is an object and ids
 * are strings, 1 `data` is an array and ids are numbers, 2 the expiry equals the log-in's time. A refresh replaces both tokens,
 * which is the harder of the two possibilities. `maxSessions` above 0 refuses a log-in beyond so many living sessions.
 */
export function startAminoSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { username, password, profiles } = aminoUser;
  return startSimulator(
    options,
    { lifeSeconds: 3600, refreshLifeSeconds: 2_592_000, users: { [username]: { password, scopes: profiles } } },
    behave,
  );
}

function behave(stage: Stage): Behaviour {
  const sessions = createSessions(stage, 'strict');
  const { mint, control } = stage;

  function pair(user: string, profile: string, sid?: string): Reply {
    const access = sessions.claims('access', user, control.lifeSeconds, { sid, for: profile });
    const refresh = sessions.claims('refresh', user, control.refreshLifeSeconds, { sid: access.sid, for: profile });
    const dark = control.omit.includes('life');
    const expiry = control.variant === 2 ? access.iat : access.exp;
    const attributes = {
      login_timestamp: access.iat,
      user_id: control.variant === 1 ? 1234 : '1234',
      user_profile_id: profile,
      user_flags: [],
      access_token: dark ? mint.opaque(access) : mint.jwt(access),
      expires_at_timestamp: dark ? undefined : expiry,
      refresh_token: control.omit.includes('refresh_token') ? undefined : mint.jwt(refresh),
    };
    const data = { type: 'AccessToken', id: access.jti, attributes };
    return {
      status: 201,
      headers: { 'content-type': 'text/plain', 'cache-control': 'no-cache, no-store, must-revalidate' },
      body: JSON.stringify({ data: control.variant === 1 ? [data] : data }),
    };
  }

  function profileFor(user: string, wanted: unknown): string | undefined {
    const profiles = userOf(control, user)?.scopes ?? [];
    return wanted === undefined ? profiles[0] : profiles.find((profile) => profile === wanted);
  }

  function login(user: string, password: unknown, wanted: unknown): Reply {
    const right = checkLogin(stage, userOf(control, user), (known) => known.password === password, 10);
    if (right !== 'good') return refusal(400, right === 'locked' ? 'a7c01f3' : '5e2d90b', 'User authentication failed');
    if (control.maxSessions > 0 && sessions.living(user) >= control.maxSessions) return refusal(400, '77b1c2d', 'Too many sessions');
    const profile = profileFor(user, wanted);
    return profile === undefined ? wrongProfile() : pair(user, profile);
  }

  function refresh(token: unknown, wanted: unknown): Reply {
    const claims = mint.openJwt(String(token));
    const profile = claims && profileFor(claims.sub, wanted ?? claims.for);
    // The profile is judged first: a refusal because of it spends nothing.
    if (claims !== undefined && profile === undefined) return wrongProfile();
    const spent = claims?.type === 'refresh' ? sessions.spend(claims) : undefined;
    return spent === undefined || profile === undefined ? refusal(400, '0c4f1aa', 'Refresh failed') : pair(spent.sub, profile, spent.sid);
  }

  function accessTokens({ body }: SimulatedRequest): Reply {
    const { grant_type, credentials, login_user_profile } = jsonBody(body);
    const { username, password, refresh_token } = jsonBody(JSON.stringify(credentials));
    return grant_type === 'password' ? login(String(username), password, login_user_profile) : refresh(refresh_token, login_user_profile);
  }

  const living = (token: string): Claims | undefined => {
    const claims = mint.openJwt(token) ?? mint.openOpaque(token);
    return sessions.alive(claims) && claims.type === 'access' ? claims : undefined;
  };

  function profileToken(request: SimulatedRequest): Reply {
    const claims = living(bearerOf(request.headers));
    if (claims === undefined || request.parts[0] !== '1234') return refusal(401, '10100', 'Invalid authorization token');
    const profile = profileFor(claims.sub, request.parts[1]);
    return profile === undefined ? wrongProfile() : pair(claims.sub, profile, claims.sid);
  }

  function logout(request: SimulatedRequest): Reply {
    const claims = living(bearerOf(request.headers));
    if (claims === undefined || claims.sub !== request.parts[0])
      return { status: 401, body: '{"error":{"code":401,"text":"Not logged in"}}' };
    sessions.end(claims);
    return { status: 200, headers: { 'set-cookie': 'usid=deleted' }, body: '{}' };
  }

  const tokens = /^\/api\/auth\/v1\/access_tokens$/;
  return {
    envelope: errors,
    lives: (token) => living(token) !== undefined,
    routes: [
      { kind: 'refresh', method: 'POST', path: tokens, when: isRefresh, handle: accessTokens },
      { kind: 'login', method: 'POST', path: tokens, handle: accessTokens },
      { kind: 'narrow', method: 'POST', path: /^\/api\/users\/v1\/users\/([^/]+)\/profile\/([^/]+)\/token$/, handle: profileToken },
      { kind: 'revocation', method: 'POST', path: /^\/api\/user\/([^/]+)\/logout$/, handle: logout },
    ],
  };
}

function isRefresh({ body }: SimulatedRequest): boolean {
  return jsonBody(body)['grant_type'] === 'refresh_token';
}

function wrongProfile(): Reply {
  return refusal(403, 'ec8e9588', 'Profile does not belong to account');
}

function refusal(status: number, code: string, title: string): Reply {
  return { status, body: errors(code, title) };
}

function errors(code: string, title: string): string {
  return JSON.stringify({ errors: [{ id: randomUUID(), href: 'about:blank', code, title, details: title, status: '400' }] });
}
