import { doubtOf } from './choose-call.ts';
import { acquireLease } from './lease.ts';
import { revokeAtProvider } from './end-session.ts';
import type { RenewalDeps, Situation } from './renewal-deps.ts';
import type { Limits } from './renew-token-set.ts';
import type { Outcome } from './renewal.ts';
import { openItem, readAccount } from './situation.ts';
import { keyOf, type AccountRef, type TokenParameters } from './token-set.ts';

/**
 * Step 11: takes the lease, revokes at the provider where it can, and forgets the token set always, by a new generation without a
 * seal. A commit that comes late fails its condition; so no revoked state is kept, and the next vend starts anew.
 *
 * @throws store_unavailable, secrets_unavailable, keys_unavailable
 */
export async function revokeTokenSet(
  deps: RenewalDeps,
  { ref, parameters }: { ref: AccountRef; parameters: TokenParameters },
  limits: Limits,
): Promise<Outcome> {
  const { store, clock, timing, restoreEpochMs } = deps;
  const key = keyOf(ref, parameters);
  for (;;) {
    const reading = await readAccount(deps, ref, limits.deadlineMs, false);
    const item = await store.readTokenSet(key);
    // A first log-in under way would otherwise store its token after this has answered.
    if (!item?.sealed && !item?.lease) return 'refusal' in reading ? { outcome: 'refused', refusal: reading.refusal } : { outcome: 'done' };
    if (clock.nowMs() + timing.acquireNeedsMs > limits.deadlineMs) return { outcome: 'wait', retryAtMs: clock.nowMs() + timing.leaseMs };
    const opened = await openItem(deps, key, item);
    const { account } = reading;
    // The tokens of another identity are not sent to this one's host; they are only forgotten.
    const tokenSet = opened && opened.identity === account?.identity ? opened : undefined;
    const lease = await acquireLease(deps, { key, view: { item, opened }, tokenSet, account }, true);
    if (!lease) {
      await clock.sleep(timing.pollMs.at(-1) ?? 0);
      continue;
    }
    const revokedAtProvider =
      !('refusal' in reading) && doubtOf(lease.before, restoreEpochMs).count === 0
        ? await revokeAtProvider(
            deps,
            { ...reading, parameters } satisfies Pick<Situation, 'provider' | 'credentials' | 'parameters'>,
            lease.tokenSet,
            lease.providerDeadlineMs,
          )
        : false;
    if (await forget(deps, lease)) return { outcome: 'done', revokedAtProvider };
  }
}

async function forget(
  { store, clock }: RenewalDeps,
  lease: { key: ReturnType<typeof keyOf>; generation: number; by: string; deadlineMs: number },
) {
  for (;;) {
    try {
      if (await store.forget(lease.key, lease.generation, lease.by)) return true;
      return (await store.readTokenSet(lease.key))?.committedBy === lease.by;
    } catch (error) {
      if (clock.nowMs() >= lease.deadlineMs) throw error;
      await clock.sleep(50);
    }
  }
}
