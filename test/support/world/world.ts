import { TokenVendingError } from '../../../functions/core/errors.ts';
import type { AuditEvent, ProviderSecret, Telemetry } from '../../../functions/core/ports.ts';
import type { Provider, ProviderRequest, Traits } from '../../../functions/core/provider.ts';
import { chooseCall } from '../../../functions/core/choose-call.ts';
import { mayRevokeSpare } from '../../../functions/core/end-session.ts';
import { createRenewTokenSet } from '../../../functions/core/renew-token-set.ts';
import type { Outcome, RenewCommand } from '../../../functions/core/renewal.ts';
import { createSealer } from '../../../functions/core/seal.ts';
import { timing as production, type Timing } from '../../../functions/core/timing.ts';
import {
  accountOf,
  fingerprintOf,
  keyOf,
  type AccountRef,
  type TokenSetItem,
  type TokenSetKey,
} from '../../../functions/core/token-set.ts';
import { createVendToken, type VendCommand, type VendOutcome } from '../../../functions/core/vend-token.ts';
import { createMemoryStore, type MemoryStore } from '../memory-store.ts';
import { aProvider, traitsOf, type FakeCredentials } from './a-provider.ts';
import { FakeProvider } from './fake-provider.ts';
import { FaultPlan } from './faults.ts';
import { accountName, type HistoryEvent, type SecretNow, type Stored, type Vend } from './history.ts';
import { Instance, WorldRandomness } from './instance.ts';
import { ghostKeys, instanceFetch, instanceKeys, instanceSecrets, type Sending, type Wire } from './instance-ports.ts';
import { instanceStore, keyName, type StoreWorld } from './instance-store.ts';
import { VirtualTime } from './virtual-time.ts';
import { giveConsent } from './consent.ts';
import { DEPLOYMENT, type WorldOptions } from './world-options.ts';

/** A function's time-out; Lambda ends it there. */
const FUNCTION_MS = 30_000;

interface Composed {
  instance: Instance;
  busy: boolean;
  renew: (command: RenewCommand, limits: { deadlineMs: number }) => Promise<Outcome>;
  vend: (command: VendCommand) => Promise<VendOutcome>;
}

const startMs = Date.UTC(2031, 4, 6, 7, 8, 9);

/** Function instances, one table, one provider, one time: everything that happens is written into `history`. */
export class World {
  readonly history: HistoryEvent[] = [];
  readonly previous: StoreWorld['previous'] = { sets: new Map(), accounts: new Map() };
  readonly time: VirtualTime;
  readonly faults: FaultPlan;
  readonly provider: FakeProvider;
  readonly raw: MemoryStore;
  readonly traits: Traits;
  readonly options: WorldOptions;
  readonly timing: Timing;
  /** every state of every secret, in order */
  readonly secrets: { account: string; atMs: number; now: SecretNow | undefined }[] = [];
  /** names of the metrics that were counted */
  readonly counted: string[] = [];
  /** the audit log */
  readonly audits: AuditEvent[] = [];
  keysDisabled = false;
  readonly #random: WorldRandomness;
  readonly #providers: ReadonlyMap<string, Provider>;
  readonly #secrets = new Map<string, { secret: ProviderSecret; now: SecretNow } | undefined>();
  readonly #renewing: Composed[] = [];
  readonly #vending: Composed[] = [];
  readonly #opened = new Map<string, Promise<Stored['tokenSet'] | undefined>>();
  #instances = 0;
  #versions = 0;
  #works = 0;

  constructor(options: WorldOptions) {
    this.options = options;
    this.timing = options.timing ?? production;
    this.time = new VirtualTime(options.scheduler, startMs, options.stepMs ?? 1);
    this.faults = new FaultPlan(options.faults ?? []);
    this.provider = new FakeProvider(options.behaviour);
    this.raw = createMemoryStore();
    this.traits = { ...traitsOf(options.behaviour), ...options.traits };
    this.#random = new WorldRandomness(options.seed ?? 1);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as in the list of providers: each sees its own credentials only
    const provider = aProvider('fake', this.traits) as unknown as Provider;
    this.#providers = new Map([['fake', options.breakProvider?.(provider) ?? provider]]);
  }

  nowMs(): number {
    return this.time.nowMs();
  }

  record(event: HistoryEvent): void {
    this.history.push(event);
  }

