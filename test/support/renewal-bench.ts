import { TokenVendingError } from '../../functions/core/errors.ts';
import type { DataKeys, ProviderSecret } from '../../functions/core/ports.ts';
import type { Provider, ProviderAnswer, Traits } from '../../functions/core/provider.ts';
import { createRenewTokenSet } from '../../functions/core/renew-token-set.ts';
import type { Outcome, RenewCommand } from '../../functions/core/renewal.ts';
import { createSealer } from '../../functions/core/seal.ts';
import { timing } from '../../functions/core/timing.ts';
import { fingerprintOf, keyOf, type TokenParameters, type TokenSet } from '../../functions/core/token-set.ts';
import { createVendToken, type VendCommand, type VendOutcome } from '../../functions/core/vend-token.ts';
import { createMemoryStore, type MemoryStoreOptions } from './memory-store.ts';
import { handClock } from './ports.ts';
import { recordTelemetry } from './recorded-telemetry.ts';
import { aProvider, traitsOf } from './world/a-provider.ts';
import { FakeProvider, strictRotation, type Behaviour } from './world/fake-provider.ts';

export const ref = { provider: 'fake', account: 'main' };
export const key = keyOf(ref, {});
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
const FUNCTION_MS = 29_500;

/** Rotates strictly; an hour a token, ten hours a refresh token. */
const behaviour: Behaviour = { ...strictRotation, refreshLifeSeconds: 36_000 };

type FetchResult = { answer: ProviderAnswer } | { failure: { unsent: boolean; code: string } };
/** What happens to one request instead of being handled and answered. */
export type Reaction = (handle: () => FetchResult) => FetchResult | Promise<FetchResult>;

/** Answers without the provider's having done anything. */
export function answers(status: number, body: unknown = {}, headers: Readonly<Record<string, string>> = {}): Reaction {
  return () => ({ answer: { status, headers, text: JSON.stringify(body), sentAtMs: 0 } });
}

/** The provider does it, and its answer is lost. */
export const answerLost: Reaction = (handle) => {
  handle();
  return { failure: { unsent: false, code: 'reset' } };
};

/** Not a byte arrives. */
export const unsent: Reaction = () => ({ failure: { unsent: true, code: 'refused' } });

/** Something happens while the request is under way; then it is answered. */
export function meanwhile(what: () => unknown): Reaction {
  return async (handle) => {
    await what();
    return handle();
  };
}

export interface BenchOptions {
  behaviour?: Partial<Behaviour> | undefined;
  /** what the provider's file declares, where it is not what fits the behaviour */
  traits?: Partial<Traits> | undefined;
  provider?: ((provider: Provider) => Provider) | undefined;
  store?: MemoryStoreOptions | undefined;
  maxTokenSets?: number | undefined;
  restoreEpochMs?: ((nowMs: number) => number) | undefined;
  /** of every jitter, 0 up to 1; a half unless told */
  fraction?: number | undefined;
}

