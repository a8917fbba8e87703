import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import type { Parameter, SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod/mini';
import type { Grant } from '../core/grants.ts';
import type { Clock, Grants, Telemetry } from '../core/ports.ts';
import { awsFailure } from './aws-failure.ts';
import { createSingleFlight } from '../core/single-flight.ts';

/** How long grants stay in memory, ms. Past it nothing is served from them, also where SSM does not answer. */
const keptForMs = 60_000;

/** Longest time to read all of them, ms. */
const defaultTimeoutMs = 2_000;

/** The most that SSM gives in one page. */
const pageSize = 10;

const value = z.union([z.string(), z.number(), z.boolean()]);

/** The JSON of one parameter. Strict: a misspelt restriction must not read as none. */
const grants = z.array(
  z.strictObject({
    caller: z.string().check(z.minLength(1)),
    operations: z.array(z.enum(['vend', 'revoke', 'inspect', 'reset', 'connect'])),
    accounts: z.array(z.string().check(z.minLength(1))),
    parameters: z.optional(z.record(z.string(), z.union([z.literal('*'), z.array(value)]))),
    maxMinTtlSeconds: z.optional(z.number().check(z.nonnegative())),
  }),
);

/** What the grants need. */
export interface SsmGrantsOptions {
  client: SSMClient;
  /** `/{deployment}/grants`: every parameter below it holds a JSON array of grants, whoever's stack put it there */
  path: string;
  clock: Clock;
  telemetry: Telemetry;
  /** longest time to read all of them, retries included, ms; 2 s */
  timeoutMs?: number | undefined;
}

/**
 * Grants from SSM parameters. One that cannot be read grants nothing and is reported; the others count.
 *
 * @returns the grants; throws `grants_unavailable`
 */
export function createSsmGrants(options: SsmGrantsOptions): Grants {
  const { clock } = options;
  const flight = createSingleFlight<ByCaller>();
  let memory: { byCaller: ByCaller; untilMs: number } | undefined;
  const load = async (): Promise<ByCaller> => {
    // Counted from before the reading: what is read may be that old.
    const untilMs = clock.nowMs() + keptForMs;
    const byCaller = Map.groupBy(await readAll(options), (grant) => grant.caller);
    memory = { byCaller, untilMs };
    return byCaller;
  };
  return {
    async of(caller) {
      const fresh = memory !== undefined && clock.nowMs() < memory.untilMs ? memory.byCaller : undefined;
      return (fresh ?? (await flight.join('all', load))).get(caller) ?? [];
    },
  };
}

type ByCaller = ReadonlyMap<string, readonly Grant[]>;

async function readAll({ client, path, telemetry, timeoutMs = defaultTimeoutMs }: SsmGrantsOptions): Promise<Grant[]> {
  const limit = { abortSignal: AbortSignal.timeout(timeoutMs) };
  const all: Grant[] = [];
  let from: string | undefined;
  do {
    const input = { Path: path, Recursive: true, WithDecryption: false, MaxResults: pageSize };
    const command = new GetParametersByPathCommand(from === undefined ? input : { ...input, NextToken: from });
    const page = await client.send(command, limit).catch((error: unknown) => {
      throw awsFailure('grants_unavailable', 'ssm:GetParametersByPath', error);
    });
    for (const parameter of page.Parameters ?? []) all.push(...grantsOf(parameter, telemetry));
    from = page.NextToken;
  } while (from !== undefined && from !== '');
  return all;
}

function grantsOf({ Name: name, Value: text = '' }: Parameter, telemetry: Telemetry): readonly Grant[] {
  const parsed = grants.safeParse(parsedJson(text));
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues[0]?.path.join('.') ?? '';
  telemetry.log('error', 'A parameter holds no grants and grants nothing', { parameter: name, at });
  telemetry.metric('GrantsUnreadable', 1, 'Count', 'grants');
  return [];
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
