import type { HistoryEvent, SetWrite, Vend } from './history.ts';
import type { World } from './world.ts';

/** An invariant of the protocol's document that a run broke, by its number there. */
export class InvariantBroken extends Error {
  readonly invariant: number;

  constructor(invariant: number, what: string, evidence: unknown) {
    super(`invariant ${invariant}: ${what}\n${JSON.stringify(evidence, replacer)}`);
    this.name = 'InvariantBroken';
    this.invariant = invariant;
  }
}

function replacer(_name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return value instanceof Set || value instanceof Map ? [...value] : value;
}

/** A check over everything that happened in a world. */
export type Invariant = (world: World) => void;

/** @returns the events of one kind, in order */
export function of<K extends HistoryEvent['kind']>(world: World, kind: K): Extract<HistoryEvent, { kind: K }>[] {
  return world.history.filter((event): event is Extract<HistoryEvent, { kind: K }> => event.kind === kind);
}

type Answered = Vend & { outcome: Extract<Vend['outcome'], { kind: 'answered' }> };

/** @returns the vends that gave a token */
export function answered(world: World): Answered[] {
  return of(world, 'vend').filter((vend): vend is Answered => vend.outcome.kind === 'answered');
}

/** @returns the writes to token sets that took effect */
export function applied(world: World, ...ops: string[]): SetWrite[] {
  return of(world, 'write').filter((write) => write.applied && (ops.length === 0 || ops.includes(write.op)));
}

/** How far apart any two clocks of this world are, ms, and the skew that the protocol allows anyway. */
export function clockError(world: World): number {
  const offsets = [0, ...(world.options.offsetsMs ?? [])];
  return Math.max(...offsets) - Math.min(...offsets) + world.timing.skewMs;
}
