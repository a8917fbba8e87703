import type { Randomness, TokenStore } from '../../functions/core/ports.ts';
import { createDispatchRenewals } from '../../functions/core/dispatch-renewals.ts';
import { createRenewTokenSet } from '../../functions/core/renew-token-set.ts';
import { timing } from '../../functions/core/timing.ts';
import { accountOf, keyOf } from '../../functions/core/token-set.ts';
import { createVendToken } from '../../functions/core/vend-token.ts';
import { renewTokenSetsHandler } from '../../functions/handlers/renew-token-sets.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { silentTelemetry } from '../support/ports.ts';
import { dailyKeys } from '../support/processes/composition.ts';
import type { EventClock } from './event-clock.ts';
import type { Fleet } from './fleet.ts';
import type { Observer } from './observer.ts';
import { SimulatedProviders, simulatedProviders } from './simulated-providers.ts';
import { VirtualQueue } from './virtual-queue.ts';

const FUNCTION_MS = 30_000;

/** What a simulated service is made of. */
export interface ServiceParts {
  clock: EventClock;
  fleet: Fleet;
  observer: Observer;
  random: Randomness;
  workers: number;
}

/** The real core and handler over the store in memory, simulated providers and a virtual queue. */
export function createSimulatedService({ clock, fleet, observer, random, workers }: ServiceParts) {
  const memory = createMemoryStore();
  const store = observed(memory, fleet, observer, clock);
  const providers = new SimulatedProviders(clock, (user, sent) => observer.renewed(fleet.indexOf(user), sent, clock.nowMs()));
  const deps = {
    store,
    keys: dailyKeys,
    clock,
    random,
    telemetry: silentTelemetry,
    timing,
    providers: simulatedProviders,
    deployment: 'simulation',
    dueShards: 1,
  };
  const renewTokenSet = createRenewTokenSet({
    ...deps,
    fetch: providers.fetch,
    secrets: {
      read: async ({ provider, account }) => ({
        version: 'v1',
        value: { base_url: `https://${provider}`, user: account, password: 'correct' },
      }),
    },
  });
  const renewals = {
    invoke: (command: Parameters<typeof renewTokenSet>[0]) => renewTokenSet(command, { deadlineMs: clock.nowMs() + FUNCTION_MS }),
  };
  const codec = { decodeCommand: notInvoked, encodeOutcome: notInvoked };
  const worker = renewTokenSetsHandler({
    renewTokenSet,
    giveBack: neverAgain,
    codec,
    clock,
    telemetry: silentTelemetry,
    timing,
    secretPrefix: 'simulation',
  });
  const queue = new VirtualQueue(clock, worker, workers);
  return {
    store: memory,
    providers,
    queue,
    vend: createVendToken({ ...deps, renewals }),
    tick: createDispatchRenewals({ ...deps, queue }),
  };
}

/** The next tick sends again what is still due. */
async function neverAgain(): Promise<void> {
  await Promise.resolve();
}

function notInvoked(): never {
  throw new Error('the simulated worker is fed by the queue alone');
}

/** Tells of each entry that the dispatcher reads. Each account has one set, so listing needs no search through all of them. */
function observed(memory: MemoryStore, fleet: Fleet, observer: Observer, clock: EventClock): TokenStore {
  return {
    ...memory,
    async *queryDue(...args) {
      for await (const page of memory.queryDue(...args)) {
        for (const entry of page) {
          const ref = accountOf(entry.key.partition);
          const backsOff = (memory.accountAt(ref)?.notBeforeMs ?? 0) > clock.nowMs();
          observer.read(fleet.indexOf(ref.account), entry, backsOff, clock.nowMs());
        }
        yield page;
      }
    },
    async *listTokenSets(ref) {
      const key = keyOf(ref, {});
      const item = memory.tokenSetAt(key);
      if (item) yield [{ key, item }];
    },
  };
}
