import { updateAccount, hasTrouble, withBackOff, withSuccess } from './account-item.ts';
import type { AccountFailure } from './account.ts';
import type { CallResult } from './call-provider.ts';
import { commitTokenSet, type Occasion } from './commit-token-set.ts';
import { unsent, type Failed } from './failures.ts';
import { doubtOf, type Call } from './judge.ts';
import { acquireLease, releaseLease, type Lease } from './lease.ts';
import { answerSlot, takeSlot, type Slot } from './log-in.ts';
import { freeAtMs } from './login-slots.ts';
import type { Traits } from './provider.ts';
import type { RenewalDeps, Situation } from './renewal-deps.ts';
import type { Refusal } from './renewal.ts';
import type { SetFailure, TokenSet, TokenSetItem } from './token-set.ts';

/** How one attempt at a renewal ended. */
export type AttemptResult =
  | { kind: 'committed'; item: TokenSetItem; tokenSet: TokenSet }
  /** the items moved on meanwhile: read and judge again */
  | { kind: 'again' }
  | { kind: 'wait'; retryAtMs: number }
  | { kind: 'refused'; refusal: Refusal };

/**
 * Steps 3 to 9: acquire, call, commit or release. The caller has judged *renew* and did everything that can fail without a lease.
 *
 * @throws store_unavailable, keys_unavailable
 */
export async function attemptRenewal(deps: RenewalDeps, situation: Situation, occasion: Occasion): Promise<AttemptResult> {
  const lease = await acquireLease(deps, situation);
  if (!lease) return { kind: 'again' };
  const call = chooseCall(deps, situation, lease);
  if (call === 'needs_consent') return needsConsent(deps, situation, lease);
  if (call === 'login') return logIn(deps, situation, lease, occasion);

  const result = await refresh(deps, situation, lease);
  if (result.kind === 'ok') {
    const done = await commit(deps, situation, lease, { call, result, occasion });
    await noteSuccess(deps, situation, lease);
    return done;
  }
  if (result.failure !== 'refresh_refused') return giveUp(deps, situation, lease, 'refresh', result);
  // Step 9: refused because somebody else renewed meanwhile? Then this write is refused too, and theirs is judged.
  if (!(await deps.store.refuseRefreshToken(lease.key, lease.generation, lease.by))) return { kind: 'again' };
  return situation.traits.loginNeedsPerson
    ? needsConsent(deps, situation, lease, result.providerError)
    : logIn(deps, situation, { ...lease, tokenSet: undefined }, occasion);
}

function chooseCall({ rules, clock, timing, restoreEpochMs }: RenewalDeps, situation: Situation, lease: Lease): Call {
  const doubt = doubtOf({ view: { item: lease.before }, restoreEpochMs });
  return rules.chooseCall({
    item: lease.before,
    tokenSet: lease.tokenSet,
    doubtCount: doubt.count,
    doubtSinceMs: doubt.sinceMs,
    secretVersion: situation.account.secretVersion,
    nowMs: clock.nowMs(),
    traits: situation.traits,
    timing,
  });
}

async function refresh(deps: RenewalDeps, { provider, credentials, parameters }: Situation, lease: Lease): Promise<CallResult> {
  const { tokenSet: previous, providerDeadlineMs: deadlineMs } = lease;
  if (!previous) return unsent('refresh_refused', 'nothing_to_send');
  return deps.callProvider(provider, 'refresh', { credentials, parameters, previous, deadlineMs });
}

/** Ends a session where the provider can. Best effort: what it cannot end lapses. */
export async function revokeAtProvider(
  deps: RenewalDeps,
  { provider, credentials, parameters }: Pick<Situation, 'provider' | 'credentials' | 'parameters'>,
  previous: TokenSet | undefined,
  deadlineMs: number,
): Promise<boolean> {
  if (!previous || !provider.revoke) return false;
  const result = await deps.callProvider(provider, 'revoke', { credentials, parameters, previous, deadlineMs });
  return result.kind === 'ok';
}

