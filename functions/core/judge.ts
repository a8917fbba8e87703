import type { AccountItem } from './account.ts';
import { callFactsOf, chooseCall } from './choose-call.ts';
import { freeAtMs, slotState, type SlotState } from './login-slots.ts';
import type { Traits } from './provider.ts';
import type { Refusal, RenewRequest } from './renewal.ts';
import { maximumMinTtlSeconds, mustRenewMs, spacingMs, type Timing } from './timing.ts';
import { fingerprintOf, type SetFailure, type TokenSet, type TokenSetItem } from './token-set.ts';

/** A stored token set with its seal opened. */
export interface View {
  /** absent: there is no item */
  item?: TokenSetItem | undefined;
  /** absent: nothing sealed, or the seal did not open */
  opened?: TokenSet | undefined;
}

/** What is judged. */
export interface Case {
  view: View;
  /** absent: never seen by the renewing function */
  account?: AccountItem | undefined;
  request: RenewRequest;
  nowMs: number;
  traits: Traits;
  timing: Timing;
  /** generation obtained within this very request: it counts whatever was asked */
  obtained?: number | undefined;
  /** sets obtained before it count as in doubt (the table was restored from a backup), ms since the epoch */
  restoreEpochMs?: number | undefined;
}

/** The verdict. `answer` always comes with a usable token, except for *due*, where it means that nothing is to be done. */
export type Judgement =
  | { verdict: 'bad_request'; maximumSeconds: number }
  | { verdict: 'answer'; tokenSet: TokenSet | undefined }
  | { verdict: 'wait'; retryAtMs: number; meanwhile: TokenSet | undefined }
  | { verdict: 'refuse'; refusal: Refusal; meanwhile: TokenSet | undefined }
  | { verdict: 'renew' };

/**
 * The only place that knows what is usable. Pure; memory, table, waiter and the moment after a commit all use it.
 *
 * @see docs/protocol/refresh-protocol.md, "One judgement"
 */
export function judge(theCase: Case): Judgement {
  const { request, timing } = theCase;
  const { item } = theCase.view;
  const tokenSet = usable(theCase);
  const lifeMs = item?.lifeMs;

  if (request.kind === 'vend' && tokenSet && lifeMs !== undefined && request.minTtlMs > lifeMs * timing.minTtlShare) {
    return { verdict: 'bad_request', maximumSeconds: maximumMinTtlSeconds(timing, lifeMs) };
  }
  if (answers(theCase, tokenSet)) return { verdict: 'answer', tokenSet };

  const obstacle = whatStandsInTheWay(theCase, tokenSet);
  return obstacle ? { ...obstacle, meanwhile: livingToken(theCase) } : { verdict: 'renew' };
}

/** @returns a token that still lives long enough to be handed out where renewing is impossible or under way */
export function livingToken(theCase: Case): TokenSet | undefined {
  const { request, nowMs, timing } = theCase;
  const tokenSet = usable(theCase);
  if (!tokenSet || request.kind !== 'vend' || isRejected(tokenSet, request)) return undefined;
  return tokenSet.expiresAtMs - nowMs > Math.max(request.minTtlMs, timing.livingMs) ? tokenSet : undefined;
}

/** A set whose sealed identity is not the account's counts as absent; so does any set while the account is not known. */
export function usable({ view, account }: Case): TokenSet | undefined {
  return view.opened && account && view.opened.identity === account.identity ? view.opened : undefined;
}

function isRejected(tokenSet: TokenSet, request: RenewRequest): boolean {
  return request.kind === 'vend' && request.rejected !== undefined && fingerprintOf(tokenSet.accessToken) === request.rejected;
}

function answers({ view, request, nowMs, timing, obtained }: Case, tokenSet: TokenSet | undefined): boolean {
  const { item } = view;
  if (request.kind === 'due') return item?.dueAtMs === undefined || item.dueAtMs > nowMs;
  if (!item || !tokenSet) return false;
  if (isRejected(tokenSet, request)) return false;
  const leftMs = tokenSet.expiresAtMs - nowMs;
  if (obtained !== undefined && item.generation === obtained) return leftMs > 0;
  return leftMs > Math.max(mustRenewMs(timing, item.lifeMs ?? leftMs), request.minTtlMs);
}

