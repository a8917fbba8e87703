import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { bundling } from '../../infra/constructs/service-function.ts';
import { median, rounded } from './median.ts';

const home = path.join(import.meta.dirname, '..', '..');
const stems = ['vend-token', 'renew-token-sets', 'dispatch-renewals', 'manage-accounts'] as const;
const STARTS = 21;

/** What the entry must find in its environment; nothing is called at start. */
const environment = {
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
    const [vend, client] = startTimes([path.join(directory, 'vend-token.mjs'), path.join(directory, 'client.mjs')]);
    return {
      bytes: sizes,
      start: {
        vendTokenMs: rounded(vend ?? 0),
        clientAloneMs: rounded(client ?? 0),
        ratio: rounded((vend ?? 0) / (client ?? 1)),
        goal: 1.25,
      },
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function bundle(entry: string, outfile: string): Promise<number> {
  const { target, mainFields, minify, keepNames, esbuildArgs } = bundling;
  const legalComments = esbuildArgs['--legal-comments'] === 'none' ? 'none' : 'eof';
  const how = { bundle: true, platform: 'node', format: 'esm', target, mainFields, minify, keepNames, legalComments } as const;
  await build({
    ...how,
    entryPoints: [entry],
    outfile,
    logLevel: 'error',
    absWorkingDir: home,
    nodePaths: [path.join(home, 'node_modules')],
  });
  return statSync(outfile).size;
}

/** Whole processes, from nothing to the loaded module; in turns, so that what the machine does meanwhile hits all of them. */
function startTimes(files: readonly string[]): number[] {
  const times = files.map((): number[] => []);
  for (let start = 0; start < STARTS; start++) {
    for (const [index, file] of files.entries()) {
      const startedMs = performance.now();
      const { status, stderr } = spawnSync(process.execPath, [file], { env: environment, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${path.basename(file)} does not start: ${stderr}`);
      times[index]?.push(performance.now() - startedMs);
    }
  }
  return times.map(median);
}
