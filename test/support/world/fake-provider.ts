import type { ProviderAnswer, ProviderRequest, Rotation, Traits } from '../../../functions/core/provider.ts';

/** How a fake provider behaves. What it declares as traits stands in `a-provider.ts`; the two may differ. */
export interface Behaviour {
  rotation: Rotation;
  lifeSeconds: number;
  refreshLifeSeconds?: number | undefined;
  /** a refresh ends the access token before it */
  refreshEndsOldToken: boolean;
  /** a log-in gives the same token until near its end */
  returnsSameToken: boolean;
  /** false: answers hold no refresh token at all */
  givesRefreshTokens: boolean;
  /** a refresh token that is used after its life is refused, and this ends the session */
  reuseEndsSession: boolean;
  /** the second successor of one refresh token ends the first: grace that is none */
  lastSuccessorWins: boolean;
  /** bad log-ins in a row that lock the account, and for how long */
  lock?: { after: number; ms: number } | undefined;
  revocationEnds: Traits['revocationEnds'];
  /** a log-in above this many living sessions of a user ends the oldest one */
  mostSessions?: number | undefined;
}

/** Strict rotation, tokens of an hour; a refresh token shown twice, or a revocation, ends its session. */
export const strictRotation: Behaviour = {
  rotation: { kind: 'strict' },
  lifeSeconds: 3_600,
  refreshEndsOldToken: false,
  returnsSameToken: false,
  givesRefreshTokens: true,
  reuseEndsSession: true,
  lastSuccessorWins: false,
  revocationEnds: 'session',
};

export type Fate = 'well' | 'reused' | 'ended' | 'revoked';

/** One log-in and everything that came from it. */
export interface Session {
  id: number;
  host: string;
  user: string;
  parameters: string;
  fate: Fate;
  newest: number;
  live: Set<number>;
  firstUsedAtMs: Map<number, number>;
  /** how many requests showed each refresh token */
  seen: Map<number, number>;
  /** access tokens by serial: when they end, ms since the epoch */
  ends: Map<number, number>;
}

/** What the provider understood of one request, for the invariants. */
export interface Handled {
  sent: 'login' | 'refresh' | 'revoke';
  host: string;
  user?: string | undefined;
  session?: Session | undefined;
  serial?: number | undefined;
  /** how often this refresh token has been seen, this time included */
  sightings: number;
  good: boolean;
}

/** The body of every request to the fake provider. */
export interface Wire {
  grant: 'login' | 'refresh' | 'revoke';
  user?: string;
  password?: string;
  token?: string;
  parameters: Readonly<Record<string, string | number | boolean>>;
}

interface Login {
  password: string;
  badInARow: number;
  lockedUntilMs: number;
}

/** A 200's body. */
export interface TokenBody {
  access: string;
  refresh?: string;
  expires_in: number;
  refresh_expires_in: number | undefined;
  facts: { session: number; serial: number; user: string; parameters: string };
}

/** A token server with a memory: sessions, rotation, reuse, lockout. Its tokens say where they come from. */
export class FakeProvider {
  readonly behaviour: Behaviour;
  readonly sessions: Session[] = [];
  readonly #logins = new Map<string, Login>();

  constructor(behaviour: Behaviour) {
    this.behaviour = behaviour;
  }

  setPassword(user: string, password: string): void {
    const { badInARow = 0, lockedUntilMs = 0 } = this.#logins.get(user) ?? {};
    this.#logins.set(user, { password, badInARow, lockedUntilMs });
  }

  /** @returns the answer to a request, and what was understood */
  handle(request: ProviderRequest, nowMs: number): { answer: Omit<ProviderAnswer, 'sentAtMs'>; handled: Handled } {
    const wire: Wire = JSON.parse(request.body ?? '{}');
    const host = new URL(request.url).host;
    if (wire.grant === 'login') return this.#login(wire, host, nowMs);
    return wire.grant === 'refresh' ? this.#refresh(wire, host, nowMs) : this.#revoke(wire, host);
  }

  /** Opens a session as a log-in would, without a request. */
  open(host: string, user: string, parameters: Wire['parameters'], nowMs: number): { session: Session; serial: number } {
    const session: Session = {
      id: this.sessions.length + 1,
      host,
      user,
      parameters: JSON.stringify(Object.entries(parameters)),
      fate: 'well',
      newest: 0,
      live: new Set([0]),
      firstUsedAtMs: new Map(),
      seen: new Map(),
      ends: new Map([[0, nowMs + this.behaviour.lifeSeconds * 1000]]),
    };
    this.sessions.push(session);
    return { session, serial: 0 };
  }

  /** @returns what a refresh token would meet: `spent` where only its successor lives */
  stateOf(refreshToken: string): Fate | 'spent' | 'unknown' {
    const found = this.#find(refreshToken);
    if (!found) return 'unknown';
    if (found.session.fate !== 'well') return found.session.fate;
    return found.session.live.has(found.serial) ? 'well' : 'spent';
  }

  /** @returns the session and serial of an access or refresh token */
  read(token: string): { session: Session; serial: number } | undefined {
    return this.#find(token);
  }

  /** @returns the access token's true end, ms since the epoch */
  endOf(accessToken: string): number | undefined {
    const found = this.#find(accessToken);
    return found?.session.ends.get(found.serial);
  }

