import { hostRule } from './account-health.ts';
import { hasTrouble, updateAccount, withBackOff, withSuccess } from './account-item.ts';
import type { AccountFailure } from './account.ts';
import { isOurLateness, type Failed } from './failures.ts';
import { releaseLease, type Lease } from './lease.ts';
import { freeAtMs } from './login-slots.ts';
import type { RenewalDeps, Situation } from './renewal-deps.ts';
import type { Refusal } from './renewal.ts';
import { backOffMs } from './timing.ts';
import type { SetFailure, TokenSet, TokenSetItem } from './token-set.ts';

/** How one attempt at a renewal ended. */
export type AttemptResult =
  | { kind: 'committed'; item: TokenSetItem; tokenSet: TokenSet }
  /** the items moved on meanwhile: read and judge again */
  | { kind: 'again' }
  | { kind: 'wait'; retryAtMs: number }
  | { kind: 'refused'; refusal: Refusal };

/** Failures that the secret's owner can mend: its host may not be called, or is no host. */
const hostMistakes: ReadonlySet<string> = new Set(['blocked', 'invalid', 'discovery_blocked', 'discovery_invalid']);

/** Step 8 and 12: what a failed call means for the account, the set, the doubt and the caller. */
export async function giveUp(
  deps: RenewalDeps,
  situation: Situation,
  lease: Lease,
  call: 'login' | 'refresh',
  failed: Failed,
): Promise<AttemptResult> {
  if (isOurLateness(failed)) {
    await releaseLease(deps, lease, { spent: 'no' });
    return { kind: 'wait', retryAtMs: deps.clock.nowMs() + deps.timing.backOff.firstMs };
  }
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
    // A caller who asks with parameters that the provider does not take is told so, and nobody else needs to know.
    if (reason === 'misconfigured' || Object.keys(situation.parameters).length === 0) personNeeded(deps);
    const failure = setFailure(deps, situation, reason, failed.providerError, retryAtMs);
    await releaseLease(deps, lease, { spent, failure, dueAtMs: retryAtMs });
    const rule = reason === 'misconfigured' ? hostRule : {};
    return { kind: 'refused', refusal: { reason, retryAtMs, providerError: failed.providerError, ...rule } };
  }
  const account = call === 'login' ? situation.account : await noteRefreshFailure(deps, situation, lease, failed);
  const { notBeforeMs, nextLoginAtMs } = account;
  // Where what comes next is a log-in, it needs a slot besides: the later of both times is when it can be sent.
  const rules = { timing: deps.timing, lockWindowMs: situation.traits.lockWindowMs };
  const loginIsNext = call === 'login' || (spent === 'unknown' && situation.traits.rotation.kind !== 'none');
  const sendableMs = loginIsNext && notBeforeMs !== undefined ? freeAtMs(account, notBeforeMs, rules) : notBeforeMs;
  const refusal = refusalOf(failed, sendableMs, nextLoginAtMs);
  if (refusal.reason === 'credentials_refused') personNeeded(deps);
  else leftAlone(deps, account.outages, sendableMs);
  await releaseLease(deps, lease, { spent, dueAtMs: refusal.retryAtMs });
  return { kind: 'refused', refusal };
}

// What alarms look at. They cannot count failed calls: the worse it is, the fewer of them the protocol sends.

/** Somebody must act, or this account vends no more. */
export function personNeeded({ telemetry }: Pick<RenewalDeps, 'telemetry'>): void {
  telemetry.metric('PersonNeeded', 1, 'Count', 'renew-token-sets');
}

/** For how long: as back-off may choose by now, or longer where the provider or the log-in's slot asks for it. */
function leftAlone({ telemetry, clock, timing }: RenewalDeps, outages: number, untilMs = 0): void {
  const ms = Math.max(backOffMs(timing, outages, 1), untilMs - clock.nowMs());
  telemetry.metric('BackOff', ms / 1_000, 'Seconds', 'renew-token-sets');
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

/** A person must act: nothing is tried again before, and the schedule does not look at the set. */
export async function needsConsent(deps: RenewalDeps, situation: Situation, lease: Lease, providerError?: string): Promise<AttemptResult> {
  personNeeded(deps);
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

/** A refresh that worked ends the account's trouble; a back-off that was written meanwhile, by a later failure, stays. */
export async function noteSuccess(deps: RenewalDeps, { ref, account }: Situation, lease: Lease): Promise<void> {
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
