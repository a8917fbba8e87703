import { mustRenewMs, renewAheadMs } from '../../../functions/core/timing.ts';
import type { TokenSetItem } from '../../../functions/core/token-set.ts';
import type { SetWrite } from './history.ts';
import { applied, InvariantBroken, of, type Invariant } from './invariant.ts';
import type { World } from './world.ts';

/** 1: `generation` never falls, also over deletion and re-creation. */
export const generationNeverFalls: Invariant = (world) => {
  const highest = new Map<string, number>();
  for (const write of applied(world)) {
    const generation = write.after?.generation;
    if (generation === undefined) continue;
    const before = highest.get(write.key) ?? -1;
    const rises = write.op === 'commit' || write.op === 'forget';
    if (generation < before || (rises && generation <= before)) throw new InvariantBroken(1, `${generation} after ${before}`, write);
    highest.set(write.key, generation);
  }
};

/** 2: a commit under g never overwrites a generation above g. */
export const commitsAreFenced: Invariant = (world) => {
  for (const write of applied(world, 'commit')) {
    if (write.before?.generation !== write.generation) throw new InvariantBroken(2, 'a commit overwrote another generation', write);
  }
};

/** 12: who does not hold the lease never records a failure on a token set. */
export const failuresAreFenced: Invariant = (world) => {
  for (const write of applied(world, 'release', 'refuseRefreshToken')) {
    const holds = write.before?.lease?.by === write.attempt && write.before?.generation === write.generation;
    if (!holds) throw new InvariantBroken(12, 'a failure was written without the lease', write);
  }
};

/** 13: doubt is set whenever a call that spends this generation's refresh token may be in flight or lost. */
export const doubtIsKept: Invariant = (world) => {
  // Where nothing rotates, a send spends nothing.
  if (world.traits.rotation.kind === 'none') return;
  for (const event of world.history) {
    if (event.kind === 'call' && event.sent === 'refresh') {
      const refresh = event.stored?.tokenSet.refreshToken?.reveal();
      const isStored =
        refresh !== undefined &&
        world.provider.read(refresh)?.session === event.session &&
        Number(refresh.split('.').at(-1)) === event.serial;
      if (isStored && !event.item?.doubt) throw new InvariantBroken(13, 'the stored refresh token was sent without doubt', event);
    }
    if (event.kind === 'write' && event.applied && event.op === 'release' && event.after?.sealed && !event.after.doubt) {
      const dead = event.stored?.refresh === 'spent' && !event.after.refreshRefused;
      if (dead) throw new InvariantBroken(13, 'doubt was cleared though the refresh token is spent', event);
    }
  }
};

/** 17: a revoked set never comes back by a late commit. */
export const revokedStaysRevoked: Invariant = (world) => {
  const acquiredAt = new Map<string, number>();
  const forgottenAt = new Map<string, number>();
  for (const [index, event] of world.history.entries()) {
    if (event.kind !== 'write' || !event.applied) continue;
    if (event.op === 'acquire') acquiredAt.set(String(event.attempt), index);
    if (event.op === 'forget') forgottenAt.set(event.key, index);
    const since = event.op === 'commit' ? acquiredAt.get(String(event.attempt)) : undefined;
    if (since !== undefined && (forgottenAt.get(event.key) ?? -1) > since) throw new InvariantBroken(17, 'a revoked set came back', event);
  }
};

/** 9: one lease per generation at a time, and no renewal of a set that nobody needed renewed. */
export const noNeedlessRenewal: Invariant = (world) => {
  for (const write of applied(world, 'acquire')) {
    const lease = write.before?.lease;
    const now = write.atMs + write.offsetMs;
    if (lease && lease.untilMs + world.timing.skewMs >= now) throw new InvariantBroken(9, 'a living lease was taken over', write);
    if (!isNeeded(world, write)) throw new InvariantBroken(9, 'renewed without need', write);
  }
};

function isNeeded(world: World, { before, command, atMs, offsetMs }: SetWrite): boolean {
  if (!before?.sealed || !command || command.command === 'revoke' || command.command === 'check') return true;
  const nowMs = atMs + offsetMs;
  const { expiresAtMs = 0, lifeMs = 0, dueAtMs = Infinity } = before;
  const aheadMs = renewAheadMs(world.timing, lifeMs) * (1 + world.timing.jitter);
  // A failure may have moved the due time on after it was judged.
  if (command.command === 'renew_due') return dueAtMs <= nowMs || expiresAtMs - nowMs <= aheadMs;
  if (command.command !== 'renew' || command.rejected !== undefined) return true;
  return expiresAtMs - nowMs <= Math.max(mustRenewMs(world.timing, lifeMs), command.minTtlMs) || isOfAnotherSecret(world, before, atMs);
}

function isOfAnotherSecret(world: World, { secretVersion }: TokenSetItem, atMs: number): boolean {
  return of(world, 'account').some((write) => write.atMs <= atMs && write.item.secretVersion !== secretVersion);
}
