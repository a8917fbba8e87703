import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createSystemRandomness } from '../../functions/adapters/system.ts';
import { fingerprintOf, type AccountRef, type TokenParameters } from '../../functions/core/token-set.ts';
import type { VendCommand, VendOutcome } from '../../functions/core/vend-token.ts';
import { realClock, silentTelemetry } from '../support/ports.ts';
import { endWithParent, onParentMessage, settingsOf, tellParent } from '../support/processes/child.ts';
import { composeInstance, secretsAt, type FunctionInstance } from '../support/processes/composition.ts';
import { createPlainFetch } from '../support/processes/plain-fetch.ts';
import { burstProvider, burstTiming, FUNCTION_MS, STORE_TIMEOUT_MS } from './setting.ts';

/** What a process is started with. */
export interface BurstSettings {
  endpoint: string;
  tableName: string;
  providerUrl: string;
}

/** One burst, as a process gets it: the callers that it plays. */
export interface Burst {
  /** each caller asks for the key of its number, modulo the keys */
  callers: readonly number[];
  keys: number;
  /** one account for all keys, or one a key */
  account: string;
  accountPerKey: boolean;
  /** function instances in this process; callers take turns */
  instances: number;
}

/** What became of one process's callers. */
export interface BurstReport {
  /** by key: fingerprints of what was vended, without repeats */
  tokens: Record<string, string[]>;
  answered: number;
  /** answers of "not now" before the token, with a time to try again */
  later: number;
  /** the same without one: there must be none */
  laterWithoutTime: number;
  /** anything else, by its word */
  odd: Record<string, number>;
  slowestMs: number;
}

const settings = settingsOf<BurstSettings>();

function newInstance(client: DynamoDBClient): FunctionInstance {
  return composeInstance({
    client,
    tableName: settings.tableName,
    fetch: createPlainFetch(realClock),
    secrets: secretsAt(settings.providerUrl),
    provider: burstProvider,
    timing: burstTiming,
    clock: realClock,
    random: createSystemRandomness(),
    telemetry: silentTelemetry,
    storeTimeoutMs: STORE_TIMEOUT_MS,
    functionMs: FUNCTION_MS,
  });
}

/** More sockets than the client's usual 50: each caller here stands for a function with a client of its own. */
function newClient(): DynamoDBClient {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return new DynamoDBClient({
    endpoint: settings.endpoint,
    region: 'eu-central-1',
    credentials,
    requestHandler: { httpAgent: { maxSockets: 300 } },
  });
}

function placeOf({ keys, account, accountPerKey }: Burst, caller: number): { ref: AccountRef; parameters: TokenParameters } {
  const key = caller % keys;
  const ref = { provider: burstProvider.id, account: accountPerKey ? `${account}-${key}` : account };
  return { ref, parameters: accountPerKey ? {} : { profile: key } };
}

/** Asks until there is a token; who is told to come later comes at the time that it was told. */
async function call(
  vend: (command: VendCommand) => Promise<VendOutcome>,
  burst: Burst,
  caller: number,
  report: BurstReport,
): Promise<void> {
  const { ref, parameters } = placeOf(burst, caller);
  const startedMs = Date.now();
  for (;;) {
    const outcome = await vend({ caller: `caller-${caller}`, ref, parameters, minTtlSeconds: 0 }).catch((error: Error) => error);
    if (outcome instanceof Error) return addOdd(report, outcome.message);
    if (outcome.kind === 'bad_request') return addOdd(report, outcome.kind);
    if (outcome.kind === 'answered') {
      report.answered += 1;
      report.slowestMs = Math.max(report.slowestMs, Date.now() - startedMs);
      const tokens = (report.tokens[caller % burst.keys] ??= []);
      const token = fingerprintOf(outcome.tokenSet.accessToken);
      if (!tokens.includes(token)) tokens.push(token);
      return;
    }
    const { retryAtMs } = outcome.kind === 'renewing' ? outcome : outcome.refusal;
    if (retryAtMs === undefined) return void (report.laterWithoutTime += 1);
    report.later += 1;
    await realClock.sleep(Math.max(0, retryAtMs - Date.now()));
  }
}

function addOdd({ odd }: BurstReport, word: string): void {
  odd[word] = (odd[word] ?? 0) + 1;
}

async function play(burst: Burst): Promise<BurstReport> {
  const client = newClient();
  const instances = Array.from({ length: burst.instances }, () => newInstance(client));
  const report: BurstReport = { tokens: {}, answered: 0, later: 0, laterWithoutTime: 0, odd: {}, slowestMs: 0 };
  await Promise.all(burst.callers.map((caller, index) => call(instances[index % instances.length]!.vend, burst, caller, report)));
  client.destroy();
  return report;
}

endWithParent();
onParentMessage<Burst>((burst) => {
  void play(burst).then(tellParent);
});
tellParent({ ready: true });
