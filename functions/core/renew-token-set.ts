import type { AccountItem } from './account.ts';
import { createCallProvider } from './call-provider.ts';
import { callFactsOf, chooseCall } from './choose-call.ts';
import type { Occasion } from './commit-token-set.ts';
import { judge, type Judgement } from './judge.ts';
import { mayRevokeSpare } from './end-session.ts';
import { attemptRenewal } from './renewal-attempt.ts';
import type { RenewalDeps, Rules, Situation } from './renewal-deps.ts';
import type { Outcome, Refusal, RenewCommand, RenewRequest } from './renewal.ts';
import { resetAccount } from './reset-account.ts';
import { revokeTokenSet } from './revoke-token-set.ts';
import { takeInSecret } from './take-in-secret.ts';
import { createSealer } from './seal.ts';
import { readSituation, type Wanted } from './situation.ts';
import type { ProviderFetch } from './ports.ts';
import type { TokenSetItem } from './token-set.ts';

/** How long a command may run. */
export interface Limits {
  /** when the function will be stopped, ms since the epoch; a lease is acquired only with `timing.acquireNeedsMs` left */
  deadlineMs: number;
}

/** What `createRenewTokenSet` composes; the two values that it builds itself are left out. */
export type RenewTokenSetDeps = Omit<RenewalDeps, 'sealer' | 'callProvider' | 'rules' | 'maxTokenSets'> & {
  fetch: ProviderFetch;
  /** bound into every seal: stages that share a key cannot read each other's items */
  deployment: string;
  maxTokenSets?: number | undefined;
  rules?: Rules | undefined;
};

/** The one place that talks to providers: every renewal, revocation and check of an account. */
export type RenewTokenSet = (command: RenewCommand, limits: Limits) => Promise<Outcome>;

/** A caller's parameters would otherwise fill the table; an operator may raise it. */
const MAX_TOKEN_SETS = 1_000;
// Each round is a lost race, so more than a few mean that others are renewing: let the caller wait instead.
const MOST_ROUNDS = 6;

/**
 * @returns the renewing use case
 * @see docs/protocol/refresh-protocol.md
 * @throws store_unavailable, secrets_unavailable, keys_unavailable, from any command
 */
export function createRenewTokenSet(given: RenewTokenSetDeps): RenewTokenSet {
  const deps: RenewalDeps = {
    ...given,
    sealer: createSealer(given),
    callProvider: createCallProvider(given),
    rules: given.rules ?? { chooseCall, mayRevokeSpare },
    maxTokenSets: given.maxTokenSets ?? MAX_TOKEN_SETS,
  };
  return async (command, limits) => {
    switch (command.command) {
      case 'renew': {
        const { minTtlMs, rejected, ref, parameters } = command;
        return renew(deps, { ref, parameters }, { kind: 'vend', minTtlMs, rejected }, 'vend', limits);
      }
      case 'renew_due':
        return renew(deps, { key: command.key }, { kind: 'due', dueAtMs: command.dueAtMs }, 'due', limits);
      case 'check':
        return renew(deps, { ref: command.ref, parameters: {} }, { kind: 'vend', minTtlMs: 0 }, 'check', limits);
      case 'revoke':
        return revokeTokenSet(deps, command, limits);
      case 'reset':
        return resetAccount(deps, command.ref, command.parameters, limits);
      case 'secret_changed':
        return takeInSecret(deps, command.ref, limits);
    }
  };
}

async function renew(deps: RenewalDeps, wanted: Wanted, request: RenewRequest, occasion: Occasion, limits: Limits): Promise<Outcome> {
  let fresh = occasion === 'check';
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const situation = await readSituation(deps, wanted, limits.deadlineMs, fresh);
    if (!situation) return dropDue(deps, wanted);
    if ('refusal' in situation) return refuse(deps, wanted, situation, situation.refusal);
    const judgement = judgeNow(deps, situation, request);
    if (judgement.verdict !== 'renew') return conclude(deps, wanted, situation, judgement, undefined);
    if (occasion === 'due' && !isWarm(deps, situation.account, situation.view.item)) return dropDue(deps, wanted);
    // A log-in is never sent with a secret from memory: a password that was changed a moment ago counts towards a lock.
    if (!situation.secretIsFresh && logsIn(deps, situation)) {
      fresh = true;
      continue;
    }
    const tooMany = await hasTooManySets(deps, situation);
    if (tooMany) return { outcome: 'refused', refusal: { reason: 'too_many_token_sets' } };
    // The last thing that can fail and needs no lease.
    await deps.keys.forSealing(deps.clock.nowMs());
    // Asked right before the lease: a function that is stopped between sending and storing loses what it obtained.
    if (limits.deadlineMs - deps.clock.nowMs() < deps.timing.acquireNeedsMs) return waitFor(deps);

    const result = await attemptRenewal(deps, situation, occasion);
    if (result.kind === 'wait') return { outcome: 'wait', retryAtMs: result.retryAtMs };
    if (result.kind === 'refused') return { outcome: 'refused', refusal: result.refusal };
    if (result.kind === 'committed') {
      const { item, tokenSet: opened } = result;
      const after = judgeNow(deps, { ...situation, view: { item, opened } }, request, item.generation);
      return after.verdict === 'renew' ? { outcome: 'renewed', item } : conclude(deps, wanted, situation, after, item);
    }
    // Many ask at once, and somebody else was first.
    await deps.clock.sleep(deps.random.fraction() * deps.timing.stampedeMs);
  }
  return waitFor(deps);
}

