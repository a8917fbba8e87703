import type { Scheduler } from 'fast-check';
import type { TokenStore } from '../../../functions/core/ports.ts';
import type { Provider, Traits } from '../../../functions/core/provider.ts';
import type { Rules } from '../../../functions/core/renewal-deps.ts';
import type { Timing } from '../../../functions/core/timing.ts';
import type { TokenSetItem, TokenSetKey } from '../../../functions/core/token-set.ts';
import type { MemoryStore } from '../memory-store.ts';
import type { Behaviour } from './fake-provider.ts';
import type { Fault } from './faults.ts';
import type { Instance } from './instance.ts';

/** What the seals of a world are bound to. */
export const DEPLOYMENT = 'world';

/** A deliberately broken step, put between an instance and the table. */
export type Breaking = (table: TokenStore, about: BrokenWorld) => TokenStore;

/** What a broken step may look at. */
export interface BrokenWorld {
  instance: Instance;
  raw: MemoryStore;
  /** what stood there one write ago */
  stale: (key: TokenSetKey) => TokenSetItem | undefined;
}

export interface WorldOptions {
  scheduler: Scheduler;
  behaviour: Behaviour;
  faults?: readonly Fault[] | undefined;
  seed?: number | undefined;
  /** what the provider's file declares, where it is not what fits the behaviour */
  traits?: Partial<Traits> | undefined;
  /** how far the clock of the nth instance is off, ms */
  offsetsMs?: readonly number[] | undefined;
  stepMs?: number | undefined;
  timing?: Timing | undefined;
  rules?: Partial<Rules> | undefined;
  breaking?: Breaking | undefined;
  breakProvider?: ((provider: Provider) => Provider) | undefined;
  maxTokenSets?: number | undefined;
  restoreEpochMs?: number | undefined;
}
