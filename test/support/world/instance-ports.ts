import { createHash } from 'node:crypto';
import { TokenVendingError } from '../../../functions/core/errors.ts';
import type { DataKeys, ProviderFetch, ProviderSecret, ProviderSecrets } from '../../../functions/core/ports.ts';
import type { ProviderAnswer, ProviderRequest } from '../../../functions/core/provider.ts';
import type { RenewCommand } from '../../../functions/core/renewal.ts';
import type { AccountRef, TokenSetKey } from '../../../functions/core/token-set.ts';
import { refusal, type Handled } from './fake-provider.ts';
import type { Fault } from './faults.ts';
import { accountName } from './history.ts';
import type { Instance } from './instance.ts';
import type { VirtualTime } from './virtual-time.ts';

const SECRET_CACHE_MS = 60_000;
const KEY_CACHE_MS = 300_000;

/** The world's Secrets Manager as one instance sees it: with a cache of 60 s. */
export function instanceSecrets(instance: Instance, look: (ref: AccountRef) => ProviderSecret | undefined): ProviderSecrets {
  const cache = new Map<string, { secret: ProviderSecret | undefined; untilMs: number }>();
  return {
    async read(ref, fresh) {
      const kept = cache.get(accountName(ref));
      if (!fresh && kept && kept.untilMs > instance.clock.nowMs()) return kept.secret;
      return instance.step('secret', async (fault) => {
        if (fault?.kind === 'throttled') throw new TokenVendingError('secrets_unavailable');
        const secret = look(ref);
        cache.set(accountName(ref), { secret, untilMs: instance.clock.nowMs() + SECRET_CACHE_MS });
        return secret;
      });
    },
  };
}

/** Data keys as one instance sees them: a day's key is a hash of the day, kept for 5 minutes. */
export function instanceKeys(instance: Instance, isDisabled: () => boolean): DataKeys {
  const held = new Map<number, number>();
  const keyOfDay = async (day: number): Promise<Buffer> => {
    if ((held.get(day) ?? 0) <= instance.clock.nowMs()) {
      await instance.step('keys', async (fault) => {
        if (fault?.kind === 'throttled' || isDisabled()) throw new TokenVendingError('keys_unavailable');
        held.set(day, instance.clock.nowMs() + KEY_CACHE_MS);
      });
    }
    return dayKey(day);
  };
  return {
    async forSealing(nowMs) {
      const day = Math.floor(nowMs / 86_400_000);
      return { day, key: await keyOfDay(day) };
    },
    forOpening: keyOfDay,
  };
}

/** The keys without any instance around them: for looking into the table. */
export const ghostKeys: DataKeys = {
  forSealing: async (nowMs) => ({ day: Math.floor(nowMs / 86_400_000), key: dayKey(Math.floor(nowMs / 86_400_000)) }),
  forOpening: async (day) => dayKey(day),
};

function dayKey(day: number): Buffer {
  return createHash('sha256').update(`data key of day ${day}`).digest();
}

/** What an instance was doing when a request left it; it may be handled much later. */
export interface Sending {
  sentAtMs: number;
  /** how many events had happened by then */
  sentAfter: number;
  work: number;
  command: RenewCommand | undefined;
  key: TokenSetKey | undefined;
}

/** The provider behind an instance's fetch. */
export interface Wire {
  time: VirtualTime;
  /**
   * how long the network may hold a request, ms. A grace leaves room for the provider budget: what arrives even later was sent in
   * time, and no client can call it back
   */
  holdsAtMostMs: number;
  sending(): Sending;
  /** handles a request now, and writes it into the history */
  handle(
    request: ProviderRequest,
    sending: Sending,
    answerLost: boolean,
  ): Promise<{
    answer: Omit<ProviderAnswer, 'sentAtMs'>;
    handled: Handled;
  }>;
  /** the provider ends the session that the request speaks of */
  endSession(request: ProviderRequest): void;
}

