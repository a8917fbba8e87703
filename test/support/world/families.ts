import fc from 'fast-check';
import type { Fault } from './faults.ts';
import { someCallFaults, someStoreFaults } from './faults.ts';
import type { Behaviour } from './fake-provider.ts';
import { oneSet, severalSets, someDeeds, type Deed, type Scenario } from './scenario.ts';
import * as broken from './broken-steps.ts';
import type { WorldOptions } from './world.ts';

/** A group of runs with something in common, and a deliberately broken step that they must catch. */
export interface Family {
  name: string;
  scenario: fc.Arbitrary<Scenario>;
  control: {
    step: string;
    options: Partial<WorldOptions>;
    scenario?: (scenario: Scenario) => Scenario;
    invariant: number | readonly number[];
  };
}

/** A provider of the strict kind: rotation, reuse ends the session, revocation ends the session, log-in possible. */
export const strict: Behaviour = {
  rotation: { kind: 'strict' },
  lifeSeconds: 600,
  refreshEndsOldToken: false,
  returnsSameToken: false,
  givesRefreshTokens: true,
  reuseEndsSession: true,
  lastSuccessorWins: false,
  revocationEnds: 'session',
};

const crashes = ['crash_before', 'crash_after'] as const;
const losses = ['throttled', 'reply_lost'] as const;
const freezes = ['freeze_before', 'freeze_after'] as const;
const lostAnswers = ['answer_lost', 'reset', 'broken_json', 'failed_after', 'swallowed', 'unsent'] as const;
/** The token has 30 s left: within its must-renew margin. */
const nearTheEnd = 570_000;
const together = [0, 0, 1, 40];
const apart = [0, 1, 500, 17_000, 19_000, 60_000, 580_000];

interface Plan {
  behaviour: Behaviour;
  deeds: readonly Partial<Deed>[];
  waitsMs?: readonly number[];
  actors?: number;
  most?: number;
  faults?: fc.Arbitrary<Fault>;
  mostFaults?: number;
  more?: Partial<Scenario>;
  options?: Partial<Scenario['options']>;
}

function plan(given: Plan): fc.Arbitrary<Scenario> {
  const { behaviour, deeds, waitsMs = apart, actors = 3, most = 2, faults, mostFaults = 3, more, options } = given;
  return fc.record({
    seed: fc.nat(1_000_000),
    faults: faults ? fc.array(faults, { maxLength: mostFaults }) : fc.constant([]),
    program: fc.array(someDeeds(deeds, waitsMs, most), { minLength: 1, maxLength: actors }),
    options: fc.constant({ behaviour, ...options }),
    sets: fc.constant(oneSet),
    beginAfterMs: fc.constant(nearTheEnd),
    ...Object.fromEntries(Object.entries(more ?? {}).map(([name, value]) => [name, fc.constant(value)])),
  }) as fc.Arbitrary<Scenario>;
}

const vend: Partial<Deed> = { what: 'vend' };
const due: Partial<Deed> = { what: 'due' };
const anyFault = fc.oneof(
  someStoreFaults([...crashes, ...losses, ...freezes]),
  someCallFaults([...lostAnswers, ...crashes, ...freezes, 'late', 'slow']),
);

const grace: Behaviour = { ...strict, rotation: { kind: 'grace', ms: 60_000 } };
const keeps: Behaviour = { ...strict, rotation: { kind: 'none' }, reuseEndsSession: false };
const losingOnly = fc.oneof(someStoreFaults([...crashes, ...losses]), someCallFaults([...lostAnswers, ...crashes, 'late']));
const slowHolders = fc.oneof(
  someStoreFaults(freezes),
  someCallFaults([...freezes, 'late', 'slow']),
  someStoreFaults([...crashes, ...losses]),
);

