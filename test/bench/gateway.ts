import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { createLoadCaller } from '../load/caller.ts';
import { startCrowdedStack } from '../load/crowded-stack.ts';
import { median, rounded } from './median.ts';

const ROUNDS = 5;
const SECONDS = '3';
const CONNECTIONS = '8';
const autocannon = path.join(import.meta.dirname, '..', '..', 'node_modules', 'autocannon', 'autocannon.js');

/** Cached vends a second through the local gateway, and a function on the same gateway whose answer never changes; in turns. */
export async function measureGateway() {
  const crowded = await startCrowdedStack({ accounts: 4, lifeSeconds: 3_600, latencyMs: 20 });
  try {
    const { stack } = crowded;
    const account = crowded.accounts.find((name) => name.startsWith('movingimage/')) ?? '';
    const caller = createLoadCaller(stack);
    const { status } = await caller.vend(account);
    caller.close();
    if (status !== 200) throw new Error(`the vend answered ${status}`);
    const constant = { statusCode: 200, headers: { 'content-type': 'application/json' }, body: '{}' };
    stack.functions.add(stack.nameOf('manage-accounts'), { handler: async () => constant, timeoutMs: 29_000 });
    const rates: { vend: number[]; constant: number[] } = { vend: [], constant: [] };
    const { jwt } = stack.callers.developer;
    for (let round = 0; round < ROUNDS; round++) {
      rates.vend.push(
        await fire(jwt, ['-m', 'POST', '-b', '{}', '-H', 'content-type=application/json', `${stack.url}/v1/tokens/${account}`]),
      );
      rates.constant.push(await fire(jwt, [`${stack.url}/v1/accounts`]));
    }
    const [vends, constants] = [median(rates.vend), median(rates.constant)];
    return { vendsPerSecond: rounded(vends, 0), constantPerSecond: rounded(constants, 0), ratio: rounded(vends / constants), goal: 0.5 };
  } finally {
    await crowded.stop();
  }
}

/** @returns requests a second, from a process of its own */
async function fire(jwt: string, args: readonly string[]): Promise<number> {
  const all = [autocannon, '-j', '-n', '-d', SECONDS, '-c', CONNECTIONS, '-H', `authorization=Bearer ${jwt}`, ...args];
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'ignore'] });
  const result: { requests: { average: number }; non2xx: number; errors: number } = JSON.parse(await text(child.stdout));
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx} answers and ${result.errors} connections failed`);
  return result.requests.average;
}