type FetchResult = Awaited<ReturnType<ProviderFetch>>;

/** A double at the fetch edge: whatever can happen to a request between our socket and the provider's answer. */
export function instanceFetch(instance: Instance, wire: Wire): ProviderFetch {
  return async (request, deadlineMs) =>
    instance.step('call', async (fault): Promise<FetchResult> => {
      // As the real one does: what was frozen past its deadline before a byte left sends nothing.
      if (instance.clock.nowMs() >= deadlineMs) return { failure: { unsent: true, code: 'timeout' } };
      const refused = fault && withoutHandling(fault);
      if (refused) return refused(instance.clock.nowMs());
      return exchange({ instance, wire, request, deadlineMs, fault });
    });
}

interface Exchange {
  instance: Instance;
  wire: Wire;
  request: ProviderRequest;
  deadlineMs: number;
  fault: Fault | undefined;
}

function withoutHandling({ kind }: Fault): ((sentAtMs: number) => FetchResult) | undefined {
  const answers: Partial<Record<Fault['kind'], Omit<ProviderAnswer, 'sentAtMs'>>> = {
    unknown_code: refusal(418, 'never_seen_before'),
    unavailable: refusal(503, 'down'),
    rate_limited: refusal(429, 'slow_down', { 'retry-after': '30' }),
    client_refused: refusal(401, 'invalid_client'),
    scope_refused: refusal(400, 'invalid_scope'),
  };
  const answer = answers[kind];
  if (answer) return (sentAtMs) => ({ answer: { ...answer, sentAtMs } });
  return kind === 'unsent' ? () => ({ failure: { unsent: true, code: 'refused' } }) : undefined;
}

async function exchange({ instance, wire, request, deadlineMs, fault }: Exchange): Promise<FetchResult> {
  const { time } = wire;
  const sentAtMs = instance.clock.nowMs();
  const sending = wire.sending();
  const budgetMs = deadlineMs - sentAtMs;
  const kind = fault?.kind;
  const timeout = async (): Promise<FetchResult> => {
    await instance.clock.sleep(Math.max(0, deadlineMs - instance.clock.nowMs()));
    return { failure: { unsent: false, code: 'timeout' } };
  };
  if (kind === 'swallowed') return timeout();
  if (kind === 'late' || (kind === 'slow' && (fault?.ms ?? 0) >= budgetMs)) {
    const arrivesAtMs = sending.sentAtMs + Math.min(fault?.ms ?? 0, wire.holdsAtMostMs);
    void time.sleepUntil(arrivesAtMs).then(() => wire.handle(request, sending, true));
    return timeout();
  }
  if (kind === 'slow') await instance.clock.sleep(fault?.ms ?? 0);
  if (kind === 'session_ended') wire.endSession(request);
  const answerLost = kind !== undefined && ['answer_lost', 'reset', 'crash_after', 'failed_after', 'broken_json'].includes(kind);
  const { answer } = await wire.handle(request, sending, answerLost);
  if (kind === 'answer_lost') return timeout();
  if (kind === 'reset') return { failure: { unsent: false, code: 'reset' } };
  await time.point('answer');
  return { answer: { ...garbled(answer, kind), sentAtMs } };
}

function garbled(answer: Omit<ProviderAnswer, 'sentAtMs'>, kind: Fault['kind'] | undefined): Omit<ProviderAnswer, 'sentAtMs'> {
  if (kind === 'failed_after') return refusal(500, 'late_trouble');
  if (answer.status !== 200) return answer;
  if (kind === 'broken_json') return { ...answer, text: answer.text.slice(0, -2) };
  const without = kind === 'no_lifetime' ? 'expires_in' : undefined;
  if (without === undefined) return answer;
  const body: Record<string, unknown> = JSON.parse(answer.text);
  delete body[without];
  return { ...answer, text: JSON.stringify(body) };
}
