import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { bundleInto, bundling } from '../../infra/constructs/bundle.ts';
import { median, rounded } from './median.ts';

const home = path.join(import.meta.dirname, '..', '..');
export const stems = ['vend-token', 'renew-token-sets', 'dispatch-renewals', 'manage-accounts'] as const;
const STARTS = 21;

/** What the entry must find in its environment; nothing is called at start. */
export const environment = {
  TABLE_NAME: 'bench',
  DEPLOYMENT: 'bench',
  SECRET_PREFIX: 'bench',
  KEY_ID: 'bench',
  QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/bench',
  RENEW_FUNCTION: 'bench',
  GRANTS_PATH: '/bench/grants',
  CALLERS: 'iam',
  EGRESS_ORIGINS: '',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
};

/**
 * Bundles every function as the stack does: its size, and how long `vend-token` takes to start beside a bundle of one AWS client,
 * as it is deployed, as one file, and with a compile cache.
 */
export async function measureBundles() {
  mkdirSync(path.join(home, '.cache'), { recursive: true });
  const directory = mkdtempSync(path.join(home, '.cache', 'bench-'));
  try {
    const bytes = Object.fromEntries(stems.map((stem) => [stem, bundle(stem, path.join(directory, stem)).bytes]));
    const entry = path.join(directory, 'client.ts');
    writeFileSync(entry, "export { DynamoDBClient } from '@aws-sdk/client-dynamodb';\n");
    const client = path.join(directory, 'client.mjs');
    const whole = path.join(directory, 'whole.mjs');
    inOneFile(entry, client);
    inOneFile(path.join(home, 'functions', 'vend-token.ts'), whole);
    const file = path.join(directory, 'vend-token', 'index.mjs');
    const compileCache = path.join(directory, 'compile-cache');
    const [clientMs = 1, vendMs = 0, wholeMs = 0, cachedMs = 0] = startTimes([
      { file: client },
      { file },
      { file: whole },
      { file, compileCache },
    ]);
    const row = (ms: number) => ({ ms: rounded(ms), ratio: rounded(ms / clientMs) });
    return {
      bytes: { ...bytes, '@aws-sdk/client-dynamodb alone': statSync(client).size },
      start: {
        '@aws-sdk/client-dynamodb alone': row(clientMs),
        'vend-token': row(vendMs),
        'vend-token as one file': row(wholeMs),
        'vend-token with a compile cache': row(cachedMs),
        goal: 1.25,
      },
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** @returns the file to start, the bytes that a start reads, and those of the whole function */
export function bundle(stem: (typeof stems)[number], outdir: string) {
  bundleInto(stem, outdir);
  const sizeOf = (file: string): number => statSync(path.join(outdir, file)).size;
  const whole = readdirSync(outdir).reduce((sum, file) => sum + sizeOf(file), 0);
  return { file: path.join(outdir, 'index.mjs'), bytes: { whole, entry: sizeOf('index.mjs') } };
}

function inOneFile(entry: string, outfile: string): void {
  const { splitting: _split, outExtension: _extension, ...rest } = bundling;
  buildSync({ ...rest, entryPoints: [entry], outfile, nodePaths: [path.join(home, 'node_modules')] });
}

interface Start {
  file: string;
  /** where compiled code is kept from one start to the next */
  compileCache?: string;
}

/** Whole processes, from nothing to the loaded module; in turns, so that what the machine does meanwhile hits all of them. */
function startTimes(starts: readonly Start[]): number[] {
  const times = starts.map((): number[] => []);
  for (let start = 0; start < STARTS; start++) {
    for (const [index, { file, compileCache }] of starts.entries()) {
      const env = { ...environment, ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }) };
      const startedMs = performance.now();
      const { status, stderr } = spawnSync(process.execPath, [file], { env, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${path.basename(file)} does not start: ${stderr}`);
      times[index]?.push(performance.now() - startedMs);
    }
  }
  return times.map(median);
}