/** Every family. Their names are what `npm run test:soak` prints. */
export const families: readonly Family[] = [
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
    scenario: plan({ behaviour: strict, deeds: [vend, vend, due], faults: anyFault, options: { traits: { loginNeedsPerson: true } } }),
    control: { step: 'a person is never asked', options: { rules: broken.neverAPerson }, invariant: 3 },
  },
  {
    name: 'no rotation',
    scenario: plan({ behaviour: keeps, deeds: [vend, vend, due], faults: fc.oneof(anyFault, someCallFaults(['unsent', 'unavailable'])) }),
    control: { step: 'every renewal logs in', options: { rules: broken.alwaysLogIn }, invariant: 4 },
  },
  {
    name: 'leases that lapse under living holders: fenced commits',
    scenario: plan({ behaviour: strict, deeds: [vend, vend, due], faults: slowHolders, mostFaults: 4 }),
    control: { step: 'commit without generation', options: { breaking: broken.commitWithoutGeneration }, invariant: 2 },
  },
  {
    name: 'leases that lapse under living holders: nothing is lost',
    scenario: plan({
      behaviour: strict,
      deeds: [vend, vend, due],
      faults: fc.oneof(someStoreFaults(freezes), someCallFaults(freezes)),
      mostFaults: 4,
    }),
    control: { step: 'commit only while leased', options: { breaking: broken.commitOnlyWhileLeased }, invariant: 14 },
  },
  {
    name: 'leases that lapse under living holders: fenced failures',
    scenario: plan({
      behaviour: strict,
      deeds: [vend, vend, due],
      faults: fc.oneof(someStoreFaults(freezes), someCallFaults([...freezes, 'scope_refused', 'client_refused', 'unavailable', 'unsent'])),
      mostFaults: 4,
    }),
    control: { step: 'a failure is written without lease and generation', options: { breaking: broken.unfencedFailure }, invariant: 12 },
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
    name: 'two takers and their spares',
    scenario: plan({
      behaviour: grace,
      deeds: [vend],
      waitsMs: [0, 1, 500],
      faults: fc.oneof(someStoreFaults([...freezes, ...losses]), someCallFaults([...freezes, 'slow'])),
      mostFaults: 4,
      // A clock that is ahead takes leases over early, while their holders are well within their deadlines.
      options: { offsetsMs: [0, 25_000] },
    }),
    control: { step: 'a spare is revoked always', options: { rules: broken.revokeEverySpare }, invariant: 5 },
  },
  {
    name: 'revocations and late commits',
    scenario: plan({ behaviour: strict, deeds: [vend, vend, { what: 'revoke' }], waitsMs: together, faults: anyFault }),
    control: { step: 'a revocation does not raise the generation', options: { breaking: broken.revokeFlat }, invariant: 17 },
  },
  {
    name: 'deletion and re-creation',
    scenario: plan({
      behaviour: strict,
      deeds: [vend, vend, { what: 'revoke' }, { what: 'delete' }],
      waitsMs: [0, 1, 500, 19_000],
      faults: anyFault,
      mostFaults: 2,
    }),
    control: { step: 're-creation at generation 0', options: { breaking: broken.recreateAtZero }, invariant: 1 },
  },
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
      ],
      waitsMs: [0, 1, 11_000, 61_000, 590_000],
      faults: fc.oneof(someStoreFaults([...crashes, ...losses]), someCallFaults(['reset', 'slow', ...freezes])),
      mostFaults: 2,
      most: 4,
    }),
    control: { step: 'the identity does not see the user', options: { breakProvider: broken.identityWithoutUser }, invariant: 19 },
  },
  {
    name: 'clocks off by half a minute',
    scenario: plan({ behaviour: strict, deeds: [vend, vend, due], faults: anyFault, options: { offsetsMs: [0, 30_000, -30_000] } }),
    control: { step: 'a lease that nobody respects', options: { breaking: broken.leaseNobodyRespects }, invariant: 9 },
  },
  {
    name: 'clocks off by an hour',
    scenario: plan({
      behaviour: { ...strict, lifeSeconds: 14_400 },
      deeds: [vend, vend, due],
      faults: anyFault,
      options: { offsetsMs: [0, 3_600_000, -3_600_000] },
      more: { beginAfterMs: 14_300_000 },
    }),
    control: { step: 'a doubtful refresh token is sent again', options: { rules: broken.replayInDoubt }, invariant: 3 },
  },
  {
    name: 'reported tokens and stale reads',
    scenario: plan({
      behaviour: strict,
      deeds: [vend, { what: 'vend', report: 'current' }, { what: 'vend', report: 'older' }],
      waitsMs: [0, 1, 500, 31_000],
      faults: fc.oneof(someStoreFaults(['stale'], ['peek']), someStoreFaults(['stale', ...losses]), someCallFaults(['reset', 'slow'])),
      more: { beginAfterMs: 60_000 },
    }),
    control: { step: 'strong reads are eventual', options: { breaking: broken.neverStrong }, invariant: 8 },
  },
  {
    name: 'min_ttl',
    scenario: plan({
      behaviour: strict,
      deeds: [vend, { what: 'vend', minTtlSeconds: 200 }, { what: 'vend', minTtlSeconds: 359 }, { what: 'vend', minTtlSeconds: 361 }],
      waitsMs: [0, 1, 40_000, 200_000],
      faults: fc.oneof(someStoreFaults(['stale'], ['peek']), someStoreFaults(['freeze_before'], ['acquire']), anyFault),
      most: 4,
      more: { beginAfterMs: 250_000 },
    }),
    control: { step: 'whatever generation stands there is acquired', options: { breaking: broken.acquireUnjudged }, invariant: 9 },
  },
  {
    name: 'the schedule, its duplicates and its missed ticks',
    scenario: plan({
      behaviour: { ...strict, refreshLifeSeconds: 7_200 },
      deeds: [due, due, due, vend],
      waitsMs: [0, 0, 1, 500, 60_000],
      faults: fc.oneof(anyFault, someStoreFaults(losses, ['moveDue', 'acquire'])),
      mostFaults: 2,
      more: { beginAfterMs: 420_000 },
    }),
    control: { step: 'whatever generation stands there is acquired', options: { breaking: broken.acquireUnjudged }, invariant: 9 },
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
