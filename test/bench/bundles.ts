import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { bundling } from '../../infra/constructs/service-function.ts';
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

/** Bundles every function as the stack does: its size, and how long `vend-token` takes to start beside a bundle of one AWS client. */
export async function measureBundles() {
  const directory = mkdtempSync(path.join(home, '.cache', 'bench-'));
  try {
    const sizes: Record<string, number> = {};
    for (const stem of stems) sizes[stem] = await bundle(path.join(home, 'functions', `${stem}.ts`), path.join(directory, `${stem}.mjs`));
    const entry = path.join(directory, 'client.ts');
    writeFileSync(entry, "export { DynamoDBClient } from '@aws-sdk/client-dynamodb';\n");
    sizes['@aws-sdk/client-dynamodb alone'] = await bundle(entry, path.join(directory, 'client.mjs'));
    const split = await bundleSplit(path.join(home, 'functions', 'vend-token.ts'), path.join(directory, 'split'));
    const vendToken = { file: path.join(directory, 'vend-token.mjs') };
    const [client = 1, vend = 0, splitMs = 0, cachedMs = 0] = startTimes([
      { file: path.join(directory, 'client.mjs') },
      vendToken,
      { file: split },
      { ...vendToken, compileCache: path.join(directory, 'compile-cache') },
    ]);
    const row = (ms: number) => ({ ms: rounded(ms), ratio: rounded(ms / client) });
    return {
      bytes: sizes,
      start: {
        '@aws-sdk/client-dynamodb alone': row(client),
        'vend-token': row(vend),
        'vend-token, split into what is loaded when': row(splitMs),
        'vend-token with a compile cache': row(cachedMs),
        goal: 1.25,
      },
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const { target, mainFields, minify, keepNames, esbuildArgs } = bundling;
const how: BuildOptions = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target,
  mainFields,
  minify,
  keepNames,
  legalComments: esbuildArgs['--legal-comments'] === 'none' ? 'none' : 'eof',
  logLevel: 'error',
  absWorkingDir: home,
  nodePaths: [path.join(home, 'node_modules')],
};

export async function bundle(entry: string, outfile: string): Promise<number> {
  await build({ ...how, entryPoints: [entry], outfile });
  return statSync(outfile).size;
}

/** The same with every dynamic import in a file of its own. @returns the file to start */
async function bundleSplit(entry: string, outdir: string): Promise<string> {
  await build({ ...how, entryPoints: [entry], outdir, splitting: true, outExtension: { '.js': '.mjs' } });
  return path.join(outdir, path.basename(entry).replace('.ts', '.mjs'));
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
