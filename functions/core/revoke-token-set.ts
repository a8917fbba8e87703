import { doubtOf } from './choose-call.ts';
import { acquireLease, type Lease } from './lease.ts';
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
    if (!item?.sealed && !item?.lease) {
      // A secret that breaks a rule keeps nobody from having nothing to revoke.
      const isThere = !('refusal' in reading) || reading.refusal.reason === 'misconfigured';
      return isThere ? { outcome: 'done' } : { outcome: 'refused', refusal: reading.refusal };
    }
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
    if (await forget(deps, lease, revokedAtProvider)) return { outcome: 'done', revokedAtProvider };
  }
}

async function forget({ store, clock }: RenewalDeps, lease: Lease, revokedAtProvider: boolean): Promise<boolean> {
  const startedMs = clock.nowMs();
  let isLost = false;
  for (;;) {
    try {
      if (await store.forget(lease.key, lease.generation, lease.by)) return true;
      const stored = await store.readTokenSet(lease.key);
      if (stored?.committedBy === lease.by) return true;
      // My write, whose reply was lost, and somebody's log-in since: theirs is not what was to be revoked.
      const isNew = stored !== undefined && stored.generation > lease.generation + 1 && (stored.obtainedAtMs ?? 0) >= startedMs;
      return isLost && revokedAtProvider && isNew;
    } catch (error) {
      if (clock.nowMs() >= lease.deadlineMs) throw error;
      isLost = true;
      await clock.sleep(50);
    }
  }
}
