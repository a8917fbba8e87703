import { randomUUID } from 'node:crypto';
import { checkLogin, createSessions, jsonBody, userOf } from './sessions.ts';
import type { Behaviour, Reply, SimulatedRequest, Simulator, SimulatorOptions, Stage } from './simulator.ts';
import { startSimulator } from './simulator.ts';
import { bearerOf } from './tokens.ts';

/** A demo user; obviously no credential of anybody. */
export const vidizmoUser = {
  email: 'demo.viewer@example.com',
  password: 'not-a-real-password-vidizmo',
  clientSecret: 'not-a-real-client-secret',
};

/**
 * VIDIZMO as docs/providers/vidizmo.md says: a bare token as the whole body (variant 0 quoted, 1 not), 400 with a `name` for
 * every error, a lock after 5 bad log-ins. A refresh ends the old token, which is the harder of the two possibilities.
 */
export function startVidizmoSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { email, password, clientSecret } = vidizmoUser;
  return startSimulator(options, { lifeSeconds: 900, users: { [email]: { password, clientSecret } } }, behave);
}

function behave(stage: Stage): Behaviour {
  const sessions = createSessions(stage, 'strict');
  const { mint, control } = stage;

  const token = (email: string, sid?: string): Reply => {
    const value = mint.opaque(sessions.claims('access', email, control.lifeSeconds, { sid }));
    return control.variant === 1
      ? { status: 200, headers: { 'content-type': 'text/plain' }, body: `${value}\r\n` }
      : { status: 200, body: JSON.stringify(value) };
  };

  function authenticate({ body }: SimulatedRequest): Reply {
    const { emailAddress, password, clientSecret } = jsonBody(body);
    const email = String(emailAddress);
    const right = checkLogin(
      stage,
      userOf(control, email),
      (user) => password === user.password || (clientSecret !== undefined && clientSecret === user.clientSecret),
      5,
    );
    if (right === 'good') return token(email);
    return refusal(right === 'locked' ? 'UserLockedException' : 'InvalidCredentialsException');
  }

  function refresh({ headers }: SimulatedRequest): Reply {
    const claims = mint.openOpaque(bearerOf(headers));
    const spent = sessions.spend(claims);
    return spent === undefined
      ? refusal(claims === undefined ? 'InvalidAccessTokenException' : 'ExpiredAccessTokenException')
      : token(spent.sub, spent.sid);
  }

  function logout({ headers }: SimulatedRequest): Reply {
    const claims = mint.openOpaque(bearerOf(headers));
    if (!sessions.alive(claims)) return refusal('ExpiredAccessTokenException');
    sessions.end(claims);
    return { status: 200, body: 'true' };
  }

  return {
    envelope,
    lives: (token) => sessions.alive(mint.openOpaque(token)),
    routes: [
      { kind: 'login', method: 'POST', path: /^\/api\/v1\/user\/authenticate\/?$/, handle: authenticate },
      { kind: 'refresh', method: 'POST', path: /^\/api\/v1\/user\/refresh-access-token\/?$/, handle: refresh },
      { kind: 'revocation', method: 'POST', path: /^\/api\/v1\/user\/logout\/?$/, handle: logout },
    ],
  };
}

function refusal(name: string): Reply {
  return { status: 400, body: envelope(name) };
}

function envelope(name: string): string {
  return JSON.stringify({ name, incidentId: randomUUID(), exceptionDetails: [] });
}
