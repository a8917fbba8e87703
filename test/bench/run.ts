// npm run bench [-- name…]: every figure that the README and docs/performance.md claim, printed and written to bench.json.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readAuditLines } from '../load/audit-lines.ts';
import { print } from '../support/processes/checks.ts';
import { measureAwsCalls } from './aws-calls.ts';
import { measureBundles } from './bundles.ts';
import { measureCachedVend } from './cached-vend.ts';
import { measureColdBurst } from './cold-burst.ts';
import { dollarsPerMillion } from './costs.ts';
import { per } from './endpoint-counts.ts';
import { measureFunctionMemory } from './function-memory.ts';
import { measureGateway } from './gateway.ts';
import { measureItemSizes } from './item-sizes.ts';
import { measureWorker } from './worker.ts';

const sections: Readonly<Record<string, () => Promise<object>>> = {
  'cached vend in process': measureCachedVend,
  'bundles and starts': measureBundles,
  'function memory': measureFunctionMemory,
  'cached vends through the gateway': measureGateway,
  'renewals of one worker': measureWorker,
  'AWS calls': measureCallsAndDollars,
  'item sizes': measureItemSizes,
  'cold burst': measureColdBurst,
};

async function measureCallsAndDollars(): Promise<object> {
  const calls = await measureAwsCalls();
  const dollars = {
    perMillionWarmVends: dollarsPerMillion(per(calls.per1000WarmVends, 1_000), 'vend'),
    perMillionRenewals: dollarsPerMillion(calls.perRenewal, 'renewal'),
  };
  return { ...calls, dollars };
}

const { positionals } = parseArgs({ allowPositionals: true });
const lines = readAuditLines();
const [cpu] = cpus();
const results: Record<string, object> = { machine: { node: process.version, cpus: cpus().length, cpu: cpu?.model ?? 'unknown' } };
for (const [name, measure] of Object.entries(sections)) {
  if (positionals.length > 0 && !positionals.some((wanted) => name.includes(wanted))) continue;
  const result = await measure();
  results[name] = result;
  print(`${name}\n${JSON.stringify(result, undefined, 2)}`);
}
lines.stop();
if (positionals.length === 0)
  writeFileSync(path.join(import.meta.dirname, '..', '..', 'bench.json'), `${JSON.stringify(results, undefined, 2)}\n`);
process.exit();
