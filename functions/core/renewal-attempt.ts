import type { CallResult } from './call-provider.ts';
import { callFactsOf, type Call } from './choose-call.ts';
import { commitTokenSet, type Occasion } from './commit-token-set.ts';
import { endsSafely, revokeAtProvider, spareIsMine } from './end-session.ts';
import { unsent } from './failures.ts';
import { giveUp, needsConsent, noteSuccess, type AttemptResult } from './give-up.ts';
import { acquireLease, releaseLease, type Lease } from './lease.ts';
import { answerSlot, takeSlot, type Slot } from './log-in.ts';
import type { RenewalDeps, Situation } from './renewal-deps.ts';

/**
 * Steps 3 to 9: acquire, call, commit or release. The caller has judged *renew* and did everything that can fail without a lease.
 *
 * @throws store_unavailable, keys_unavailable
 */
export async function attemptRenewal(deps: RenewalDeps, situation: Situation, occasion: Occasion): Promise<AttemptResult> {
  const lease = await acquireLease(deps, situation);
  if (!lease) return { kind: 'again' };
  const call = callOf(deps, situation, lease);
  if (call === 'needs_consent') return needsConsent(deps, situation, lease);
  if (call === 'login') return logIn(deps, situation, lease, occasion);

  const result = await refresh(deps, situation, lease);
  if (result.kind === 'ok') {
    const done = await commit(deps, situation, lease, { call, result, occasion });
    await noteSuccess(deps, situation, lease);
    return done;
  }
  if (result.failure !== 'refresh_refused') return giveUp(deps, situation, lease, 'refresh', result);
  // Step 9: refused because somebody else renewed meanwhile? Then this write is refused too, and theirs is judged.
  if (!(await deps.store.refuseRefreshToken(lease.key, lease.generation, lease.by))) return { kind: 'again' };
  return situation.traits.loginNeedsPerson
    ? needsConsent(deps, situation, lease, result.providerError)
    : logIn(deps, situation, { ...lease, tokenSet: undefined }, occasion);
}

function callOf({ rules, clock, timing, restoreEpochMs }: RenewalDeps, situation: Situation, lease: Lease): Call {
  const { before: item, tokenSet } = lease;
  const { account, traits } = situation;
  const nowMs = clock.nowMs();
  return rules.chooseCall(callFactsOf({ item, tokenSet, secretVersion: account.secretVersion, nowMs, traits, timing, restoreEpochMs }));
}

async function refresh(deps: RenewalDeps, { provider, credentials, parameters }: Situation, lease: Lease): Promise<CallResult> {
  const { tokenSet: previous, providerDeadlineMs: deadlineMs } = lease;
  if (!previous) return unsent('refresh_refused', 'nothing_to_send');
  return deps.callProvider(provider, 'refresh', { credentials, parameters, previous, deadlineMs });
}

/** Step 5: the slot is taken last, right before the first request that carries a credential. */
async function logIn(deps: RenewalDeps, situation: Situation, lease: Lease, occasion: Occasion): Promise<AttemptResult> {
  const { provider, credentials, parameters, traits } = situation;
  const endOldSession = async (deadlineMs: number): Promise<boolean> =>
    endsSafely(deps, situation, lease) && revokeAtProvider(deps, situation, lease.tokenSet, deadlineMs);
  let held = lease;
  let slot: Slot = { kind: 'again' };
  const beforeSend = async (): Promise<boolean> => {
    if (!(await isSecretOfToday(deps, situation))) return false;
    slot = await takeSlot(deps, situation, lease);
    // A provider that caps its sessions would refuse the log-in, or end a session of its own choice. Not before the slot is
    // taken: where no log-in may be sent, the old session is all that there is. And not for long: a log-out that gets no answer must
    // not take the log-in's time.
    if (slot.kind === 'taken' && traits.sessionCap) {
      const logoutDeadlineMs = Math.min(lease.providerDeadlineMs, deps.clock.nowMs() + deps.timing.logoutMs);
      held = { ...lease, sessionEnded: await endOldSession(logoutDeadlineMs) };
    }
    return slot.kind === 'taken';
  };
  const input = { credentials, parameters, deadlineMs: lease.providerDeadlineMs, beforeSend };
  const result = await deps.callProvider(provider, 'login', input).catch(async (error: unknown) => {
    // Only what comes before the sending throws, so the refresh token was not spent and nobody has to wait for the lease to lapse.
    await releaseLease(deps, held, { spent: 'no' });
    throw error;
  });
  const took = slot as Slot;
  if (result.kind === 'failed' && result.code === 'withheld' && took.kind !== 'taken') {
    await releaseLease(deps, lease, { spent: 'no' });
    return took;
  }
  const account = await answerSlot(deps, situation, lease, took.kind === 'taken' ? took.saw : undefined, result);
  if (result.kind === 'failed') return giveUp(deps, { ...situation, account: account ?? situation.account }, held, 'login', result);
  const committed = await commit(deps, situation, lease, { call: 'login', result, occasion });
  // After a log-in under a new secret, the session before it is of no use to anybody. After any other log-in its token still lives
  // in callers' hands.
  const newSecret = lease.before?.secretVersion !== situation.account.secretVersion;
  if (committed.kind === 'committed' && newSecret && !traits.sessionCap) await endOldSession(lease.providerDeadlineMs);
  return committed;
}

/**
 * A refresh that is refused is often the first sign of a changed password: what was read from memory is read past it before it is
 * sent, because a log-in with the old one counts towards a lock.
 */
async function isSecretOfToday({ secrets }: RenewalDeps, { ref, account, secretIsFresh }: Situation): Promise<boolean> {
  return secretIsFresh || (await secrets.read(ref, true))?.version === account.secretVersion;
}

async function commit(
  deps: RenewalDeps,
  situation: Situation,
  lease: Lease,
  { call, result, occasion }: { call: Call; result: Extract<CallResult, { kind: 'ok' }>; occasion: Occasion },
): Promise<AttemptResult> {
  const done = await commitTokenSet(deps, situation, lease, { call, tokens: result.tokens, occasion });
  const { partition: account, sort: set } = lease.key;
  const { generation } = lease;
  if (done.kind === 'committed') {
    const { obtainedAtMs } = done.tokenSet;
    const durationMs = deps.clock.nowMs() - obtainedAtMs;
    deps.telemetry.audit({
      event: 'renew',
      outcome: 'success',
      account,
      set,
      generation: generation + 1,
      durationMs,
      detail: { call, occasion },
    });
    deps.telemetry.metric('Renewals', 1, 'Count', situation.ref.provider);
    return done;
  }
  deps.telemetry.audit({ event: 'renew', outcome: 'failure', account, set, generation, code: 'commit_lost', detail: { call, occasion } });
  if (spareIsMine(deps, situation, lease, call, done.stored)) {
    // Who lost its lease is past that lease's deadlines. A spare is nobody's refresh token, so sending it late replays nothing.
    const { renewalDeadlineMs, providerBudgetMs } = deps.timing;
    await revokeAtProvider(deps, situation, done.tokenSet, deps.clock.nowMs() + renewalDeadlineMs - providerBudgetMs);
  }
  return { kind: 'again' };
}
