import { randomUUID } from 'node:crypto';
import type { Control, Stage, User } from './simulator.ts';
import type { Claims } from './tokens.ts';

/** What a refresh does to the token that was sent. */
export type Replacement = 'kept' | 'strict';

/**
 * Sessions of a simulator: they live in the signed tokens, and only what ended is remembered, so a restart with the same key
 * goes on where it was.
 *
 * @param replacement `strict`: a replaced refresh token that comes again kills its session, as Keycloak does
 */
export function createSessions(stage: Stage, replacement: Replacement) {
  const endedSessions = new Set<string>();
  /** user and end of every session that this process began or went on with, by session */
  const known = new Map<string, { sub: string; exp: number }>();
  const replaced = new Set<string>();

  const alive = (claims: Claims | undefined): claims is Claims =>
    claims !== undefined &&
    claims.exp > Date.now() / 1000 &&
    claims.era >= stage.control.era &&
    userOf(stage.control, claims.sub) !== undefined &&
    !endedSessions.has(claims.sid) &&
    !replaced.has(claims.jti);

  return {
    /** @returns new claims in a session, a new one unless given */
    claims(
      type: Claims['type'],
      sub: string,
      lifeSeconds: number,
      more: { sid?: string | undefined; for?: string | undefined } = {},
    ): Claims {
      const iat = stage.nowSeconds();
      const claims: Claims = {
        sub,
        sid: more.sid ?? randomUUID(),
        jti: randomUUID(),
        type,
        iat,
        exp: iat + lifeSeconds,
        era: stage.control.era,
        for: more.for,
      };
      known.set(claims.sid, { sub, exp: claims.exp });
      return claims;
    },
    /** @returns how many sessions of the user live */
    living: (sub: string): number =>
      [...known].filter(([sid, session]) => session.sub === sub && session.exp > Date.now() / 1000 && !endedSessions.has(sid)).length,
    alive,
    /** Takes a token for a refresh. @returns its claims, or undefined where it is dead; then it is replaced */
    spend(claims: Claims | undefined): Claims | undefined {
      if (claims !== undefined && replaced.has(claims.jti)) {
        stage.counters.reused += 1;
        endedSessions.add(claims.sid);
      }
      if (!alive(claims)) return undefined;
      if (replacement === 'strict') replaced.add(claims.jti);
      return claims;
    },
    end(claims: Claims): void {
      endedSessions.add(claims.sid);
    },
  };
}

/** @returns the user of that name; a request may name `__proto__`, and every object has that */
export function userOf({ users }: Control, name: string): User | undefined {
  return Object.hasOwn(users, name) ? users[name] : undefined;
}

/**
 * Checks a log-in, with a lock after some bad ones that also refuses the right password.
 *
 * @param right whether what was sent is right for the user
 * @param most bad log-ins in a row before the lock
 */
export function checkLogin(stage: Stage, user: User | undefined, right: (user: User) => boolean, most: number): 'good' | 'bad' | 'locked' {
  if (user === undefined) return 'bad';
  if ((user.failures ?? 0) >= most) {
    stage.counters.locked += 1;
    return 'locked';
  }
  user.failures = right(user) ? 0 : (user.failures ?? 0) + 1;
  return user.failures === 0 ? 'good' : 'bad';
}

/** @returns parsed JSON, or `{}` where it is none or no object */
export function jsonBody(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
