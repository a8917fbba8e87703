import type { Lease } from './lease.ts';
import { doubtOf, type Call } from './choose-call.ts';
import type { Traits } from './provider.ts';
import type { RenewalDeps, Situation, SpareFacts } from './renewal-deps.ts';
import type { TokenSet, TokenSetItem } from './token-set.ts';

/** Ends a session where the provider can. Best effort: what it cannot end lapses. */
export async function revokeAtProvider(
  deps: RenewalDeps,
  { provider, credentials, parameters }: Pick<Situation, 'provider' | 'credentials' | 'parameters'>,
  previous: TokenSet | undefined,
  deadlineMs: number,
): Promise<boolean> {
  if (!previous || !provider.revoke) return false;
  const result = await deps.callProvider(provider, 'revoke', { credentials, parameters, previous, deadlineMs });
  return result.kind === 'ok';
}

/** A server that repeats its token has given the same one to others: to end mine would end theirs. */
function endsOnlyItself({ revocationEnds, returnsSameToken }: Traits): boolean {
  return !returnsSameToken && (revocationEnds === 'token' || revocationEnds === 'session');
}

/** @returns whether the session before a log-in may be ended */
export function endsSafely({ restoreEpochMs }: RenewalDeps, { provider, traits }: Situation, { tokenSet, before }: Lease): boolean {
  if (provider.revoke === undefined || !endsOnlyItself(traits) || tokenSet === undefined) return false;
  // A doubtful refresh token is never sent anywhere: a strict provider would take it for a replay.
  return doubtOf(before, restoreEpochMs).count === 0 && !before?.refreshRefused;
}

/** Step 7: what to do with a token set that came too late. Anything not known to be harmless is left to lapse. */
export function spareIsMine(
  { rules }: RenewalDeps,
  { provider, traits }: Situation,
  lease: Lease,
  call: Call,
  stored: TokenSetItem | undefined,
) {
  if (!provider.revoke) return false;
  if (!stored?.sealed) return endsOnlyItself(traits);
  return rules.mayRevokeSpare({ call, acquiredGeneration: lease.generation, storedGeneration: stored.generation, traits });
}

/** The default of {@link Rules.mayRevokeSpare}: only the session of my own log-in, and only right after the generation acquired. */
export function mayRevokeSpare({ call, acquiredGeneration, storedGeneration, traits }: SpareFacts): boolean {
  return call === 'login' && endsOnlyItself(traits) && storedGeneration === acquiredGeneration + 1;
}
