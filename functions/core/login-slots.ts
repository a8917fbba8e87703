import type { AccountItem } from './account.ts';
import type { Timing } from './timing.ts';

/** What stands in the way of a log-in, if anything. */
export type SlotState =
  /** a slot is free; `probe`: after refusal, one try to see whether a lock has ended */
  | { kind: 'free'; probe: boolean }
  /** only log-ins under way stand in the way */
  | { kind: 'wait'; retryAtMs: number }
  /** refusals, or log-ins that never got an answer, stand in the way */
  | { kind: 'blocked'; because: 'refused' | 'unanswered'; retryAtMs: number };

/** How this account's log-ins behave. */
export interface SlotRules {
  timing: Timing;
  /** the provider's own lock window, ms; undefined: unknown */
  lockWindowMs?: number | undefined;
}

/**
 * Accounts lock as a whole, and a lock looks like a bad password; so at most two log-ins of a secret version may be refused or
 * unanswered together, one at a time until the version is proven. After two refusals only probes are left.
 *
 * @param account as read strongly, or as a vend's read gave it
 * @returns whether a log-in may be sent at `nowMs`
 */
export function slotState(account: AccountItem, nowMs: number, { timing, lockWindowMs }: SlotRules): SlotState {
  if (account.refused >= timing.loginBudget) {
    const next = account.nextLoginAtMs ?? 0;
    return nowMs >= next ? { kind: 'free', probe: true } : { kind: 'blocked', because: 'refused', retryAtMs: next };
  }
  const lapseMs = account.proven ? timing.provenLapseMs : (lockWindowMs ?? timing.unansweredLapseMs);
  const living = Object.values(account.unanswered).filter((sentAtMs) => nowMs - sentAtMs < lapseMs);
  const underWay = living.filter((sentAtMs) => nowMs - sentAtMs < timing.renewalDeadlineMs);
  const room = account.refused + living.length < timing.loginBudget;
  if (room && (account.proven || underWay.length === 0)) return { kind: 'free', probe: false };
  // Once the ones under way are answered (well), is there room? Then it is only they who stand in the way.
  if (underWay.length > 0 && account.refused + living.length - underWay.length < timing.loginBudget) {
    return { kind: 'wait', retryAtMs: Math.min(...underWay) + timing.renewalDeadlineMs };
  }
  return { kind: 'blocked', because: 'unanswered', retryAtMs: Math.min(...living) + lapseMs };
}

/**
 * @param fromMs not earlier than this
 * @returns when a log-in may be sent if nobody answers or sends one until then, ms since the epoch
 */
export function freeAtMs(account: AccountItem, fromMs: number, rules: SlotRules): number {
  let atMs = fromMs;
  // Each step ends one entry's claim, so there are no more steps than entries and the two bounds of each.
  for (let state = slotState(account, atMs, rules); state.kind !== 'free'; state = slotState(account, atMs, rules)) {
    atMs = Math.max(state.retryAtMs, atMs + 1);
  }
  return atMs;
}

/**
 * The account item with a slot taken: the last write before a log-in is sent (step 5).
 *
 * @param probe as {@link slotState} said
 */
export function withSlotTaken(account: AccountItem, attempt: string, nowMs: number, probe: boolean, rules: SlotRules): AccountItem {
  const lapseMs = account.proven ? rules.timing.provenLapseMs : (rules.lockWindowMs ?? rules.timing.unansweredLapseMs);
  const living = Object.entries(account.unanswered).filter(([, sentAtMs]) => nowMs - sentAtMs < lapseMs);
  const [, second, later] = rules.timing.probesMs;
  return {
    ...account,
    revision: account.revision + 1,
    unanswered: { ...Object.fromEntries(living), [attempt]: nowMs },
    nextLoginAtMs: probe ? nowMs + (account.refused === rules.timing.loginBudget ? second : later) : account.nextLoginAtMs,
  };
}

/** How a log-in was answered. Where nothing is known, its entry stays and lapses by itself. */
export type LoginAnswer =
  | 'success'
  | 'refused'
  /** the provider said something else of it */
  | 'unjudged'
  /** the provider surely did not look at it */
  | 'unsent';

/** The account as a slot was taken on it, and where a probe moved the next one to. */
export interface SlotSaw {
  refused: number;
  nextLoginAtMs: number | undefined;
  movedToMs: number | undefined;
}

/**
 * The account item with a log-in's answer taken in. The caller has made sure that the version is still the one that was sent.
 *
 * @param saw a refusal that came after it is not cleared by this success; a probe that was not sent puts its time back
 */
export function withAnswer(
  account: AccountItem,
  attempt: string,
  answer: LoginAnswer,
  saw: SlotSaw,
  nowMs: number,
  rules: SlotRules,
): AccountItem {
  const { [attempt]: _mine, ...unanswered } = account.unanswered;
  const next = { ...account, revision: account.revision + 1, unanswered };
  if (answer === 'unjudged') return next;
  if (answer === 'unsent') return account.nextLoginAtMs === saw.movedToMs ? { ...next, nextLoginAtMs: saw.nextLoginAtMs } : next;
  if (answer === 'success') {
    const cleared = account.refused === saw.refused;
    return { ...next, proven: true, refused: cleared ? 0 : account.refused, nextLoginAtMs: undefined };
  }
  const refused = account.refused + 1;
  const [first] = rules.timing.probesMs;
  return { ...next, refused, nextLoginAtMs: refused === rules.timing.loginBudget ? nowMs + first : account.nextLoginAtMs };
}