/** Step 5: the slot is taken last, right before the first request that carries a credential. */
async function logIn(deps: RenewalDeps, situation: Situation, lease: Lease, occasion: Occasion): Promise<AttemptResult> {
  const { provider, credentials, parameters, traits } = situation;
  const endOldSession = () =>
    endsSafely(deps, situation, lease) && revokeAtProvider(deps, situation, lease.tokenSet, lease.providerDeadlineMs);
  let slot: Slot = { kind: 'again' };
  const beforeSend = async (): Promise<boolean> => {
    if (!(await isSecretOfToday(deps, situation))) return false;
    slot = await takeSlot(deps, situation, lease);
    // A provider that caps its sessions would refuse the log-in, or end a session of its own choice. Not before the slot is
    // taken: where no log-in may be sent, the old session is all that there is.
    if (slot.kind === 'taken' && traits.sessionCap) await endOldSession();
    return slot.kind === 'taken';
  };
  const input = { credentials, parameters, deadlineMs: lease.providerDeadlineMs, beforeSend };
  const result = await deps.callProvider(provider, 'login', input).catch(async (error: unknown) => {
    // Only what comes before the sending throws, so the refresh token was not spent and nobody has to wait for the lease to lapse.
    await releaseLease(deps, lease, { spent: 'no' });
    throw error;
  });
  const held = slot as Slot;
  if (result.kind === 'failed' && result.code === 'withheld' && held.kind !== 'taken') {
    await releaseLease(deps, lease, { spent: 'no' });
    return held;
  }
  const account = await answerSlot(deps, situation, lease, held.kind === 'taken' ? held.sawRefused : undefined, result);
  if (result.kind === 'failed') return giveUp(deps, { ...situation, account: account ?? situation.account }, lease, 'login', result);
  const committed = await commit(deps, situation, lease, { call: 'login', result, occasion });
  // After a log-in under a new secret, the session before it is of no use to anybody. After any other log-in its token still lives
  // in callers' hands.
  const newSecret = lease.before?.secretVersion !== situation.account.secretVersion;
  if (committed.kind === 'committed' && newSecret && !traits.sessionCap) await endOldSession();
  return committed;
}

/**
 * A refresh that is refused is often the first sign of a changed password: what was read from memory is read past it before it is
 * sent, because a log-in with the old one counts towards a lock.
 */
async function isSecretOfToday({ secrets }: RenewalDeps, { ref, account, secretIsFresh }: Situation): Promise<boolean> {
  return secretIsFresh || (await secrets.read(ref, true))?.version === account.secretVersion;
}

/** A server that repeats its token has given the same one to others: to end mine would end theirs. */
function endsOnlyItself({ revocationEnds, returnsSameToken }: Traits): boolean {
  return !returnsSameToken && (revocationEnds === 'token' || revocationEnds === 'session');
}

function endsSafely({ restoreEpochMs }: RenewalDeps, { provider, traits }: Situation, { tokenSet, before }: Lease): boolean {
  if (provider.revoke === undefined || !endsOnlyItself(traits) || tokenSet === undefined) return false;
  // A doubtful refresh token is never sent anywhere: a strict provider would take it for a replay.
  return doubtOf({ view: { item: before }, restoreEpochMs }).count === 0 && !before?.refreshRefused;
}

async function commit(
  deps: RenewalDeps,
  situation: Situation,
  lease: Lease,
  { call, result, occasion }: { call: Call; result: Extract<CallResult, { kind: 'ok' }>; occasion: Occasion },
): Promise<AttemptResult> {
  const done = await commitTokenSet(deps, situation, lease, { call, tokens: result.tokens, occasion });
  const { partition: account, sort: set } = lease.key;
  const { generation } = lease;
  if (done.kind === 'committed') {
    const { obtainedAtMs } = done.tokenSet;
    const durationMs = deps.clock.nowMs() - obtainedAtMs;
    deps.telemetry.audit({
      event: 'renew',
      outcome: 'success',
      account,
      set,
      generation: generation + 1,
      durationMs,
      detail: { call, occasion },
    });
    deps.telemetry.metric('Renewals', 1, 'Count', situation.ref.provider);
    return done;
  }
  deps.telemetry.audit({ event: 'renew', outcome: 'failure', account, set, generation, code: 'commit_lost', detail: { call, occasion } });
  if (spareIsMine(deps, situation, lease, call, done.stored)) {
    // Who lost its lease is past that lease's deadlines. A spare is nobody's refresh token, so sending it late replays nothing.
    const { renewalDeadlineMs, providerBudgetMs } = deps.timing;
    await revokeAtProvider(deps, situation, done.tokenSet, deps.clock.nowMs() + renewalDeadlineMs - providerBudgetMs);
  }
  return { kind: 'again' };
}

/** Step 7: what to do with a token set that came too late. Anything not known to be harmless is left to lapse. */
function spareIsMine({ rules }: RenewalDeps, { provider, traits }: Situation, lease: Lease, call: Call, stored: TokenSetItem | undefined) {
  if (!provider.revoke) return false;
  if (!stored?.sealed) return endsOnlyItself(traits);
  return rules.mayRevokeSpare({ call, acquiredGeneration: lease.generation, storedGeneration: stored.generation, traits });
}

/** The default of {@link Rules.mayRevokeSpare}: only the session of my own log-in, and only right after the generation acquired. */
export function mayRevokeSpare({
  call,
  acquiredGeneration,
  storedGeneration,
  traits,
}: Parameters<RenewalDeps['rules']['mayRevokeSpare']>[0]) {
  return call === 'login' && endsOnlyItself(traits) && storedGeneration === acquiredGeneration + 1;
}

async function noteSuccess(deps: RenewalDeps, { ref, account }: Situation, lease: Lease): Promise<void> {
  if (!hasTrouble(account)) return;
  const { clock } = deps;
  await updateAccount(deps, ref, lease.acquiredAtMs, (present) =>
    present && present.secretVersion === account.secretVersion && hasTrouble(present) && !isBackingOff(present.notBeforeMs, clock.nowMs())
      ? withSuccess(present, clock.nowMs())
      : undefined,
  ).catch(() => undefined);
}

