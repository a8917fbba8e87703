import { checkLogin, createSessions, jsonBody, userOf } from './sessions.ts';
import { startSimulator } from './simulator.ts';
import type { Behaviour, Reply, SimulatedRequest, Simulator, SimulatorOptions, Stage } from './simulator.ts';

/** A demo user with two VideoManagers, the first of them the log-in's own; obviously no credential of anybody. */
export const movingimageVmsUser = {
  username: 'demo.producer@example.com',
  password: 'not-a-real-password-vms',
  videoManagers: ['2', '17'],
};

/**
 * movingimage's older log-in as docs/providers/movingimage-vms.md says: a token per VideoManager, HTML where a token is dead.
 * Variants: 0 ids are numbers, 1 ids are strings and a failed log-in is a 200 with a `message`. A refresh replaces the refresh
 * token, which is the harder of the two possibilities.
 */
export function startMovingimageVmsSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { username, password, videoManagers } = movingimageVmsUser;
  return startSimulator(
    options,
    { lifeSeconds: 300, refreshLifeSeconds: 3600, users: { [username]: { password, scopes: videoManagers } } },
    behave,
  );
}

function behave(stage: Stage): Behaviour {
  const sessions = createSessions(stage, 'strict');
  const { mint, control } = stage;
  const id = (manager: string): string | number => (control.variant === 1 ? manager : Number(manager));

  function tokens(user: string, manager: string, sid?: string): Reply {
    const access = sessions.claims('access', user, control.lifeSeconds, { sid, for: manager });
    const refresh = sessions.claims('refresh', user, control.refreshLifeSeconds, { sid: access.sid });
    const write = control.omit.includes('life') ? mint.opaque : mint.jwt;
    const answer = {
      accessToken: write(access),
      refreshToken: control.omit.includes('refresh_token') ? undefined : write(refresh),
      videoManagerList: (userOf(control, user)?.scopes ?? []).map((each) => ({ id: id(each), name: `Video Manager ${each}` })),
      validForVideoManager: id(manager),
    };
    return { status: 200, body: JSON.stringify(answer) };
  }

  function login({ body }: SimulatedRequest): Reply {
    const { username, password } = jsonBody(body);
    const user = userOf(control, String(username));
    const right = checkLogin(stage, user, (known) => known.password === password, 10);
    if (right !== 'good') return { status: control.variant === 1 && !control.unseen ? 200 : 401, body: envelope('', 'Login failed') };
    return tokens(String(username), user?.scopes?.[0] ?? '0');
  }

  function refresh({ body, parts: [manager = ''] }: SimulatedRequest): Reply {
    const token = String(jsonBody(body)['refreshToken']);
    const claims = mint.openJwt(token) ?? mint.openOpaque(token);
    // The VideoManager is judged first: a refusal because of it spends nothing.
    if (claims !== undefined && userOf(control, claims.sub)?.scopes?.includes(manager) !== true) return page(403);
    const spent = claims?.type === 'refresh' ? sessions.spend(claims) : undefined;
    return spent === undefined ? page(401) : tokens(spent.sub, manager, spent.sid);
  }

  const lives = (token: string): boolean => {
    const claims = mint.openJwt(token) ?? mint.openOpaque(token);
    return sessions.alive(claims) && claims.type === 'access';
  };
  return {
    lives,
    envelope,
    routes: [
      { kind: 'login', method: 'POST', path: /^\/v1\/vms\/auth\/login$/, handle: login },
      { kind: 'refresh', method: 'POST', path: /^\/v1\/vms\/auth\/refresh\/(\d+)$/, handle: refresh },
    ],
  };
}

function page(status: number): Reply {
  return { status, headers: { 'content-type': 'text/html' }, body: '<!doctype html><html><head><title>Error</title></head></html>' };
}

function envelope(code: string, message: string): string {
  return JSON.stringify({ message, code });
}