  /** Writes the account's secret. A change of user or host is another identity. */
  setSecret(ref: AccountRef, { user, password, host = 'idp.example' }: { user: string; password: string; host?: string }): void {
    const version = `v${++this.#versions}`;
    const value: FakeCredentials = { base_url: `https://${host}`, user, password };
    this.#secrets.set(accountName(ref), { secret: { version, value }, now: { version, host, user } });
    this.secrets.push({ account: accountName(ref), atMs: this.nowMs(), now: { version, host, user } });
  }

  deleteSecret(ref: AccountRef): void {
    this.#secrets.delete(accountName(ref));
    this.secrets.push({ account: accountName(ref), atMs: this.nowMs(), now: undefined });
  }

  secretOf(ref: AccountRef): SecretNow | undefined {
    return this.#secrets.get(accountName(ref))?.now;
  }

  /** One request of a caller, at one of the instances that face callers. */
  async vend(vendor: number, command: VendCommand, reported?: number): Promise<Vend['outcome']> {
    const composed = (this.#vending[vendor] ??= this.#compose(this.options.offsetsMs?.[vendor] ?? 0));
    const { instance } = composed;
    const startedAtMs = this.nowMs();
    let outcome: Vend['outcome'];
    try {
      outcome = await Promise.race([composed.vend(command), crashOf(instance)]);
    } catch (error) {
      if (!(error instanceof TokenVendingError) || error.code === 'internal') throw error;
      outcome = { kind: 'failed', code: error.code };
    }
    if (instance.crashed) this.#vending[vendor] = this.#compose(instance.offsetMs);
    const trueEndMs = outcome.kind === 'answered' ? this.provider.endOf(outcome.tokenSet.accessToken.reveal()) : undefined;
    const { offsetMs } = instance;
    const key = keyName(keyOf(command.ref, command.parameters));
    this.record({ kind: 'vend', atMs: this.nowMs(), startedAtMs, offsetMs, command, key, reported, trueEndMs, outcome });
    return outcome;
  }

  /** A command to the renewing function: an idle instance takes it, or a new one. */
  async invoke(command: RenewCommand, timeoutMs = FUNCTION_MS): Promise<Outcome> {
    const composed = this.#idle();
    const { instance } = composed;
    composed.busy = true;
    instance.work = ++this.#works;
    instance.command = command;
    instance.key = keyOfCommand(command);
    const timer = this.time.timer(this.nowMs() + timeoutMs);
    const work = composed.renew(command, { deadlineMs: instance.clock.nowMs() + FUNCTION_MS }).finally(() => {
      composed.busy = false;
    });
    const late = timer.fired.then(() => Promise.reject(new TokenVendingError('too_slow')));
    try {
      return await Promise.race([work, crashOf(instance), late]);
    } finally {
      timer.cancel();
      work.catch(() => undefined);
    }
  }

  /** Opens a session at the provider and stores it, as a log-in (or, where it takes a person, a consent) would have. */
  async seed(ref: AccountRef, parameters: VendCommand['parameters'] = {}): Promise<void> {
    const key = keyOf(ref, parameters);
    if (this.traits.loginNeedsPerson) await giveConsent(this, ref, parameters);
    else await this.invoke({ command: 'renew', ref, parameters, minTtlMs: 0 });
    if (!this.raw.tokenSetAt(key)?.sealed) throw new Error('The first log-in did not succeed.');
  }

  deleteItem(key: TokenSetKey): void {
    this.raw.deleteItem(key);
    this.record({ kind: 'deleted', atMs: this.nowMs(), key: keyName(key) });
  }

  /** @returns what is sealed in an item, and how its refresh token would fare now */
  async storedIn(key: TokenSetKey, item: TokenSetItem | undefined): Promise<Stored | undefined> {
    if (!item?.sealed) return undefined;
    const name = `${keyName(key)} ${item.generation} ${Buffer.from(item.sealed.subarray(5, 17)).toString('hex')}`;
    if (!this.#opened.has(name)) this.#opened.set(name, this.#open(key, item));
    const tokenSet = await this.#opened.get(name);
    if (!tokenSet) return undefined;
    const refresh = tokenSet.refreshToken;
    return { tokenSet, refresh: refresh ? this.provider.stateOf(refresh.reveal()) : 'none' };
  }

  /** @returns the fingerprint and generation of what is stored now, for a caller to report */
  async stored(ref: AccountRef, parameters: VendCommand['parameters']): Promise<{ fingerprint: string; generation: number } | undefined> {
    const key = keyOf(ref, parameters);
    const item = this.raw.tokenSetAt(key);
    const found = await this.storedIn(key, item);
    return found && item ? { fingerprint: fingerprintOf(found.tokenSet.accessToken), generation: item.generation } : undefined;
  }

  async #open(key: TokenSetKey, item: TokenSetItem): Promise<Stored['tokenSet'] | undefined> {
    const opened = await createSealer({ keys: ghostKeys, deployment: DEPLOYMENT }).open(key, item);
    return opened === 'refused' ? undefined : opened;
  }

  #idle(): Composed {
    const idle = this.#renewing.find(({ busy, instance }) => !busy && !instance.crashed);
    if (idle) return idle;
    const composed = this.#compose(this.options.offsetsMs?.[this.#instances % (this.options.offsetsMs.length || 1)] ?? 0);
    this.#renewing.push(composed);
    return composed;
  }

