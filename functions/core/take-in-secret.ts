import type { RenewalDeps } from './renewal-deps.ts';
import type { Limits } from './renew-token-set.ts';
import type { Outcome } from './renewal.ts';
import { readAccount } from './situation.ts';
import { renewAheadMs } from './timing.ts';
import type { AccountRef } from './token-set.ts';

/**
 * Secrets Manager says that a secret has a new version, or is gone: runs step 2 for the account, so that refusals under the old
 * version no longer count and what they held up is tried at once.
 *
 * @throws store_unavailable, secrets_unavailable
 */
export async function takeInSecret(deps: RenewalDeps, ref: AccountRef, limits: Limits): Promise<Outcome> {
  const before = await deps.store.readAccount(ref);
  const reading = await readAccount(deps, ref, limits.deadlineMs, true);
  const account = reading.account;
  const detail = { changed: before?.secretVersion !== account?.secretVersion };
  const outcome = 'refusal' in reading ? 'refusal' : 'success';
  deps.telemetry.audit({ event: 'secret_changed', outcome, account: `${ref.provider}/${ref.account}`, detail });
  if ('refusal' in reading) return { outcome: 'refused', refusal: reading.refusal };
  await bringForward(deps, ref);
  return { outcome: 'done' };
}

/** What is past its renewal and was put off, because the account was refused, is due now. Everything else keeps its time. */
export async function bringForward({ store, clock, timing }: RenewalDeps, ref: AccountRef): Promise<void> {
  for await (const page of store.listTokenSets(ref)) {
    for (const { key, item } of page) {
      const nowMs = clock.nowMs();
      const { dueAtMs, expiresAtMs = 0, lifeMs = 0, generation } = item;
      const putOff = dueAtMs !== undefined && dueAtMs > nowMs && nowMs >= expiresAtMs - renewAheadMs(timing, lifeMs);
      if (putOff) await store.moveDue(key, generation, dueAtMs, nowMs);
    }
  }
}
