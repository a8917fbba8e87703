import * as fc from 'fast-check';
import * as broken from '../broken-steps.ts';
import { someCallFaults, someStoreFaults } from '../faults.ts';
import { anyFault, due, freezes, grace, losses, plan, slowHolders, strict, vend, type Family } from '../family.ts';

/** Leases that lapse, clocks that disagree, sets that are revoked or deleted. */
export const leases: readonly Family[] = [
  {
    name: 'leases that lapse under living holders: fenced commits',
    runs: 1_000,
    scenario: plan({ behaviour: strict, deeds: [vend, vend, due], faults: slowHolders, mostFaults: 4 }),
    control: { step: 'commit without generation', options: { breaking: broken.commitWithoutGeneration }, invariant: 2 },
  },
  {
    name: 'leases that lapse under living holders: nothing is lost',
    runs: 1_000,
    scenario: plan({
      behaviour: strict,
      deeds: [vend, vend, due],
      waitsMs: [0, 500, 19_000],
      // Who takes the lease over cannot reach the provider, so only the late commit can save the token.
      faults: fc.oneof(someStoreFaults(freezes), someCallFaults(freezes), someCallFaults(['unsent'])),
      mostFaults: 5,
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
    scenario: plan({
      behaviour: strict,
      deeds: [vend, vend, { what: 'revoke' }],
      waitsMs: [0, 1, 1_500],
      faults: fc.oneof(anyFault, someCallFaults(['slow', 'freeze_after']), someStoreFaults(['freeze_before'], ['commit'])),
      // A revocation by a clock that is ahead takes the lease of a holder that is about to commit.
      options: { offsetsMs: [0, 25_000] },
    }),
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
];
