import { parentPort } from 'node:worker_threads';
import { caughtAfter, violationOf, type Effort } from './check-family.ts';
import { families } from './families/index.ts';

/** A piece of work: runs of one family, or its negative control. */
export interface Piece extends Effort {
  family: number;
  control: boolean;
}

/** What came of it. */
export interface PieceResult {
  family: number;
  control: boolean;
  runs: number;
  seconds: number;
  /** absent: well */
  failure?: string | undefined;
}

/** @returns undefined, or why the piece failed */
async function failureOf({ family: index, control, ...effort }: Piece): Promise<string | undefined> {
  const family = families[index];
  if (!family) return 'no such family';
  if (!control) return violationOf(family, effort);
  const runs = await caughtAfter(family, effort);
  return runs === undefined ? `${family.name}: seed ${effort.seed}, the broken step "${family.control.step}" was not caught` : undefined;
}

parentPort?.on('message', (piece: Piece) => {
  const startedMs = performance.now();
  const { family, control, runs } = piece;
  const finish = (failure: string | undefined) => {
    const result: PieceResult = { family, control, runs, seconds: (performance.now() - startedMs) / 1000, failure };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread is no window
    parentPort?.postMessage(result);
  };
  failureOf(piece).then(finish, (error: unknown) => finish(error instanceof Error ? (error.stack ?? error.message) : String(error)));
});