function isBackingOff(notBeforeMs: number | undefined, nowMs: number): boolean {
  return notBeforeMs !== undefined && nowMs < notBeforeMs;
}

/** Failures that the secret's owner can mend: its host may not be called, or is no host. */
const hostMistakes: ReadonlySet<string> = new Set(['blocked', 'invalid', 'discovery_blocked', 'discovery_invalid']);

/** Step 8 and 12: what a failed call means for the account, the set, the doubt and the caller. */
async function giveUp(
  deps: RenewalDeps,
  situation: Situation,
  lease: Lease,
  call: 'login' | 'refresh',
  failed: Failed,
): Promise<AttemptResult> {
  const { ref } = situation;
  const { partition, sort } = lease.key;
  const code = failed.providerError ?? failed.code;
  deps.telemetry.audit({
    event: 'renew',
    outcome: 'failure',
    account: partition,
    set: sort,
    code,
    detail: { call, failure: failed.failure },
  });
  deps.telemetry.metric('RenewalFailures', 1, 'Count', ref.provider);
  // A step that failed after the one that spent the refresh token leaves nothing to refresh with, known or not.
  const spent = failed.spent === 'unknown' || failed.taken ? 'unknown' : 'no';
  if (failed.failure === 'needs_consent') return needsConsent(deps, situation, lease, failed.providerError);
  if (failed.failure === 'configuration') {
    const retryAtMs = deps.clock.nowMs() + deps.timing.setFailureMs;
    const reason = hostMistakes.has(failed.code) ? 'misconfigured' : 'configuration';
    const failure = setFailure(deps, situation, reason, failed.providerError, retryAtMs);
    await releaseLease(deps, lease, { spent, failure, dueAtMs: retryAtMs });
    return { kind: 'refused', refusal: { reason, retryAtMs, providerError: failed.providerError } };
  }
  const account = call === 'login' ? situation.account : await noteRefreshFailure(deps, situation, lease, failed);
  const { notBeforeMs, nextLoginAtMs } = account;
  // Where what comes next is a log-in, it needs a slot besides: the later of both times is when it can be sent.
  const rules = { timing: deps.timing, lockWindowMs: situation.traits.lockWindowMs };
  const loginIsNext = call === 'login' || (spent === 'unknown' && situation.traits.rotation.kind !== 'none');
  const sendableMs = loginIsNext && notBeforeMs !== undefined ? freeAtMs(account, notBeforeMs, rules) : notBeforeMs;
  const refusal = refusalOf(failed, sendableMs, nextLoginAtMs);
  await releaseLease(deps, lease, { spent, dueAtMs: refusal.retryAtMs });
  return { kind: 'refused', refusal };
}

function refusalOf(failed: Failed, notBeforeMs: number | undefined, nextLoginAtMs: number | undefined): Refusal {
  const { providerError } = failed;
  if (failed.failure === 'credentials_refused' || failed.failure === 'client_refused') {
    return { reason: 'credentials_refused', retryAtMs: nextLoginAtMs, providerError };
  }
  const reason = failed.failure === 'unreadable' ? 'unreadable' : failed.code === 'timeout' ? 'too_slow' : 'backing_off';
  return { reason, retryAtMs: notBeforeMs, providerError };
}

/** A refresh that failed for now, or for the client: the account backs off, or waits for a new secret. */
async function noteRefreshFailure(deps: RenewalDeps, { ref, account }: Situation, lease: Lease, failed: Failed) {
  const { clock, random, timing } = deps;
  const fraction = random.fraction();
  const { providerError, retryAtMs } = failed;
  const after = await updateAccount(deps, ref, lease.deadlineMs, (present) => {
    if (!present || present.secretVersion !== account.secretVersion) return undefined;
    const nowMs = clock.nowMs();
    if (failed.failure !== 'client_refused')
      return withBackOff(present, { nowMs, sinceMs: lease.acquiredAtMs, retryAtMs, providerError, fraction }, timing);
    const nextLoginAtMs = Math.max(present.nextLoginAtMs ?? 0, nowMs + timing.probesMs[0]);
    const failure: AccountFailure = { code: 'client_refused', atMs: nowMs, providerError };
    return { ...present, revision: present.revision + 1, clientRefused: true, nextLoginAtMs, failure };
  });
  return after ?? account;
}

async function needsConsent(deps: RenewalDeps, situation: Situation, lease: Lease, providerError?: string): Promise<AttemptResult> {
  const failure = setFailure(deps, situation, 'needs_consent', providerError);
  await releaseLease(deps, lease, { spent: 'no', failure, dueAtMs: 'person' });
  return { kind: 'refused', refusal: { reason: 'needs_consent', providerError } };
}

function setFailure(
  { clock }: RenewalDeps,
  { account }: Situation,
  code: SetFailure['code'],
  providerError?: string,
  notBeforeMs?: number,
): SetFailure {
  return { code, atMs: clock.nowMs(), notBeforeMs, providerError, secretVersion: account.secretVersion };
}
