import * as fc from 'fast-check';
import * as broken from '../broken-steps.ts';
import { someCallFaults, someStoreFaults } from '../faults.ts';
import { anyFault, due, losses, plan, strict, vend, type Family } from '../family.ts';

/** What callers and the schedule ask for. */
export const requests: readonly Family[] = [
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
      deeds: [
        { what: 'vend', minTtlSeconds: 359 },
        { what: 'vend', minTtlSeconds: 359 },
        { what: 'vend', minTtlSeconds: 200 },
        { what: 'vend', minTtlSeconds: 361 },
      ],
      waitsMs: [0, 1, 40_000],
      faults: fc.oneof(someStoreFaults(['stale'], ['peek']), someStoreFaults(['freeze_before'], ['acquire']), anyFault),
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
];
