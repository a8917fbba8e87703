import * as fc from 'fast-check';
import * as broken from '../broken-steps.ts';
import { someCallFaults, someStoreFaults } from '../faults.ts';
import { severalSets } from '../scenario.ts';
import { anyFault, crashes, due, freezes, losingOnly, losses, plan, strict, together, vend, type Family } from '../family.ts';

/** Accounts as a whole: parameter sets, log-ins, back-off, secrets. */
export const accounts: readonly Family[] = [
  {
    name: 'several parameter sets and accounts',
    scenario: plan({
      behaviour: strict,
      deeds: [vend, vend, due, { what: 'revoke' }],
      waitsMs: together,
      faults: anyFault,
      mostFaults: 2,
      more: { sets: severalSets },
    }),
    control: { step: 'a key without one parameter', options: {}, scenario: broken.hideParameter, invariant: 18 },
  },
  {
    name: 'a wrong password on several token sets',
    scenario: plan({
      behaviour: { ...strict, lock: { after: 3, ms: 900_000 } },
      deeds: [vend, vend, { what: 'check' }],
      waitsMs: [0, 1, 17_000, 60_000, 900_000, 3_600_000, 21_600_000],
      faults: losingOnly,
      most: 3,
      more: { sets: severalSets.slice(0, 3), fresh: true, wrongPassword: true, beginAfterMs: 0 },
    }),
    control: { step: 'log-ins are counted on the token set', options: { breaking: broken.budgetOnTheSet }, invariant: 10 },
  },
  {
    name: 'probes after refusal',
    scenario: plan({
      behaviour: strict,
      deeds: [vend, vend, { what: 'break_password' }, { what: 'break_secret' }, { what: 'mend_secret' }],
      waitsMs: [0, 1_000, 70_000, 1_800_000, 3_600_000, 21_600_000],
      most: 6,
      more: { fresh: true, wrongPassword: true, beginAfterMs: 0 },
    }),
    control: { step: 'the time of the next probe is never written', options: { breaking: broken.probeAtOnce }, invariant: 11 },
  },
  {
    name: 'back-off and Retry-After',
    scenario: plan({
      behaviour: strict,
      deeds: [vend, due],
      waitsMs: [0, 1, 500, 3_000, 30_000],
      faults: someCallFaults(['unavailable', 'rate_limited', 'unsent', 'reset', 'swallowed', 'unknown_code']),
      mostFaults: 5,
      most: 4,
    }),
    control: { step: 'back-off never reaches the account item', options: { breaking: broken.dropBackOff }, invariant: 16 },
  },
  {
    name: 'secrets that change',
    runs: 1_000,
    scenario: plan({
      behaviour: strict,
      deeds: [
        vend,
        vend,
        due,
        { what: 'rotate_secret' },
        { what: 'change_user' },
        { what: 'change_host' },
        { what: 'delete_secret' },
        { what: 'mend_secret' },
        { what: 'tell_secret_changed' },
        { what: 'tell_secret_changed' },
      ],
      waitsMs: [0, 1, 11_000, 12_000, 61_000, 590_000],
      faults: fc.oneof(someStoreFaults([...crashes, ...losses]), someCallFaults(['reset', 'slow', ...freezes])),
      mostFaults: 2,
      most: 4,
      more: { beginAfterMs: 300_000 },
    }),
    control: { step: 'the identity does not see the user', options: { breakProvider: broken.identityWithoutUser }, invariant: 19 },
  },
  {
    name: 'a provider that caps its sessions',
    scenario: plan({
      behaviour: { ...strict, mostSessions: 2 },
      deeds: [vend, vend, due, { what: 'rotate_secret' }, { what: 'tell_secret_changed' }, { what: 'break_secret' }],
      waitsMs: [0, 1, 19_000, 61_000, 540_000],
      faults: anyFault,
      mostFaults: 2,
      most: 4,
      options: { traits: { sessionCap: true } },
    }),
    control: { step: 'a doubtful refresh token is sent again', options: { rules: broken.replayInDoubt }, invariant: 3 },
  },
  {
    name: 'a provider that caps its sessions: what was ended is not vended',
    scenario: plan({
      behaviour: { ...strict, mostSessions: 2 },
      deeds: [vend, vend, due, due, { what: 'rotate_secret' }, { what: 'break_secret' }, { what: 'revoke' }],
      waitsMs: [0, 1, 500, 11_000, 19_000, 61_000],
      faults: anyFault,
      mostFaults: 2,
      most: 4,
      options: { traits: { sessionCap: true } },
      // Past its due time, with three minutes of its life left: vends are answered with what is stored.
      more: { beginAfterMs: 420_000 },
    }),
    control: { step: 'an ended session is not forgotten', options: { breaking: broken.keepEnded }, invariant: 24 },
  },
];
