import { judge, livingToken, type Case, type Judgement } from './judge.ts';
import type { Clock, DataKeys, Randomness, Renewals, StoredPair, Telemetry, TokenStore } from './ports.ts';
import type { Provider, Traits } from './provider.ts';
import type { Outcome, Refusal, RenewRequest } from './renewal.ts';
import { createSealer } from './seal.ts';
import { createSingleFlight } from './single-flight.ts';
import { openItem } from './situation.ts';
import { createKeepWarm } from './keep-warm.ts';
import { mustRenewMs, type Timing } from './timing.ts';
import { createTokenMemory, type Remembered } from './token-memory.ts';
import { keyOf, type AccountRef, type TokenParameters, type TokenSet, type TokenSetItem, type TokenSetKey } from './token-set.ts';

/** A request for a token by a caller who may have it. */
export interface VendCommand {
  caller: string;
  ref: AccountRef;
  /** as the provider's schema gave them */
  parameters: TokenParameters;
  /** at least this much life must be left, seconds */
  minTtlSeconds: number;
  /** fingerprint of a token that the provider refused */
  rejected?: string | undefined;
}

/** What became of it. Everything but an answer is expected and named; outages are thrown. */
export type VendOutcome =
  | { kind: 'answered'; tokenSet: TokenSet; generation: number; from: 'memory' | 'table' | 'renewal' }
  | { kind: 'refused'; refusal: Refusal }
  | { kind: 'bad_request'; maximumSeconds: number }
  /** somebody is renewing it and did not finish while this request could wait */
  | { kind: 'renewing'; retryAtMs: number };

export interface VendTokenDeps {
  store: TokenStore;
  keys: DataKeys;
  renewals: Renewals;
  clock: Clock;
  random: Randomness;
  telemetry: Telemetry;
  timing: Timing;
  providers: ReadonlyMap<string, Provider>;
  deployment: string;
  dueShards: number;
  restoreEpochMs?: number | undefined;
}

/** What both items said, and where it was read. */
interface Reading extends Remembered {
  from: 'memory' | 'table' | 'renewal';
  /** generation that the renewing function answered this very request with */
  obtained?: number | undefined;
}

/** One invocation of the renewing function, and what stood there afterwards, where that is worth judging. */
interface Renewed {
  outcome: Outcome;
  reading: Reading | undefined;
}

interface Vend {
  command: VendCommand;
  key: TokenSetKey;
  request: RenewRequest & { kind: 'vend' };
  traits: Traits;
  /** one string a token set, for memory and flights */
  id: string;
  deadlineMs: number;
  waitUntilMs: number;
}

/**
 * Answers from memory or the table; on a miss the renewing function is invoked, and somebody else's renewal is waited for.
 * Holds no credential and talks to no provider.
 *
 * @returns the use case. It throws `store_unavailable`, `keys_unavailable`, `renewals_unavailable` and `too_slow`
 * @see docs/protocol/refresh-protocol.md, steps 1 and 10
 */
