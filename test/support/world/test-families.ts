import { describe, expect, test } from '@jest/globals';
import { caughtAfter, violationOf } from './check-family.ts';
import type { Family } from './family.ts';

/** 27 families, three of them with 1,000 runs: 12,600. `npm run test:soak` draws a million others. */
const RUNS = 400;
/** The same runs every time, so that a red test is red again; the soak draws its own. */
const SEED = 20_310_506;

/** Declares the tests of some families: each keeps every invariant, and each notices its deliberately broken step. */
export function testFamilies(families: readonly Family[]): void {
  describe.each(families.map((family) => ({ name: family.name, family })))('$name', ({ family }) => {
    const { runs = RUNS } = family;

    test(`keeps every invariant in ${runs} runs`, async () => {
      expect(await violationOf(family, { runs, seed: SEED })).toBeUndefined();
    }, 120_000);

    test(`breaks invariant ${family.control.invariant} when ${family.control.step}`, async () => {
      expect(await caughtAfter(family, { runs, seed: SEED })).toBeLessThanOrEqual(runs);
    }, 120_000);
  });
}
