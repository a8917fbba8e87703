import * as fc from 'fast-check';

/** What may go wrong at a call of the store, the secrets or the data keys. */
export const storeFaults = [
  /** throttled: not applied, an error comes back */
  'throttled',
  /** applied, but the reply is lost */
  'reply_lost',
  'crash_before',
  'crash_after',
  /** the function is frozen for `ms` and resumes its old promise */
  'freeze_before',
  'freeze_after',
  /** an eventually consistent read gives what stood there one write ago */
  'stale',
] as const;

/** What may go wrong at a request to a provider. */
export const callFaults = [
  /** connection refused */
  'unsent',
  /** never arrives, the caller waits until its deadline */
  'swallowed',
  /** handled, the answer never comes */
  'answer_lost',
  /** handled, the connection breaks at once */
  'reset',
  /** given up by the caller, and handled `ms` later */
  'late',
  /** handled after `ms`, within the caller's deadline or not */
  'slow',
  'crash_before',
  'crash_after',
  'freeze_before',
  'freeze_after',
  /** handled, but the body is no JSON */
  'broken_json',
  'no_lifetime',
  'no_refresh_token',
  /** not handled: codes that the provider's file has never seen, outages, limits */
  'unknown_code',
  'unavailable',
  'failed_after',
  'rate_limited',
  /** the provider ended the session by itself */
  'session_ended',
  'client_refused',
  'scope_refused',
] as const;

export type FaultKind = (typeof storeFaults)[number] | (typeof callFaults)[number];

/** One thing that goes wrong: at the nth call of an operation by anybody in the world. */
export interface Fault {
  /** name of the store's method, `secret`, `keys`, or `call` for a request to a provider; `any` counts every one of them */
  op: string;
  nth: number;
  kind: FaultKind;
  /** for freezes, late and slow answers: how long */
  ms: number;
}

/** The faults of one run, each of which happens once. Notes what happened, because some invariants hold only without it. */
export class FaultPlan {
  readonly happened: Fault[] = [];
  readonly #planned: Fault[];
  readonly #counts = new Map<string, number>();
  #striking = false;

  constructor(planned: readonly Fault[]) {
    this.#planned = [...planned];
  }

  /** @returns the fault that strikes this call, if any */
  take(op: string): Fault | undefined {
    if (!this.#striking) return undefined;
    const counts = [this.#count(op), this.#count('any')];
    const index = this.#planned.findIndex(
      (fault) => (fault.op === op && fault.nth === counts[0]) || (fault.op === 'any' && fault.nth === counts[1]),
    );
    if (index === -1) return undefined;
    const [fault] = this.#planned.splice(index, 1);
    if (fault) this.happened.push(fault);
    return fault;
  }

  /** Calls are counted, and faults strike, only between the two. */
  start(): void {
    this.#striking = true;
  }

  stop(): void {
    this.#striking = false;
  }

  has(...kinds: FaultKind[]): boolean {
    return this.happened.some(({ kind }) => kinds.includes(kind));
  }

  #count(op: string): number {
    const nth = this.#counts.get(op) ?? 0;
    this.#counts.set(op, nth + 1);
    return nth;
  }
}

const writes = ['acquire', 'commit', 'release', 'writeAccount', 'refuseRefreshToken'];
/** Within the lease, past the deadline, past the lease, and long past everything. */
const durations = [3_000, 14_000, 19_000, 45_000, 1_200_000];

/** @returns store faults of these kinds, at the writes that matter or anywhere */
export function someStoreFaults(kinds: readonly FaultKind[], ops: readonly string[] = writes): fc.Arbitrary<Fault> {
  const named = fc.record({ op: fc.constantFrom(...ops), nth: fc.nat(3) });
  const anywhere = fc.record({ op: fc.constant('any'), nth: fc.nat(40) });
  return fc
    .tuple(fc.oneof({ arbitrary: named, weight: 3 }, { arbitrary: anywhere, weight: 1 }), fc.constantFrom(...kinds), someDuration())
    .map(([{ op, nth }, kind, ms]) => ({ op, nth, kind, ms }));
}

/** @returns faults at requests to a provider */
export function someCallFaults(kinds: readonly FaultKind[]): fc.Arbitrary<Fault> {
  return fc.record({ op: fc.constant('call'), nth: fc.nat(4), kind: fc.constantFrom(...kinds), ms: someDuration() });
}

function someDuration(): fc.Arbitrary<number> {
  return fc.constantFrom(...durations);
}