export function createVendToken(deps: VendTokenDeps): (command: VendCommand) => Promise<VendOutcome> {
  const { clock, timing } = deps;
  const sealer = createSealer(deps);
  const memory = createTokenMemory(deps);
  const reads = createSingleFlight<Reading>();
  const strongReads = createSingleFlight<Reading>();
  const renewals = createSingleFlight<Renewed>();
  const keepWarm = createKeepWarm(deps);

  return async (command) => {
    const { ref, parameters, minTtlSeconds, rejected } = command;
    const provider = deps.providers.get(ref.provider);
    if (!provider) return { kind: 'refused', refusal: { reason: 'no_account' } };
    const key = keyOf(ref, parameters);
    const nowMs = clock.nowMs();
    const vend: Vend = {
      command,
      key,
      request: { kind: 'vend', minTtlMs: minTtlSeconds * 1_000, rejected },
      traits: provider.publicTraits,
      id: `${key.partition}\n${key.sort}`,
      deadlineMs: nowMs + timing.vendDeadlineMs,
      waitUntilMs: nowMs + timing.waiterBudgetMs,
    };
    const remembered = rejected === undefined ? memory.get(vend.id) : undefined;
    if (remembered) {
      const verdict = verdictOn(vend, { ...remembered, from: 'memory' });
      if (verdict.verdict === 'answer') return finish(vend, { ...remembered, from: 'memory' }, verdict);
    }
    return pursue(vend);
  };

  /** Reads and judges until there is an answer, a refusal, or no more time. */
  async function pursue(vend: Vend): Promise<VendOutcome> {
    let strong = vend.command.rejected !== undefined;
    let reading = await read(vend, strong);
    for (let poll = 0; ; poll++) {
      const verdict = verdictOn(vend, reading);
      if (verdict.verdict !== 'renew' && verdict.verdict !== 'wait') return finish(vend, reading, verdict);
      if (verdict.verdict === 'wait' && verdict.meanwhile) return finish(vend, reading, verdict);
      const told = reading.obtained !== undefined;
      // The last read before giving up was strong: whatever was written, it is not there.
      if (clock.nowMs() >= vend.waitUntilMs && (strong || told)) return finish(vend, reading, verdict);
      // Two clocks, or two keys, that disagree about one answer must not ask for it in a tight loop.
      if (told) await pause(poll);
      const renewed = verdict.verdict === 'renew' ? await renew(vend, reading) : undefined;
      if (renewed && 'kind' in renewed) return renewed;
      if (renewed) {
        reading = renewed;
        continue;
      }
      await pause(poll);
      strong = vend.command.rejected !== undefined || clock.nowMs() >= vend.waitUntilMs;
      reading = await read(vend, strong);
    }
  }

  function caseOf({ request, traits }: Vend, { view, account, obtained }: Reading): Case {
    return { view, account, request, nowMs: clock.nowMs(), traits, timing, obtained, restoreEpochMs: deps.restoreEpochMs };
  }

  function verdictOn(vend: Vend, reading: Reading): Judgement {
    return judge(caseOf(vend, reading));
  }

  async function pause(poll: number): Promise<void> {
    const ceiling = timing.pollMs[Math.min(poll, timing.pollMs.length - 1)] ?? 0;
    await clock.sleep(deps.random.fraction() * ceiling);
  }

  /** One read per key is under way at a time; each caller judges it for itself. A strong read is never one that began before it was asked for. */
  async function read(vend: Vend, strong: boolean): Promise<Reading> {
    const { key } = vend;
    if (!strong) {
      return reads.join(vend.id, async () => {
        const readAtMs = clock.nowMs();
        return toReading(key, readAtMs, await deps.store.peek(key));
      });
    }
    return strongReads.joinNext(vend.id, async () => {
      const readAtMs = clock.nowMs();
      // The account item first, as everywhere: a set of an older identity must not meet a newer account item unseen.
      const account = await deps.store.readAccount(vend.command.ref);
      return toReading(key, readAtMs, { account, tokenSet: await deps.store.readTokenSet(key) });
    });
  }

  async function toReading(key: TokenSetKey, readAtMs: number, { account, tokenSet }: StoredPair): Promise<Reading> {
    const opened = await openItem({ sealer, telemetry: deps.telemetry }, key, tokenSet);
    return { view: { item: tokenSet, opened }, account, readAtMs, from: 'table' };
  }

  /** @returns a new reading to judge, a final outcome, or undefined: poll */
  async function renew(vend: Vend, reading: Reading): Promise<Reading | VendOutcome | undefined> {
    const leftMs = vend.deadlineMs - clock.nowMs();
    if (leftMs <= 0) return { kind: 'renewing', retryAtMs: clock.nowMs() + timing.backOff.firstMs };
    const { ref, parameters, rejected } = vend.command;
    const { minTtlMs } = vend.request;
    const flight = `${vend.id}\n${minTtlMs}\n${rejected ?? ''}`;
    let renewed: Renewed;
    try {
      renewed = await renewals.join(flight, async () => {
        const askedAtMs = clock.nowMs();
        const outcome = await deps.renewals.invoke({ command: 'renew', ref, parameters, minTtlMs, rejected }, leftMs);
        return { outcome, reading: await readingAfter(vend, outcome, askedAtMs) };
      });
    } catch (error) {
      const living = await stillLiving(vend, reading, () => reading);
      if (!living) throw error;
      deps.telemetry.log('warn', 'A renewal could not be asked for; the living token is answered', { account: vend.key.partition }, error);
      return living;
    }
    const { outcome } = renewed;
    switch (outcome.outcome) {
      case 'renewed':
      case 'current':
      case 'done':
      case 'wait':
        return renewed.reading;
      case 'bad_request':
        return { kind: 'bad_request', maximumSeconds: outcome.maximumSeconds };
      case 'refused':
        return (await stillLiving(vend, reading)) ?? { kind: 'refused', refusal: outcome.refusal };
    }
  }

  /**
   * The living token, for who cannot have a new one. Read again: the renewing function may just have found that the account is
   * somebody else's, or gone.
   *
   * @param otherwise what to judge where the table does not answer
   */
  async function stillLiving(vend: Vend, reading: Reading, otherwise?: () => Reading): Promise<VendOutcome | undefined> {
    if (!livingToken(caseOf(vend, reading))) return undefined;
    const latest = await read(vend, true).catch((error: unknown) => {
      if (otherwise) return otherwise();
      throw error;
    });
    const meanwhile = livingToken(caseOf(vend, latest));
    return meanwhile && answer(vend, latest, meanwhile);
  }

  /** Part of the flight: a thousand callers that waited for one renewal read and open its outcome once. Each judges it for itself. */
  async function readingAfter(vend: Vend, outcome: Outcome, askedAtMs: number): Promise<Reading | undefined> {
    switch (outcome.outcome) {
      case 'renewed':
        return afterRenewal(vend, outcome.item, 'renewal', askedAtMs);
      case 'current':
        // Renewed by somebody else in between. By the clock that judged it, it answers; by ours it might not, for ever.
        return outcome.item && afterRenewal(vend, outcome.item, 'table', askedAtMs);
      case 'done':
      case 'bad_request':
      case 'refused':
      case 'wait':
        return undefined;
    }
  }

  async function afterRenewal(vend: Vend, item: TokenSetItem, from: Reading['from'], readAtMs: number): Promise<Reading> {
    const opened = await openItem({ sealer, telemetry: deps.telemetry }, vend.key, item);
    const account = await deps.store.readAccount(vend.command.ref);
    return { view: { item, opened }, account, readAtMs, from, obtained: item.generation };
  }

  async function finish(vend: Vend, reading: Reading, verdict: Judgement): Promise<VendOutcome> {
    switch (verdict.verdict) {
      case 'bad_request':
        return { kind: 'bad_request', maximumSeconds: verdict.maximumSeconds };
      case 'answer':
        return verdict.tokenSet ? answer(vend, reading, verdict.tokenSet) : { kind: 'renewing', retryAtMs: clock.nowMs() };
      case 'refuse':
        return verdict.meanwhile ? answer(vend, reading, verdict.meanwhile) : { kind: 'refused', refusal: verdict.refusal };
      case 'wait':
        return verdict.meanwhile ? answer(vend, reading, verdict.meanwhile) : { kind: 'renewing', retryAtMs: verdict.retryAtMs };
      case 'renew':
        return { kind: 'renewing', retryAtMs: clock.nowMs() + timing.backOff.firstMs };
    }
  }

  async function answer(vend: Vend, reading: Reading, tokenSet: TokenSet): Promise<VendOutcome> {
    const { item } = reading.view;
    if (reading.from !== 'memory' && item) {
      remember(vend, reading, item, tokenSet);
      await keepWarm(vend.key, reading.account, item, tokenSet);
    }
    return { kind: 'answered', tokenSet, generation: item?.generation ?? 0, from: reading.from };
  }

  function remember(vend: Vend, { view, account, readAtMs }: Reading, item: TokenSetItem, tokenSet: TokenSet): void {
    if (tokenSet.refreshEndsOldToken) return;
    const usefulUntilMs = tokenSet.expiresAtMs - mustRenewMs(timing, item.lifeMs ?? 0);
    memory.put(vend.id, { view, account, readAtMs }, Math.min(usefulUntilMs, readAtMs + timing.memoryMs));
  }
}
