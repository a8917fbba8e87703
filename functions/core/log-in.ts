import { updateAccount, withBackOff, withSuccess } from './account-item.ts';
import type { AccountItem } from './account.ts';
import type { CallResult } from './call-provider.ts';
import { isOurLateness } from './failures.ts';
import type { Lease } from './lease.ts';
import { slotState, withAnswer, withSlotTaken, type LoginAnswer, type SlotRules, type SlotSaw } from './login-slots.ts';
import type { RenewalDeps, Situation } from './renewal-deps.ts';

/** Whether a log-in may be sent. */
export type Slot =
  | { kind: 'taken'; saw: SlotSaw }
  /** only log-ins under way stand in the way */
  | { kind: 'wait'; retryAtMs: number }
  /** the account changed since it was judged: judge again */
  | { kind: 'again' };

/**
 * Step 5: takes a slot on the account item, the last write before a log-in is sent.
 *
 * @throws store_unavailable
 */
export async function takeSlot(deps: RenewalDeps, situation: Situation, lease: Lease): Promise<Slot> {
  const { clock } = deps;
  const { ref, account } = situation;
  const rules = slotRules(deps, situation);
  let slot: Slot = { kind: 'again' };
  await updateAccount(
    deps,
    ref,
    lease.deadlineMs,
    (present) => {
      const nowMs = clock.nowMs();
      // After a lost reply my entry stands there: the write was mine.
      if (present?.unanswered[lease.by] !== undefined) return undefined;
      slot = { kind: 'again' };
      if (!present || present.secretVersion !== account.secretVersion) return undefined;
      if (present.notBeforeMs !== undefined && nowMs < present.notBeforeMs) return undefined;
      const state = slotState(present, nowMs, rules);
      if (state.kind === 'wait') slot = state;
      if (state.kind !== 'free') return undefined;
      const next = withSlotTaken(present, lease.by, nowMs, state.probe, rules);
      const { refused, nextLoginAtMs } = present;
      slot = { kind: 'taken', saw: { refused, nextLoginAtMs, movedToMs: next.nextLoginAtMs } };
      return next;
    },
    account,
  );
  return slot;
}

function slotRules({ timing }: RenewalDeps, { traits }: Situation): SlotRules {
  return { timing, lockWindowMs: traits.lockWindowMs };
}

/**
 * Writes a log-in's answer to the account item, before its commit, and only while the secret's version is the one that was sent.
 *
 * @param saw the account as the slot was taken on it; undefined: the exchange failed before a slot was asked for
 * @returns the account item as it stands now
 * @throws store_unavailable past the deadline
 */
export async function answerSlot(
  deps: RenewalDeps,
  situation: Situation,
  lease: Lease,
  saw: SlotSaw | undefined,
  result: CallResult,
): Promise<AccountItem | undefined> {
  const { clock, random, timing } = deps;
  const fraction = random.fraction();
  const rules = slotRules(deps, situation);
  return updateAccount(deps, situation.ref, lease.deadlineMs, (present) => {
    if (present?.secretVersion !== situation.account.secretVersion) return undefined;
    // My entry is gone: the answer was taken in by a write whose reply was lost.
    if (saw !== undefined && present.unanswered[lease.by] === undefined) return undefined;
    const nowMs = clock.nowMs();
    const answer = saw && meaningOf(result);
    const revision = present.revision + 1;
    const answered = answer ? withAnswer(present, lease.by, answer, saw, nowMs, rules) : { ...present, revision };
    if (result.kind === 'ok') return { ...withSuccess(answered, nowMs), revision };
    const { failure, providerError, retryAtMs } = result;
    // That there was no time left says nothing of the provider.
    if (isOurLateness(result)) return answer && answered;
    if (failure === 'transient' || failure === 'unreadable') {
      return { ...withBackOff(answered, { nowMs, sinceMs: lease.acquiredAtMs, retryAtMs, providerError, fraction }, timing), revision };
    }
    if (answer !== 'refused') return answer && answered;
    const clientRefused = failure === 'client_refused';
    const nextLoginAtMs = clientRefused ? Math.max(answered.nextLoginAtMs ?? 0, nowMs + timing.probesMs[0]) : answered.nextLoginAtMs;
    return {
      ...answered,
      clientRefused,
      nextLoginAtMs,
      failure: { code: clientRefused ? 'client_refused' : 'credentials_refused', atMs: nowMs, providerError },
    };
  });
}

/** @returns undefined where nobody knows whether the provider counted this log-in: its entry stays and lapses */
function meaningOf(result: CallResult): LoginAnswer | undefined {
  if (result.kind === 'ok' || result.taken) return 'success';
  if (result.failure === 'credentials_refused' || result.failure === 'client_refused') return 'refused';
  if (result.failure === 'configuration' || result.failure === 'needs_consent') return 'unjudged';
  return result.spent === 'no' ? 'unsent' : undefined;
}
