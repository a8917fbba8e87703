/**
 * `npm run test:soak`: the families of the protocol's property tests, a million runs in total over two threads, and every negative
 * control. Prints a line a family and, last, how many passed and failed.
 *
 *   npm run test:soak -- --runs 50000 --family rotation --seed 7
 */
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { families } from './support/world/families/index.ts';
import type { Piece, PieceResult } from './support/world/soak-worker.ts';

const MILLION = 1_000_000;
/** Small enough that both threads stay busy to the end. */
const RUNS_A_PIECE = 1_000;
const CONTROL_RUNS = 4_000;
const THREADS = 2;

const { values } = parseArgs({ options: { runs: { type: 'string' }, family: { type: 'string' }, seed: { type: 'string' } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const chosen = [...families.keys()].filter((index) => families[index]?.name.includes(values.family ?? ''));
const runsAFamily = Math.ceil(Number(values.runs ?? MILLION) / chosen.length);

interface Tally {
  runs: number;
  seconds: number;
  open: number;
  failures: string[];
}

function piecesOf(family: number): Piece[] {
  const pieces = Math.ceil(runsAFamily / RUNS_A_PIECE);
  const runs = Math.ceil(runsAFamily / pieces);
  const own = Array.from({ length: pieces }, (_none, index) => ({ family, control: false, runs, seed: seed + index }));
  return [{ family, control: true, runs: CONTROL_RUNS, seed }, ...own];
}

const queue = chosen.flatMap((family) => piecesOf(family));
const tallies = new Map(
  chosen.map((family): [number, Tally] => [family, { runs: 0, seconds: 0, open: piecesOf(family).length, failures: [] }]),
);

/** Adds one result up; prints the family's line with its last. */
function note({ family, control, runs, seconds, failure }: PieceResult): void {
  const tally = tallies.get(family);
  if (!tally) return;
  if (!control) tally.runs += runs;
  tally.seconds += seconds;
  tally.open -= 1;
  if (failure !== undefined) {
    tally.failures.push(failure);
    process.stdout.write(`FAILED ${failure}\n`);
  }
  if (tally.open === 0) {
    const told = tally.failures.length === 0 ? 'ok' : `${tally.failures.length} FAILED`;
    process.stdout.write(`${told} | ${families[family]?.name} | ${tally.runs} runs | ${tally.seconds.toFixed(0)} s\n`);
  }
}

function work(): Promise<void> {
  const worker = new Worker(new URL('support/world/soak-worker.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    const next = () => {
      const piece = queue.shift();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread is no window
      if (piece) worker.postMessage(piece);
      else void worker.terminate().then(() => resolve());
    };
    worker.on('message', (result: PieceResult) => {
      note(result);
      next();
    });
    worker.on('error', reject);
    next();
  });
}

process.stdout.write(`seed ${seed}, ${runsAFamily} runs of each of ${chosen.length} families\n`);
const startedMs = performance.now();
await Promise.all(Array.from({ length: THREADS }, work));
const failed = [...tallies.values()].filter(({ failures }) => failures.length > 0).length;
const total = [...tallies.values()].reduce((sum, { runs }) => sum + runs, 0);
process.stdout.write(`${total} runs in ${((performance.now() - startedMs) / 1000).toFixed(0)} s\n`);
process.stdout.write(`${tallies.size - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
