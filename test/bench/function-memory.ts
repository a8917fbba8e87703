import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { memoryMb } from '../../infra/constructs/service-functions.ts';
import { bundle, environment, stems } from './bundles.ts';
import { median, rounded } from './median.ts';

const home = path.join(import.meta.dirname, '..', '..');
const STARTS = 7;
/** This much memory is one processor. @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const MB_A_PROCESSOR = 1_769;
const candidatesMb = [128, 256, 512, 1_024, 1_769];

/** Says on standard output what starting a function took: processor time of the whole process, and the most memory it held. */
const probe = `
  await import(process.argv[1]);
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify({ cpuMs: (user + system) / 1000, peakMb: process.resourceUsage().maxRSS / 1024 }));
`;

/**
 * What the memory of a function decides: processor time of a start, from which follows how long it takes at each size, beside the
 * memory that it holds. Processor time is the same on a busy machine.
 */
export async function measureFunctionMemory() {
  mkdirSync(path.join(home, '.cache'), { recursive: true });
  const directory = mkdtempSync(path.join(home, '.cache', 'bench-'));
  try {
    const rows: Record<string, object> = {};
    for (const stem of stems) {
      const { file } = bundle(stem, path.join(directory, stem));
      const starts = Array.from({ length: STARTS }, () => start(file));
      const cpuMs = median(starts.map((one) => one.cpuMs));
      rows[stem] = {
        startCpuMs: Math.round(cpuMs),
        peakMb: Math.round(median(starts.map((one) => one.peakMb))),
        startMsAt: Object.fromEntries(candidatesMb.map((mb) => [`${mb} MB`, Math.round(cpuMs * Math.max(1, MB_A_PROCESSOR / mb))])),
        chosenMb: memoryMb[stem],
        ofChosen: rounded(median(starts.map((one) => one.peakMb)) / memoryMb[stem]),
      };
    }
    return rows;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function start(file: string): { cpuMs: number; peakMb: number } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', probe, file], {
    env: environment,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${path.basename(file)} does not start: ${stderr}`);
  return JSON.parse(stdout);
}
