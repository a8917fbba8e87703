import * as fc from 'fast-check';
import type { Fault } from './faults.ts';
import { someCallFaults, someStoreFaults } from './faults.ts';
import { strictRotation, type Behaviour } from './fake-provider.ts';
import { oneSet, someDeeds, type Deed, type Scenario } from './scenario.ts';
import type { WorldOptions } from './world-options.ts';

/** A group of runs with something in common, and a deliberately broken step that they must catch. */
export interface Family {
  name: string;
  /** more runs in `npm test` than the others, where what the broken step needs is rare */
  runs?: number;
  scenario: fc.Arbitrary<Scenario>;
  control: {
    step: string;
    options: Partial<WorldOptions>;
    scenario?: (scenario: Scenario) => Scenario;
    invariant: number;
  };
}

/** A provider of the strict kind: rotation, reuse ends the session, revocation ends the session, log-in possible. */
export const strict: Behaviour = { ...strictRotation, lifeSeconds: 600 };

export const crashes = ['crash_before', 'crash_after'] as const;
export const losses = ['throttled', 'reply_lost'] as const;
export const freezes = ['freeze_before', 'freeze_after'] as const;
export const lostAnswers = ['answer_lost', 'reset', 'broken_json', 'failed_after', 'swallowed', 'unsent'] as const;
/** The token has 30 s left: within its must-renew margin. */
const nearTheEnd = 570_000;
export const together = [0, 0, 1, 40];
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

/** @returns scenarios of a few actors whose deeds and faults are drawn from these */
export function plan(given: Plan): fc.Arbitrary<Scenario> {
  const { behaviour, deeds, waitsMs = apart, actors = 3, most = 2, faults, mostFaults = 3, more, options } = given;
  const drawn = fc.record({
    seed: fc.nat(1_000_000),
    faults: faults ? fc.array(faults, { maxLength: mostFaults }) : fc.constant([]),
    program: fc.array(someDeeds(deeds, waitsMs, most), { minLength: 1, maxLength: actors }),
  });
  const fixed = { options: { behaviour, ...options }, sets: oneSet, beginAfterMs: nearTheEnd, ...more };
  return drawn.map((scenario) => Object.assign(scenario, fixed));
}

export const vend: Partial<Deed> = { what: 'vend' };
export const due: Partial<Deed> = { what: 'due' };
export const anyFault = fc.oneof(
  someStoreFaults([...crashes, ...losses, ...freezes]),
  someCallFaults([...lostAnswers, ...crashes, ...freezes, 'late', 'slow']),
);

export const grace: Behaviour = { ...strict, rotation: { kind: 'grace', ms: 60_000 } };
export const keeps: Behaviour = { ...strict, rotation: { kind: 'none' }, reuseEndsSession: false };
export const losingOnly = fc.oneof(someStoreFaults([...crashes, ...losses]), someCallFaults([...lostAnswers, ...crashes, 'late']));
export const slowHolders = fc.oneof(
  someStoreFaults(freezes),
  someCallFaults([...freezes, 'late', 'slow']),
  someStoreFaults([...crashes, ...losses]),
);
