import type { AccountWrite, Call } from './history.ts';
import { clockError, InvariantBroken, of, type Invariant } from './invariant.ts';
import type { World } from './world.ts';

const HOUR = 3_600_000;

/** A log-in that the provider saw, with the slot that it was sent under. */
interface SentLogin {
  call: Call;
  slot: AccountWrite;
  isProbe: boolean;
}

function takesSlot({ applied, before, item }: AccountWrite): boolean {
  return applied && Object.keys(item.unanswered).some((attempt) => before?.unanswered[attempt] === undefined);
}

function sentLogins(world: World): SentLogin[] {
  const slots = new Map<string, AccountWrite>();
  const sent: SentLogin[] = [];
  for (const event of world.history) {
    if (event.kind === 'account' && takesSlot(event)) slots.set(`${event.instance} ${event.work}`, event);
    if (event.kind !== 'call' || event.sent !== 'login') continue;
    const slot = slots.get(`${event.instance} ${event.work}`);
    if (!slot) throw new InvariantBroken(10, 'a log-in without a slot', event);
    sent.push({ call: event, slot, isProbe: (slot.before?.refused ?? 0) >= world.timing.loginBudget });
  }
  return sent;
}

/**
 * 10: at most 2 log-ins refused or unanswered together per account, secret version and window, probes aside, under any crash
 * pattern and any number of token sets.
 */
export const loginBudgetHolds: Invariant = (world) => {
  const counted: SentLogin[] = [];
  for (const sent of sentLogins(world)) {
    const { call, slot, isProbe } = sent;
    if (isProbe || (call.good && !call.answerLost)) continue;
    const { secretVersion, proven } = slot.item;
    const windowMs = (proven ? world.timing.provenLapseMs : world.timing.unansweredLapseMs) - clockError(world);
    const together = counted.filter(
      (other) =>
        other.call.account === call.account &&
        other.slot.item.secretVersion === secretVersion &&
        call.sentAtMs - other.call.sentAtMs < windowMs,
    );
    if (together.length >= world.timing.loginBudget) throw new InvariantBroken(10, `${together.length + 1} bad log-ins together`, call);
    counted.push(sent);
  }
};

/**
 * 11: after refusal no log-in before its time (an hour, 6 until a probe was refused as well, then 24), until the version changes or
 * an operator resets. A probe that the provider never saw counts for nothing.
 */
export const refusalIsRespected: Invariant = (world) => {
  const next = new Map<string, { version: string; atMs: number; earlierMs?: number }>();
  const seen = new Set(sentLogins(world).map(({ slot }) => slot));
  for (const event of of(world, 'account')) {
    if (!event.applied) continue;
    const { account, item, before, atMs } = event;
    const closed = next.get(account);
    const budget = world.timing.loginBudget;
    if (item.refused < budget || closed?.version !== item.secretVersion) next.delete(account);
    if (closed && next.has(account) && takesSlot(event)) {
      if (atMs + clockError(world) < closed.atMs) throw new InvariantBroken(11, `a log-in ${closed.atMs - atMs} ms too early`, event);
      const earlierMs = seen.has(event) ? {} : { earlierMs: closed.atMs };
      next.set(account, { version: closed.version, atMs: atMs + (item.refused === budget ? 6 : 24) * HOUR, ...earlierMs });
    }
    const putsBack = (item.nextLoginAtMs ?? 0) < (before?.nextLoginAtMs ?? 0) && item.refused === before?.refused;
    if (closed && next.has(account) && putsBack) {
      if (closed.earlierMs === undefined) throw new InvariantBroken(11, 'a probe that the provider saw was taken back', event);
      next.set(account, { version: closed.version, atMs: closed.earlierMs });
    }
    if (item.refused === budget && before?.refused === budget - 1) {
      next.set(account, { version: item.secretVersion, atMs: atMs + HOUR });
    }
  }
};

/** One log-in at a time while nobody knows whether the version works. */
export const unprovenIsCareful: Invariant = (world) => {
  for (const event of of(world, 'account')) {
    if (!takesSlot(event) || event.item.proven) continue;
    const now = event.atMs + event.offsetMs;
    const young = Object.values(event.before?.unanswered ?? {}).filter(
      (sentAtMs) => now - sentAtMs < world.timing.renewalDeadlineMs - clockError(world),
    );
    if (young.length > 0) throw new InvariantBroken(10, 'two log-ins at once under an unproven version', event);
  }
};
