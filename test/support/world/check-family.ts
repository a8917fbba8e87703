import * as fc from 'fast-check';
import type { Family } from './family.ts';
import { InvariantBroken } from './invariant.ts';
import { live } from './scenario.ts';

/** How often, and from which seed; with the path that a failure names, that run alone. */
export interface Effort {
  runs: number;
  seed: number;
  path?: string | undefined;
}

/** @returns undefined, or what broke and how to see it again */
export async function violationOf(family: Family, { runs, seed, path }: Effort): Promise<string | undefined> {
  const property = fc.asyncProperty(fc.scheduler(), family.scenario, (scheduler, scenario) => live(scheduler, scenario));
  const details = await fc.check(property, { numRuns: runs, seed, ...(path !== undefined && { path }) });
  if (!details.failed) return undefined;
  const scenario = JSON.stringify(details.counterexample?.[1]);
  const why = details.errorInstance instanceof Error ? details.errorInstance.stack : String(details.errorInstance);
  return `${family.name}: seed ${seed}, path ${details.counterexamplePath}\n${scenario}\n${why}`;
}

/** @returns after how many runs the broken step was caught by the invariant that it breaks; undefined: it was not */
export async function caughtAfter({ scenario, control }: Family, { runs, seed }: Effort): Promise<number | undefined> {
  const property = fc.asyncProperty(fc.scheduler(), scenario, async (scheduler, drawn) => {
    await live(scheduler, control.scenario?.(drawn) ?? drawn, control.options, [control.invariant]);
  });
  const details = await fc.check(property, { numRuns: runs, seed, endOnFailure: true });
  const broken = details.errorInstance;
  // A broken step may also end in an error of another kind; only the invariant counts.
  if (details.failed && !(broken instanceof InvariantBroken)) throw broken;
  return details.failed ? details.numRuns : undefined;
}
