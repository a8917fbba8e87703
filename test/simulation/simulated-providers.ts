import type { ProviderFetch } from '../../functions/core/ports.ts';
import type { Provider, ProviderAnswer, ProviderRequest } from '../../functions/core/provider.ts';
import { aProvider, traitsOf } from '../support/world/a-provider.ts';
import { refusal, strictRotation, success, type Behaviour, type Wire } from '../support/world/fake-provider.ts';
import { isIn, LATENCY_MS, providerIds, RETRY_AFTER_SECONDS, SLOW_MS, troubles, type ProviderId } from './day.ts';
import type { EventClock } from './event-clock.ts';

const behaviour: Behaviour = { ...strictRotation, lifeSeconds: 300, revocationEnds: 'nothing' };

/** The provider files, one for each id: all alike, strict rotation. */
export const simulatedProviders: ReadonlyMap<string, Provider> = new Map(
  providerIds.map((id): [string, Provider] => [id, aProvider(id, traitsOf(behaviour))]),
);

/** A session of one account: who shows any other refresh token than its newest ends it. */
interface Session {
  serial: number;
  ended: boolean;
}

/** Four strict token servers in one object: hosts are their ids, users say how long their tokens live. */
export class SimulatedProviders {
  readonly #clock: EventClock;
  readonly #sessions = new Map<string, Session>();
  readonly #onRenewal: (user: string, sent: 'login' | 'refresh') => void;
  sessionsEnded = 0;

  /** @param onRenewal hears of each token set given */
  constructor(clock: EventClock, onRenewal: (user: string, sent: 'login' | 'refresh') => void) {
    this.#clock = clock;
    this.#onRenewal = onRenewal;
  }

  readonly fetch: ProviderFetch = async (request, deadlineMs) => {
    const clock = this.#clock;
    const sentAtMs = clock.nowMs();
    const id = new URL(request.url).hostname;
    const latencyMs = id === 'slow' && isIn(troubles.slow, sentAtMs) ? SLOW_MS : LATENCY_MS;
    if (sentAtMs + latencyMs > deadlineMs) {
      await clock.sleep(deadlineMs - sentAtMs);
      return { failure: { unsent: false, code: 'timeout' } };
    }
    await clock.sleep(latencyMs / 2);
    const answer = this.#troubled(id, clock.nowMs()) ?? this.#handle(request);
    await clock.sleep(latencyMs / 2);
    return { answer: { ...answer, sentAtMs } };
  };

  /** @returns whether a provider is well now */
  isWell(id: ProviderId): boolean {
    const nowMs = this.#clock.nowMs();
    return this.#troubled(id, nowMs) === undefined && this.#troubled(id, nowMs + LATENCY_MS) === undefined;
  }

  #troubled(id: string, nowMs: number): Omit<ProviderAnswer, 'sentAtMs'> | undefined {
    if (id === 'down' && isIn(troubles.down, nowMs)) return refusal(503, 'down');
    const limited = id === 'limited' && isIn(troubles.limited, nowMs);
    return limited ? refusal(429, 'slow_down', { 'retry-after': String(RETRY_AFTER_SECONDS) }) : undefined;
  }

  #handle({ body = '' }: ProviderRequest): Omit<ProviderAnswer, 'sentAtMs'> {
    const wire: Wire = JSON.parse(body);
    if (wire.grant === 'login') return this.#open(wire.user ?? '');
    const [user = '', serial] = (wire.token ?? '').split('.');
    const session = this.#sessions.get(user);
    if (session === undefined || session.ended || session.serial !== Number(serial)) {
      if (session !== undefined && !session.ended) this.sessionsEnded += 1;
      if (session !== undefined) session.ended = true;
      return refusal(400, 'invalid_grant');
    }
    session.serial += 1;
    this.#onRenewal(user, 'refresh');
    return this.#tokens(user, session);
  }

  #open(user: string): Omit<ProviderAnswer, 'sentAtMs'> {
    const session = { serial: 1, ended: false };
    this.#sessions.set(user, session);
    this.#onRenewal(user, 'login');
    return this.#tokens(user, session);
  }

  #tokens(user: string, { serial }: Session): Omit<ProviderAnswer, 'sentAtMs'> {
    const lifeSeconds = Number(user.split('-')[1]);
    return success({ access: `at.${user}.${serial}`, refresh: `${user}.${serial}`, expires_in: lifeSeconds });
  }
}
