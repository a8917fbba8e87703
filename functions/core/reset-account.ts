import { underWay, updateAccount, withReset } from './account-item.ts';
import type { AccountItem } from './account.ts';
import type { RenewalDeps } from './renewal-deps.ts';
import { bringForward } from './take-in-secret.ts';
import type { Limits } from './renew-token-set.ts';
import type { Outcome } from './renewal.ts';
import type { Timing } from './timing.ts';
import { keyOf, partitionOf, type AccountRef, type TokenParameters } from './token-set.ts';

/**
 * An operator's reset: clears back-off, refusals and failures, so that the next request is tried at once. Spends nothing.
 *
 * @param parameters one token set; undefined: every token set of the account
 * @throws store_unavailable
 */
export async function resetAccount(
  deps: RenewalDeps,
  ref: AccountRef,
  parameters: TokenParameters | undefined,
  limits: Limits,
): Promise<Outcome> {
  const { store, clock, timing } = deps;
  // The write happens once: after it, or after it was lost and found, there is nothing left to clear.
  const account = await updateAccount(deps, ref, limits.deadlineMs, (present) =>
    !present || isClear(present, clock.nowMs(), timing) ? undefined : withReset(present, clock.nowMs(), timing),
  );
  if (!account) return { outcome: 'refused', refusal: { reason: 'no_account' } };
  const wanted = parameters && keyOf(ref, parameters).sort;
  for await (const page of store.listTokenSets(ref)) {
    for (const { key, item } of page) {
      if (item.failure && (wanted === undefined || wanted === key.sort)) await store.clearFailure(key, item.generation);
    }
  }
  await bringForward(deps, account);
  deps.telemetry.audit({ event: 'reset', outcome: 'success', account: partitionOf(ref), set: wanted });
  return { outcome: 'done' };
}

function isClear(account: AccountItem, nowMs: number, timing: Timing): boolean {
  const { refused, unanswered, nextLoginAtMs, notBeforeMs = 0, outages, clientRefused, failure } = account;
  const lapsing = Object.keys(unanswered).length - Object.keys(underWay(account, nowMs, timing)).length;
  const quiet = refused === 0 && lapsing === 0 && nextLoginAtMs === undefined;
  return quiet && notBeforeMs <= nowMs && outages === 0 && !clientRefused && failure === undefined;
}