/** One renewing function, one that vends, a table in memory, a fake token server and a clock that only sleeping and the test move. */
export function renewalBench(options: BenchOptions = {}) {
  const clock = handClock(Date.UTC(2031, 4, 6, 7, 8, 9));
  const telemetry = recordTelemetry();
  const hooks: MemoryStoreOptions = { ...options.store };
  const store = createMemoryStore({
    onOperation: (...about) => hooks.onOperation?.(...about),
    onReply: (...about) => hooks.onReply?.(...about),
    staleReads: () => hooks.staleReads?.() ?? false,
  });
  const server = new FakeProvider({ ...behaviour, ...options.behaviour });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as in the list of providers: each sees its own credentials only
  const plain = aProvider('fake', { ...traitsOf(server.behaviour), ...options.traits }) as unknown as Provider;
  const providers = new Map([['fake', options.provider?.(plain) ?? plain]]);
  const secrets = secretsBench(() => clock.nowMs());
  const { sent, next, fetch } = wireBench(server, () => clock.nowMs());
  const common = {
    store,
    keys,
    clock,
    telemetry,
    timing,
    providers,
    deployment: 'bench',
    dueShards: 1,
    random: randomness(options.fraction),
  };
  const { maxTokenSets } = options;
  const restoreEpochMs = options.restoreEpochMs?.(clock.nowMs());
  const renewTokenSet = createRenewTokenSet({ ...common, secrets, fetch, maxTokenSets, restoreEpochMs });
  const invocations: RenewCommand[] = [];
  const instead: ((command: RenewCommand) => Promise<Outcome>)[] = [];
  const run = (command: RenewCommand): Promise<Outcome> => renewTokenSet(command, { deadlineMs: clock.nowMs() + FUNCTION_MS });
  const renewals = {
    invoke: async (command: RenewCommand): Promise<Outcome> => {
      invocations.push(command);
      return (instead.shift() ?? run)(command);
    },
  };
  const vendToken = createVendToken({ ...common, renewals, restoreEpochMs });
  const sealer = createSealer({ keys, deployment: 'bench' });
  server.setPassword('somebody', 'good');
  secrets.set({ password: 'good' });

  return {
    clock,
    store,
    server,
    telemetry,
    secrets,
    /** what was sent to the provider, in order */
    sent,
    /** what happens to the next requests; after them the provider answers by itself */
    next,
    /** what the vending function asked of the renewing one, in order */
    invocations,
    /** what its next invocations meet instead of the renewing function */
    instead,
    /** lets a test come between the table's operations */
    hooks,
    run,
    renew: (more: { parameters?: TokenParameters; minTtlMs?: number; rejected?: string } = {}) =>
      run({ command: 'renew', ref, parameters: {}, minTtlMs: 0, ...more }),
    due: (sort = key.sort) => {
      const dueAtMs = store.tokenSetAt({ ...key, sort })?.dueAtMs ?? 0;
      return run({ command: 'renew_due', key: { ...key, sort }, dueAtMs });
    },
    vend: (more: Partial<VendCommand> = {}): Promise<VendOutcome> =>
      vendToken({ caller: 'app', ref, parameters: {}, minTtlSeconds: 0, ...more }),
    item: () => store.tokenSetAt(key),
    account: () => store.accountAt(ref),
    async opened(): Promise<TokenSet | undefined> {
      const item = store.tokenSetAt(key);
      const opened = item && (await sealer.open(key, item));
      return opened === 'refused' ? undefined : opened;
    },
    async fingerprint(): Promise<string> {
      const opened = await this.opened();
      if (!opened) throw new Error('Nothing is stored.');
      return fingerprintOf(opened.accessToken);
    },
  };
}

/** @returns a bench with a set that was obtained an hour ago, so that it is over. */
export async function anHourLater(...given: Parameters<typeof renewalBench>) {
  const bench = renewalBench(...given);
  await bench.renew();
  bench.clock.advance(HOUR);
  bench.sent.length = 0;
  return bench;
}

const keys: DataKeys = {
  forSealing: async (nowMs) => ({ day: Math.floor(nowMs / (24 * HOUR)), key: Buffer.alloc(32, 7) }),
  forOpening: async () => Buffer.alloc(32, 7),
};

/** Always the same, so that a jitter is a number that a test can name. */
function randomness(fraction = 0.5) {
  let attempts = 0;
  return { fraction: () => fraction, attemptId: () => `attempt-${++attempts}` };
}

/** Secrets Manager as one instance sees it, with a cache of 60 s. */
function secretsBench(nowMs: () => number) {
  let version = 0;
  let present: ProviderSecret | undefined;
  let kept: { secret: ProviderSecret | undefined; untilMs: number } | undefined;
  return {
    set(value: object): void {
      present = { version: `v${++version}`, value: { base_url: 'https://idp.example', user: 'somebody', ...value } };
    },
    delete(): void {
      present = undefined;
    },
    async read(_ref: unknown, fresh: boolean): Promise<ProviderSecret | undefined> {
      if (!fresh && kept && nowMs() < kept.untilMs) return kept.secret;
      kept = { secret: present, untilMs: nowMs() + MINUTE };
      return present;
    },
  };
}

function wireBench(server: FakeProvider, nowMs: () => number) {
  const sent: string[] = [];
  const reactions: Reaction[] = [];
  return {
    sent,
    next: (...more: Reaction[]): void => void reactions.push(...more),
    fetch: async (request: Parameters<FakeProvider['handle']>[0]): Promise<FetchResult> => {
      const { grant }: { grant: string } = JSON.parse(request.body ?? '{}');
      sent.push(grant);
      const sentAtMs = nowMs();
      const handle = (): FetchResult => ({ answer: { ...server.handle(request, nowMs()).answer, sentAtMs } });
      const result = await (reactions.shift() ?? ((answer) => answer()))(handle);
      return 'answer' in result ? { answer: { ...result.answer, sentAtMs } } : result;
    },
  };
}

/** What a table says that does not answer. */
export function outage(): never {
  throw new TokenVendingError('store_unavailable');
}
