import type { FaultKind } from './faults.ts';
import type { Call, SetWrite } from './history.ts';
import { answered, applied, clockError, InvariantBroken, of, type Invariant } from './invariant.ts';
import type { World } from './world.ts';

/** 3: a strict provider never sees one refresh token twice; an account that needs consent at most twice. */
export const noReplay: Invariant = (world) => {
  const { rotation } = world.traits;
  if (rotation.kind === 'none') return;
  for (const call of of(world, 'call')) {
    if (call.sent !== 'refresh') continue;
    const most = world.traits.loginNeedsPerson ? 2 : rotation.kind === 'strict' ? 1 : Infinity;
    if (call.sightings > most) throw new InvariantBroken(3, `a refresh token was seen ${call.sightings} times`, call);
    if (rotation.kind === 'grace' && call.fateAfter === 'reused')
      throw new InvariantBroken(3, 'a token was sent again after its grace', call);
  }
};

/** 4: without a crash and with live leases there is no log-in while a refresh token was usable. */
export const noNeedlessLogin: Invariant = (world) => {
  const harmless = world.faults.happened.every(({ kind }) => ['unsent', 'rate_limited', 'stale'].includes(kind));
  if (!harmless || clockError(world) > world.timing.skewMs) return;
  for (const call of of(world, 'call')) {
    if (call.sent !== 'login' || call.stored?.refresh !== 'well' || call.command?.command === 'check') continue;
    if (call.item?.secretVersion !== call.present?.secretVersion || call.item?.refreshRefused) continue;
    if ((call.stored.tokenSet.refreshExpiresAtMs ?? Infinity) <= call.atMs) continue;
    throw new InvariantBroken(4, 'a log-in while the stored refresh token was alive', call);
  }
};

/** 5: the stored refresh token is alive after every commit and after every revocation of a spare. */
export const storedIsAlive: Invariant = (world) => {
  for (const write of applied(world, 'commit')) {
    const spent = write.stored?.refresh === 'spent' || write.stored?.refresh === 'reused';
    if (spent && !(world.traits.loginNeedsPerson && write.stored?.refresh === 'reused')) {
      throw new InvariantBroken(5, 'a dead refresh token was stored', write);
    }
    if (write.stored?.refresh === 'revoked' && !revokedByOrder(world, write))
      throw new InvariantBroken(5, 'a revoked session was stored', write);
  }
  // A provider that caps its sessions has its old one ended before a planned log-in: that one is no spare, and 24 follows it.
  if (world.traits.sessionCap) return;
  for (const call of of(world, 'call')) {
    if (call.sent !== 'revoke' || call.command?.command === 'revoke' || !call.good || !call.stored) continue;
    const kept = call.stored.tokenSet.facts['session'];
    if (call.session?.id === kept && call.fateAfter === 'revoked')
      throw new InvariantBroken(5, 'the stored session was revoked as a spare', call);
  }
};

/**
 * 24: a session that the service itself ended, and knows of, is vended no more once the work that ended it has written what became of
 * it; memory may still answer for as long as it keeps a set.
 */
export const endedIsNotVended: Invariant = (world) => {
  for (const [index, call] of world.history.entries()) {
    if (call.kind !== 'call' || call.sent !== 'revoke' || call.answerLost || call.fateAfter !== 'revoked') continue;
    const written = world.history.slice(index).find((event) => event.kind === 'write' && event.applied && endsWork(event, call));
    // A crash leaves nobody who knows; its lease lapses, and the token with its time.
    if (!written) continue;
    for (const vend of answered(world)) {
      const { session } = world.provider.read(vend.outcome.tokenSet.accessToken.reveal()) ?? {};
      if (session?.id === call.session?.id && vend.startedAtMs > written.atMs + world.timing.memoryMs)
        throw new InvariantBroken(24, 'a token of a session that the service ended', { vend, call });
    }
  }
};

function endsWork({ op, instance, work }: SetWrite, call: Call): boolean {
  return ['commit', 'release', 'forget'].includes(op) && instance === call.instance && work === call.work;
}

function revokedByOrder(world: World, { stored }: SetWrite): boolean {
  const session = stored?.tokenSet.facts['session'];
  return of(world, 'call').some((call) => call.sent === 'revoke' && call.command?.command === 'revoke' && call.session?.id === session);
}

/** What takes an answer away between send and commit. */
const harm: readonly FaultKind[] = [
  'throttled',
  'crash_before',
  'crash_after',
  'swallowed',
  'answer_lost',
  'reset',
  'late',
  'slow',
  'broken_json',
  'failed_after',
  'session_ended',
];

/** 14: a rotated refresh token is lost only by a crash, a store outage, or a lost or unreadable answer between send and commit. */
export const nothingIsLost: Invariant = (world) => {
  if (world.faults.has(...harm) || world.traits.loginNeedsPerson) return;
  const last = new Map<string, SetWrite>();
  for (const write of applied(world)) last.set(write.key, write);
  for (const [, write] of last) {
    const { after, stored } = write;
    if (!after?.sealed || !stored || after.lease || after.refreshRefused) continue;
    const refresh = stored.tokenSet.refreshToken;
    const state = refresh ? world.provider.stateOf(refresh.reveal()) : 'none';
    if (state === 'spent' || state === 'reused') throw new InvariantBroken(14, `the stored refresh token is ${state}`, write);
  }
};

/** 16: no provider call by a holder that read the account item after a `not_before` that is not past was written. */
export const backOffIsObeyed: Invariant = (world) => {
  if (!of(world, 'account').some(({ item }) => item.notBeforeMs !== undefined)) return;
  for (const call of of(world, 'call')) {
    if (call.sent === 'revoke') continue;
    const past = world.history.slice(0, call.sentAfter);
    const readAt = past.findLastIndex(
      (event) => event.kind === 'account_read' && event.instance === call.instance && event.work === call.work,
    );
    const written = past.slice(0, readAt).findLast((event) => event.kind === 'account' && event.applied && event.account === call.account);
    if (written?.kind !== 'account' || written.item.notBeforeMs === undefined) continue;
    const untilMs = written.item.notBeforeMs - written.offsetMs;
    if (untilMs > call.sentAtMs + clockError(world)) throw new InvariantBroken(16, 'a call during the back-off', { call, written });
  }
};

/** 23: "needs consent" never stands beside a living, undoubted token. */
export const consentIsTrue: Invariant = (world) => {
  for (const write of applied(world)) {
    const { after, stored } = write;
    if (after?.failure?.code !== 'needs_consent' || after.doubt || after.refreshRefused || stored?.refresh !== 'well') continue;
    throw new InvariantBroken(23, '"needs consent" beside a living token', write);
  }
};
