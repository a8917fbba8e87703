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
import {
  backOffIsObeyed,
  consentIsTrue,
  endedIsNotVended,
  noNeedlessLogin,
  noReplay,
  nothingIsLost,
  storedIsAlive,
} from './token-invariants.ts';
import { identityHolds, noSharedToken, nothingExpired, oneGeneration, reportedStaysAway } from './vend-invariants.ts';

/**
 * Every invariant that can be seen in a history, by its number in the document. 14 is checked before the recovery at a run's end,
 * which is 15; 20 to 22 are plain tests.
 */
export const invariants: readonly { number: number; check: Invariant }[] = [
  { number: 1, check: generationNeverFalls },
  { number: 2, check: commitsAreFenced },
  { number: 3, check: noReplay },
  { number: 4, check: noNeedlessLogin },
  { number: 5, check: storedIsAlive },
  { number: 6, check: nothingExpired },
  { number: 7, check: oneGeneration },
  { number: 8, check: reportedStaysAway },
  { number: 9, check: noNeedlessRenewal },
  { number: 10, check: loginBudgetHolds },
  { number: 10, check: unprovenIsCareful },
  { number: 11, check: refusalIsRespected },
  { number: 12, check: failuresAreFenced },
  { number: 13, check: doubtIsKept },
  { number: 14, check: nothingIsLost },
  { number: 16, check: backOffIsObeyed },
  { number: 17, check: revokedStaysRevoked },
  { number: 18, check: noSharedToken },
  { number: 19, check: identityHolds },
  { number: 23, check: consentIsTrue },
  { number: 24, check: endedIsNotVended },
];