  #compose(offsetMs: number): Composed {
    const { timing, options } = this;
    const instance = new Instance(++this.#instances, offsetMs, this.time, this.faults);
    const table =
      options.breaking?.(this.raw, {
        instance,
        raw: this.raw,
        stale: (key) => this.previous.sets.get(keyName(key)),
      }) ?? this.raw;
    const telemetry: Telemetry = {
      audit: (event) => void this.audits.push(event),
      metric: (name) => void this.counted.push(name),
      log() {},
    };
    const common = {
      store: instanceStore(this, table, instance),
      keys: instanceKeys(instance, () => this.keysDisabled),
      clock: instance.clock,
      random: this.#random.forInstance(instance.id),
      telemetry,
      timing,
      providers: this.#providers,
      deployment: DEPLOYMENT,
      dueShards: 1,
    };
    const renew = createRenewTokenSet({
      ...common,
      secrets: instanceSecrets(instance, (ref) => this.#secrets.get(accountName(ref))?.secret),
      fetch: instanceFetch(instance, this.#wireOf(instance)),
      rules: { chooseCall, mayRevokeSpare, ...options.rules },
      maxTokenSets: options.maxTokenSets,
      restoreEpochMs: options.restoreEpochMs,
    });
    const vend = createVendToken({ ...common, renewals: { invoke: (command, timeoutMs) => this.invoke(command, timeoutMs) } });
    return { instance, busy: false, renew, vend };
  }

  #wireOf(instance: Instance): Wire {
    return {
      time: this.time,
      holdsAtMostMs: this.traits.rotation.kind === 'grace' ? this.timing.providerBudgetMs : 30_000,
      sending: () => {
        const { work, command, key } = instance;
        return { sentAtMs: this.nowMs(), sentAfter: this.history.length, work, command, key };
      },
      endSession: (request) => {
        const { token }: { token?: string } = JSON.parse(request.body ?? '{}');
        const session = token === undefined ? undefined : this.provider.read(token)?.session;
        if (session?.fate === 'well') session.fate = 'ended';
      },
      handle: (request, sending, answerLost) => this.#handle(instance, request, sending, answerLost),
    };
  }

  async #handle(
    instance: Instance,
    request: ProviderRequest,
    { key, ...sending }: Sending,
    answerLost: boolean,
  ): ReturnType<Wire['handle']> {
    const account = key?.partition ?? '';
    const item = key && this.raw.tokenSetAt(key);
    const stored = key && (await this.storedIn(key, item));
    const { answer, handled } = this.provider.handle(request, this.nowMs());
    this.record({
      kind: 'call',
      atMs: this.nowMs(),
      instance: instance.id,
      offsetMs: instance.offsetMs,
      ...sending,
      answerLost,
      account,
      key: key ? keyName(key) : '',
      ...handled,
      item,
      stored,
      present: key && this.raw.accountAt(accountOf(account)),
      fateAfter: handled.session?.fate,
    });
    return { answer, handled };
  }
}

function keyOfCommand(command: RenewCommand): TokenSetKey {
  if (command.command === 'renew_due') return command.key;
  return keyOf(command.ref, 'parameters' in command ? (command.parameters ?? {}) : {});
}

function crashOf(instance: Instance): Promise<never> {
  return new Promise((_resolve, reject) => {
    const before = instance.onCrash;
    instance.onCrash = () => {
      before();
      reject(new TokenVendingError('renewals_unavailable'));
    };
  });
}