type Obstacle = { verdict: 'wait'; retryAtMs: number } | { verdict: 'refuse'; refusal: Refusal };

function whatStandsInTheWay(theCase: Case, tokenSet: TokenSet | undefined): Obstacle | undefined {
  const { view, account, nowMs, timing } = theCase;
  const { item } = view;
  if (item?.lease && nowMs <= item.lease.untilMs + timing.skewMs) {
    return { verdict: 'wait', retryAtMs: item.lease.untilMs + timing.skewMs };
  }
  const slot = account && loginIsNext(theCase) ? slotState(account, nowMs, slotRules(theCase)) : undefined;
  if (slot?.kind === 'wait') return { verdict: 'wait', retryAtMs: slot.retryAtMs };
  const refusal = refusalOf(theCase, tokenSet, slot);
  return refusal && { verdict: 'refuse', refusal };
}

function slotRules({ timing, traits }: Case): { timing: Timing; lockWindowMs: number | undefined } {
  return { timing, lockWindowMs: traits.lockWindowMs };
}

function refusalOf(theCase: Case, tokenSet: TokenSet | undefined, slot: SlotState | undefined): Refusal | undefined {
  const { view, account, nowMs, timing } = theCase;
  const { item } = view;
  if (account?.failure?.code === 'misconfigured' && nowMs < account.failure.atMs + timing.absenceMs) {
    const { field, rule, atMs } = account.failure;
    return { reason: 'misconfigured', retryAtMs: atMs + timing.absenceMs, field, rule };
  }
  if (account?.notBeforeMs !== undefined && nowMs < account.notBeforeMs) {
    // The later of both, so that who comes back then is not refused once more for want of a log-in slot.
    const retryAtMs = slot ? freeAtMs(account, account.notBeforeMs, slotRules(theCase)) : account.notBeforeMs;
    return { reason: 'backing_off', retryAtMs, providerError: account.failure?.providerError };
  }
  if (account?.clientRefused && slotBlockedUntil(account, nowMs) !== undefined) {
    const retryAtMs = slotBlockedUntil(account, nowMs);
    return { reason: 'credentials_refused', retryAtMs, providerError: account.failure?.providerError };
  }
  if (slot?.kind === 'blocked') {
    const reason = slot.because === 'refused' ? 'credentials_refused' : 'backing_off';
    return { reason, retryAtMs: slot.retryAtMs, providerError: account?.failure?.providerError };
  }
  const failure = item?.failure;
  if (failure && !isVoid(failure, account) && (failure.notBeforeMs === undefined || nowMs < failure.notBeforeMs)) {
    return { reason: failure.code, retryAtMs: failure.notBeforeMs, providerError: failure.providerError };
  }
  if (tokenSet && item?.lifeMs !== undefined) {
    const freeAtMs = tokenSet.obtainedAtMs + spacingMs(timing, item.lifeMs);
    // A clock that runs behind the obtainer's would otherwise wait for longer than the spacing itself.
    if (nowMs < freeAtMs && nowMs > tokenSet.obtainedAtMs - timing.skewMs) return { reason: 'too_soon', retryAtMs: freeAtMs };
  }
  return undefined;
}

/** @returns whether the secret has changed since the failure, so that it says nothing any more */
export function isVoid(failure: SetFailure, account: AccountItem | undefined): boolean {
  return failure.secretVersion !== undefined && failure.secretVersion !== account?.secretVersion;
}

function slotBlockedUntil(account: AccountItem, nowMs: number): number | undefined {
  return account.nextLoginAtMs !== undefined && nowMs < account.nextLoginAtMs ? account.nextLoginAtMs : undefined;
}

function loginIsNext(theCase: Case): boolean {
  const { view, account, nowMs, traits, timing, restoreEpochMs } = theCase;
  const tokenSet = usable(theCase);
  const secretVersion = account?.secretVersion ?? '';
  return chooseCall(callFactsOf({ item: view.item, tokenSet, secretVersion, nowMs, traits, timing, restoreEpochMs })) === 'login';
}
