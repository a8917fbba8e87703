import * as fc from 'fast-check';
import * as broken from '../broken-steps.ts';
import { someCallFaults } from '../faults.ts';
import { anyFault, due, grace, keeps, losingOnly, lostAnswers, plan, strict, vend, type Family } from '../family.ts';

/** How providers rotate, and what they answer. */
export const rotation: readonly Family[] = [
  {
    name: 'strict rotation under crashes and lost answers',
    scenario: plan({ behaviour: strict, deeds: [vend, vend, due], faults: losingOnly }),
    control: { step: 'a doubtful refresh token is sent again', options: { rules: broken.replayInDoubt }, invariant: 3 },
  },
  {
    name: 'rotation with grace',
    scenario: plan({ behaviour: grace, deeds: [vend, vend, due], faults: anyFault }),
    control: { step: 'grace never ends', options: { rules: broken.endlessGrace }, invariant: 3 },
  },
  {
    name: 'log-in needs a person',
    scenario: plan({
      behaviour: strict,
      deeds: [vend, vend, due],
      waitsMs: [0, 3_000, 19_000],
      most: 3,
      faults: fc.oneof(anyFault, someCallFaults(lostAnswers)),
      mostFaults: 5,
      options: { traits: { loginNeedsPerson: true } },
    }),
    control: { step: 'a person is never asked', options: { rules: broken.neverAPerson }, invariant: 3 },
  },
  {
    name: 'log-in needs a person, no rotation',
    scenario: plan({
      behaviour: keeps,
      deeds: [vend, vend, due],
      faults: fc.oneof(anyFault, someCallFaults([...lostAnswers, 'unavailable'])),
      mostFaults: 5,
      options: { traits: { loginNeedsPerson: true } },
    }),
    control: { step: 'a doubtful token is never sent again', options: { rules: broken.alwaysAPerson }, invariant: 15 },
  },
  {
    name: 'no rotation',
    scenario: plan({ behaviour: keeps, deeds: [vend, vend, due], faults: fc.oneof(anyFault, someCallFaults(['unsent', 'unavailable'])) }),
    control: { step: 'every renewal logs in', options: { rules: broken.alwaysLogIn }, invariant: 4 },
  },
  {
    name: 'unknown outcomes keep their doubt',
    scenario: plan({
      behaviour: strict,
      deeds: [vend, due],
      faults: someCallFaults([...lostAnswers, 'unavailable', 'late']),
      mostFaults: 4,
    }),
    control: { step: 'doubt is cleared on every release', options: { breaking: broken.forgetDoubt }, invariant: 13 },
  },
  {
    name: 'odd answers',
    scenario: plan({
      behaviour: strict,
      deeds: [vend, vend, due],
      faults: someCallFaults([
        'broken_json',
        'no_lifetime',
        'no_refresh_token',
        'unknown_code',
        'session_ended',
        'scope_refused',
        'client_refused',
        'failed_after',
      ]),
      mostFaults: 4,
    }),
    control: {
      step: 'a missing lifetime is believed to be a long one',
      options: { breakProvider: broken.trustMissingLifetime },
      invariant: 6,
    },
  },
  {
    name: 'a refresh that ends the old access token',
    scenario: plan({
      behaviour: { ...strict, refreshEndsOldToken: true, lifeSeconds: 900 },
      deeds: [vend, due, due],
      faults: anyFault,
      more: { beginAfterMs: 800_000 },
    }),
    control: { step: 'a doubtful refresh token is sent again', options: { rules: broken.replayInDoubt }, invariant: 3 },
  },
  {
    name: 'a server that repeats its token',
    scenario: plan({
      behaviour: { ...strict, returnsSameToken: true, givesRefreshTokens: false },
      deeds: [vend, due, { what: 'vend', report: 'current' }, { what: 'vend', minTtlSeconds: 300 }],
      waitsMs: [0, 1, 11_000, 61_000],
      faults: anyFault,
      most: 4,
    }),
    control: { step: 'strong reads are eventual', options: { breaking: broken.neverStrong }, invariant: 8 },
  },
];
