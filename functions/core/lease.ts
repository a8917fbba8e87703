import { isVoid } from './judge.ts';
import type { ReleaseRequest } from './ports.ts';
import type { RenewalDeps, Situation } from './renewal-deps.ts';
import type { TokenSetItem, TokenSet, TokenSetKey } from './token-set.ts';

/** A held lease, and what stood there when it was taken. */
export interface Lease {
  key: TokenSetKey;
  /** the attempt id */
  by: string;
  /** the generation acquired under: every later write asks for it */
  generation: number;
  /** the values before the acquire; undefined: there was no item */
  before: TokenSetItem | undefined;
  /** the stored set of the account's identity, still under this generation */
  tokenSet: TokenSet | undefined;
  /** this very renewal has ended the stored set's session: unless it commits another, its tokens must go */
  sessionEnded?: boolean | undefined;
  acquiredAtMs: number;
  /** nothing is sent to the provider past it */
  providerDeadlineMs: number;
  /** no write is tried again past it */
  deadlineMs: number;
}

/**
 * Step 3: takes the lease of a judged token set and notes that its refresh token may be spent.
 *
 * @param revoking a revocation is not held up by a failure's `not_before`
 * @returns undefined: somebody else was first; judge again
 * @throws store_unavailable
 */
export async function acquireLease(deps: RenewalDeps, situation: LeaseCase, revoking = false): Promise<Lease | undefined> {
  const { store, clock, random, timing } = deps;
  const { key, view } = situation;
  const acquiredAtMs = clock.nowMs();
  const by = random.attemptId();
  const request = {
    judged: view.item?.generation,
    attempt: by,
    nowMs: acquiredAtMs,
    leaseUntilMs: acquiredAtMs + timing.leaseMs,
    skewMs: timing.skewMs,
    respectNotBefore: !revoking && !(view.item?.failure && isVoid(view.item.failure, situation.account)),
  };
  const taken = await store.acquire(key, request).catch(() => undefined);
  // Refused, or its reply was lost: if the lease is mine, my first try went through.
  const held = taken ?? (await recognise(deps, key, by));
  if (!held) return undefined;
  const { before, generation } = held;
  return {
    key,
    by,
    generation,
    before,
    tokenSet: before && before.generation === view.item?.generation ? situation.tokenSet : undefined,
    acquiredAtMs,
    providerDeadlineMs: acquiredAtMs + timing.providerBudgetMs,
    deadlineMs: acquiredAtMs + timing.renewalDeadlineMs,
  };
}

/** What an acquire needs of a situation. */
export type LeaseCase = Pick<Situation, 'key' | 'view' | 'tokenSet'> & { account?: Situation['account'] | undefined };

async function recognise({ store }: RenewalDeps, key: TokenSetKey, by: string) {
  const item = await store.readTokenSet(key);
  if (item?.lease?.by !== by) return undefined;
  const { lease: _mine, doubt, ...rest } = item;
  const count = (doubt?.count ?? 1) - 1;
  const before = { ...rest, doubt: doubt && count > 0 ? { sinceMs: doubt.sinceMs, count } : undefined };
  return { before: item.sealed || item.committedBy ? before : undefined, generation: item.generation };
}

/** How an attempt ended that commits nothing. */
export interface Ending {
  /** whether the call may have spent the refresh token */
  spent: 'no' | 'unknown';
  failure?: ReleaseRequest['failure'];
  /** when the schedule should try again; `person`: not before somebody acts; undefined: as it stands */
  dueAtMs?: number | 'person' | undefined;
}

/**
 * Step 8: gives the lease back. A doubt that the call removed goes back to its old value; one that it may have raised stays.
 * A lease that cannot be given back lapses by itself.
 */
export async function releaseLease({ store, telemetry }: RenewalDeps, lease: Lease, { spent, failure, dueAtMs }: Ending): Promise<void> {
  const indexed = lease.before?.dueAtMs !== undefined;
  const due = !indexed || dueAtMs === undefined ? 'keep' : dueAtMs === 'person' ? 'remove' : { atMs: Math.round(dueAtMs) };
  const doubt = spent === 'unknown' ? 'keep' : lease.before?.doubt;
  try {
    await store.release(lease.key, lease.generation, lease.by, { doubt, failure, due, forget: lease.sessionEnded });
  } catch (error) {
    telemetry.log('warn', 'A lease could not be given back and lapses by itself', { account: lease.key.partition }, error);
  }
}
