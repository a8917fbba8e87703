import type { AccountItem } from './account.ts';
import type { RenewalDeps } from './renewal-deps.ts';
import type { Limits } from './renew-token-set.ts';
import type { Outcome } from './renewal.ts';
import { openItem, readAccount } from './situation.ts';
import { renewAheadMs } from './timing.ts';
import type { AccountRef, TokenSetItem, TokenSetKey } from './token-set.ts';
import { dueOf } from './warmth.ts';

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
  await bringForward(deps, reading.account);
  return { outcome: 'done' };
}

/**
 * What is past its renewal and was put off, because the account was refused, is due now. Where the account is always kept, what had
 * left the index for want of a person comes back. Everything else keeps its time.
 */
export async function bringForward(deps: RenewalDeps, { ref, keep }: AccountItem): Promise<void> {
  for await (const page of deps.store.listTokenSets(ref)) {
    for (const { key, item } of page) {
      if (item.dueAtMs !== undefined) await putForward(deps, key, item, item.dueAtMs);
      else if (keep) await putBack(deps, key, item);
    }
  }
}

async function putForward({ store, clock, timing }: RenewalDeps, key: TokenSetKey, item: TokenSetItem, dueAtMs: number): Promise<void> {
  const nowMs = clock.nowMs();
  const { expiresAtMs = 0, lifeMs = 0, generation } = item;
  const putOff = dueAtMs > nowMs && nowMs >= expiresAtMs - renewAheadMs(timing, lifeMs);
  if (putOff) await store.moveDue(key, generation, dueAtMs, nowMs);
}

async function putBack(deps: RenewalDeps, key: TokenSetKey, item: TokenSetItem): Promise<void> {
  const { store, clock, timing, dueShards, random } = deps;
  const opened = await openItem(deps, key, item);
  const due = opened && dueOf(timing, key, opened, dueShards, random.fraction());
  if (!due) return;
  const nowMs = clock.nowMs();
  const warm = { warmUntilMs: item.warmUntilMs ?? nowMs, due: { ...due, atMs: Math.max(due.atMs, nowMs) } };
  await store.markWarm(key, opened.expiresAtMs, warm);
}
