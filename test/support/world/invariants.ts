import {
  commitsAreFenced,
  doubtIsKept,
  failuresAreFenced,
  generationNeverFalls,
  noNeedlessRenewal,
  revokedStaysRevoked,
} from './fence-invariants.ts';
import type { Invariant } from './invariant.ts';
import { loginBudgetHolds, refusalIsRespected, unprovenIsCareful } from './login-invariants.ts';
import { backOffIsObeyed, consentIsTrue, noNeedlessLogin, noReplay, nothingIsLost, storedIsAlive } from './token-invariants.ts';
import { identityHolds, noSharedToken, nothingExpired, oneGeneration, reportedStaysAway } from './vend-invariants.ts';

/** Every invariant that can be seen in a history, cheapest first. 15 is the recovery at each run's end; 20 to 22 are plain tests. */
export const invariants: readonly Invariant[] = [
  generationNeverFalls,
  commitsAreFenced,
  noReplay,
  noNeedlessLogin,
  storedIsAlive,
  nothingExpired,
  oneGeneration,
  reportedStaysAway,
  noNeedlessRenewal,
  loginBudgetHolds,
  unprovenIsCareful,
  refusalIsRespected,
  failuresAreFenced,
  doubtIsKept,
  nothingIsLost,
  backOffIsObeyed,
  revokedStaysRevoked,
  noSharedToken,
  identityHolds,
  consentIsTrue,
];