function judgeNow(
  { clock, timing, restoreEpochMs }: RenewalDeps,
  { view, account, traits }: Situation,
  request: RenewRequest,
  obtained?: number,
): Judgement {
  return judge({ view, account, request, nowMs: clock.nowMs(), traits, timing, obtained, restoreEpochMs });
}

async function conclude(
  deps: RenewalDeps,
  wanted: Wanted,
  { account, view }: Situation,
  judgement: Exclude<Judgement, { verdict: 'renew' }>,
  obtained: TokenSetItem | undefined,
): Promise<Outcome> {
  switch (judgement.verdict) {
    case 'answer':
      return obtained ? { outcome: 'renewed', item: obtained } : { outcome: 'current', item: view.item };
    case 'bad_request':
      return { outcome: 'bad_request', maximumSeconds: judgement.maximumSeconds };
    case 'wait':
      return { outcome: 'wait', retryAtMs: judgement.retryAtMs };
    case 'refuse':
      return refuse(deps, wanted, { account, item: view.item }, judgement.refusal);
  }
}

function waitFor({ clock, timing }: RenewalDeps): Outcome {
  return { outcome: 'wait', retryAtMs: clock.nowMs() + timing.backOff.firstMs };
}

/**
 * A refusal moves the due time to what it names, or takes the set out of the index when a person must act; so does nobody's having
 * asked for it lately, or a failing account's sets would be looked at for ever.
 */
async function refuse(
  deps: RenewalDeps,
  wanted: Wanted,
  read: { account?: AccountItem | undefined; item?: TokenSetItem | undefined },
  refusal: Refusal,
): Promise<Outcome> {
  const { store } = deps;
  const item = read.item ?? ('key' in wanted ? await store.readTokenSet(wanted.key) : undefined);
  if ('key' in wanted && item?.dueAtMs !== undefined) {
    const again = isWarm(deps, read.account, item) ? refusal.retryAtMs : undefined;
    const next = again === undefined ? undefined : Math.max(Math.round(again), item.dueAtMs + 1);
    await store.moveDue(wanted.key, item.generation, item.dueAtMs, next);
  }
  return { outcome: 'refused', refusal };
}

/** Nobody asked for it lately, or it cannot be opened: it leaves the index and is renewed when somebody asks. */
async function dropDue(deps: RenewalDeps, wanted: Wanted): Promise<Outcome> {
  if (!('key' in wanted)) return waitFor(deps);
  const item = await deps.store.readTokenSet(wanted.key);
  if (item?.dueAtMs !== undefined && item.dueAtMs <= deps.clock.nowMs()) {
    await deps.store.moveDue(wanted.key, item.generation, item.dueAtMs, undefined);
  }
  return { outcome: 'current', item };
}

function isWarm({ clock }: RenewalDeps, account: AccountItem | undefined, item: TokenSetItem | undefined): boolean {
  return account?.keep === true || (item?.warmUntilMs ?? 0) > clock.nowMs();
}

function logsIn({ rules, clock, timing, restoreEpochMs }: RenewalDeps, { view, tokenSet, account, traits }: Situation): boolean {
  const { item } = view;
  const nowMs = clock.nowMs();
  const facts = callFactsOf({ item, tokenSet, secretVersion: account.secretVersion, nowMs, traits, timing, restoreEpochMs });
  return rules.chooseCall(facts) === 'login';
}

async function hasTooManySets({ store, clock, maxTokenSets }: RenewalDeps, { ref, key, view }: Situation): Promise<boolean> {
  if (view.item?.sealed) return false;
  let living = 0;
  for await (const page of store.listTokenSets(ref)) {
    living += page.filter((set) => set.key.sort !== key.sort && (set.item.expiresAtMs ?? 0) > clock.nowMs()).length;
    if (living >= maxTokenSets) return true;
  }
  return false;
}