  tokenBody({ session, serial }: { session: Session; serial: number }, nowMs: number): TokenBody {
    const { lifeSeconds, refreshLifeSeconds, givesRefreshTokens } = this.behaviour;
    const name = `${session.host}.${session.id}.${serial}`;
    const end = session.ends.get(serial) ?? nowMs + lifeSeconds * 1000;
    return {
      access: `at.${name}`,
      ...(givesRefreshTokens && { refresh: `rt.${session.host}.${session.id}.${this.#refreshSerial(serial)}` }),
      expires_in: Math.floor((end - nowMs) / 1000),
      refresh_expires_in: refreshLifeSeconds,
      facts: { session: session.id, serial, user: session.user, parameters: session.parameters },
    };
  }

  #refreshSerial(serial: number): number {
    return this.behaviour.rotation.kind === 'none' ? 0 : serial;
  }

  #find(token: string | undefined): { session: Session; serial: number } | undefined {
    const match = /^[ar]t\.(.+)\.(\d+)\.(\d+)$/.exec(token ?? '');
    const session = this.sessions[Number(match?.[2]) - 1];
    return session && session.host === match?.[1] ? { session, serial: Number(match[3]) } : undefined;
  }

  #login({ user = '', password, parameters }: Wire, host: string, nowMs: number): ReturnType<FakeProvider['handle']> {
    const { lock, returnsSameToken } = this.behaviour;
    const login = this.#logins.get(user);
    const locked = login !== undefined && nowMs < login.lockedUntilMs;
    if (!login || locked || login.password !== password) {
      if (login && lock && ++login.badInARow >= lock.after) login.lockedUntilMs = nowMs + lock.ms;
      return { answer: refusal(400, 'bad_password'), handled: { sent: 'login', host, user, sightings: 0, good: false } };
    }
    login.badInARow = 0;
    const wanted = JSON.stringify(Object.entries(parameters));
    const living = this.sessions.filter((session) => session.user === user && session.parameters === wanted && session.fate === 'well');
    if (living.length >= (this.behaviour.mostSessions ?? Infinity)) this.#endFirst(living);
    const same = returnsSameToken ? this.sessions.findLast((session) => session.user === user && session.parameters === wanted) : undefined;
    const repeats = same && (same.ends.get(0) ?? 0) - nowMs > (this.behaviour.lifeSeconds * 1000) / 20;
    const opened = repeats ? { session: same, serial: 0 } : this.open(host, user, parameters, nowMs);
    return {
      answer: success(this.tokenBody(opened, nowMs)),
      handled: { sent: 'login', host, user, session: opened.session, serial: 0, sightings: 0, good: true },
    };
  }

  #refresh({ token }: Wire, host: string, nowMs: number): ReturnType<FakeProvider['handle']> {
    const found = this.#find(token);
    if (!found) return { answer: refusal(400, 'invalid_grant'), handled: { sent: 'refresh', host, sightings: 0, good: false } };
    const { session, serial } = found;
    const sightings = (session.seen.get(serial) ?? 0) + 1;
    session.seen.set(serial, sightings);
    const handled = { sent: 'refresh' as const, host, user: session.user, session, serial, sightings };
    if (!this.#takes(session, serial, nowMs)) {
      // Reuse of a rotated token looks like theft: the whole session ends.
      if (session.fate === 'well' && this.behaviour.reuseEndsSession) session.fate = 'reused';
      return { answer: refusal(400, 'invalid_grant'), handled: { ...handled, good: false } };
    }
    const next = this.#rotate(session, serial, nowMs);
    return { answer: success(this.tokenBody({ session, serial: next }, nowMs)), handled: { ...handled, good: true } };
  }

  #takes(session: Session, serial: number, nowMs: number): boolean {
    if (session.fate !== 'well') return false;
    if (session.live.has(serial)) return true;
    const { rotation } = this.behaviour;
    return rotation.kind === 'grace' && nowMs < (session.firstUsedAtMs.get(serial) ?? Infinity) + rotation.ms;
  }

  #rotate(session: Session, serial: number, nowMs: number): number {
    const { rotation, lifeSeconds, refreshEndsOldToken, lastSuccessorWins } = this.behaviour;
    if (!session.firstUsedAtMs.has(serial)) session.firstUsedAtMs.set(serial, nowMs);
    session.newest += 1;
    if (refreshEndsOldToken) session.ends.clear();
    session.ends.set(session.newest, nowMs + lifeSeconds * 1000);
    if (rotation.kind !== 'none') {
      session.live.delete(serial);
      if (lastSuccessorWins) session.live.clear();
      session.live.add(session.newest);
    }
    return session.newest;
  }

  #revoke({ token }: Wire, host: string): ReturnType<FakeProvider['handle']> {
    const found = this.#find(token);
    const handled = { sent: 'revoke' as const, host, user: found?.session.user, ...found, sightings: 0, good: true };
    if (found?.session.fate === 'well' && found.session.live.has(found.serial)) this.#end(found.session);
    return { answer: success({}), handled };
  }

  /** The oldest session gives way, whoever uses it. */
  #endFirst([oldest]: readonly Session[]): void {
    if (oldest) oldest.fate = 'ended';
  }

  #end(session: Session): void {
    const { revocationEnds } = this.behaviour;
    const ended =
      revocationEnds === 'user' ? this.sessions.filter(({ user, host }) => user === session.user && host === session.host) : [session];
    for (const each of ended) if (each.fate === 'well') each.fate = 'revoked';
  }
}

/** A 200 with this body. */
export function success(body: object): Omit<ProviderAnswer, 'sentAtMs'> {
  return { status: 200, headers: {}, text: JSON.stringify(body) };
}

export function refusal(status: number, error: string, headers: Record<string, string> = {}): Omit<ProviderAnswer, 'sentAtMs'> {
  return { status, headers, text: JSON.stringify({ error }) };
}
