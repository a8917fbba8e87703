import { createHash } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createTokenTable } from '../../../functions/adapters/token-table.ts';
import type { Clock, DataKeys, ProviderFetch, ProviderSecrets, Randomness, Telemetry } from '../../../functions/core/ports.ts';
import type { Provider } from '../../../functions/core/provider.ts';
import { createRenewTokenSet, type RenewTokenSet } from '../../../functions/core/renew-token-set.ts';
import type { Timing } from '../../../functions/core/timing.ts';
import { createVendToken, type VendCommand, type VendOutcome } from '../../../functions/core/vend-token.ts';

const DAY_MS = 86_400_000;

/** One key a day for every process of a test, without KMS. The sealing itself is the real one. */
export const dailyKeys: DataKeys = {
  async forSealing(nowMs) {
    const day = Math.floor(nowMs / DAY_MS);
    return { day, key: keyOfDay(day) };
  },
  forOpening: async (day) => keyOfDay(day),
};

function keyOfDay(day: number): Buffer {
  return createHash('sha256').update(`a key for tests, day ${day}`).digest();
}

/** The secrets of fake accounts: the account's name is the user's, and every password is the same. */
export function secretsAt(baseUrl: string, more: Readonly<Record<string, string>> = {}): ProviderSecrets {
  return {
    read: async ({ account }) => ({ version: 'v1', value: { base_url: baseUrl, user: account, password: 'correct', ...more } }),
  };
}

/** What one function instance of a test is made of. */
export interface InstanceParts {
  client: DynamoDBClient;
  tableName: string;
  fetch: ProviderFetch;
  secrets: ProviderSecrets;
  provider: Provider;
  timing: Timing;
  clock: Clock;
  random: Randomness;
  telemetry: Telemetry;
  /** longest wait for the database, ms: the embedded one shares two cores with everybody else */
  storeTimeoutMs: number;
  /** how long a function may run, ms */
  functionMs: number;
}

/** Real core and real token table: both functions in one place, one invoking the other. */
export interface FunctionInstance {
  vend: (command: VendCommand) => Promise<VendOutcome>;
  renew: RenewTokenSet;
}

/** @returns a function instance with no memory but its own */
export function composeInstance(parts: InstanceParts): FunctionInstance {
  const { client, tableName, clock, telemetry, provider, functionMs } = parts;
  const deps = {
    store: createTokenTable({ client, tableName, clock, telemetry, timeoutMs: parts.storeTimeoutMs }),
    keys: dailyKeys,
    clock,
    random: parts.random,
    telemetry,
    timing: parts.timing,
    providers: new Map([[provider.id, provider]]),
    deployment: 'test',
    dueShards: 1,
  };
  const renew = createRenewTokenSet({ ...deps, fetch: parts.fetch, secrets: parts.secrets });
  const renewals = { invoke: (command: Parameters<RenewTokenSet>[0]) => renew(command, { deadlineMs: clock.nowMs() + functionMs }) };
  return { renew, vend: createVendToken({ ...deps, renewals }) };
}
