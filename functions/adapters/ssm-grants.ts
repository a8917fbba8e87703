import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import type { Parameter, SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod/mini';
import type { Grant } from '../core/grants.ts';
import type { Clock, Grants, Randomness, Telemetry } from '../core/ports.ts';
import { awsFailure } from './aws-failure.ts';
import { createSingleFlight } from '../core/single-flight.ts';

/** Grants are read again before they are this old, ms. */
const keptForMs = 60_000;

/** How much sooner at the most, ms: SSM answers 40 such calls a second to a whole account, and many instances start at once. */
const spreadMs = 10_000;

/** How long they hold where SSM does not answer, ms. Past it nothing is served from them. */
const heldForMs = 300_000;

/** After SSM did not answer, old grants serve for so long before it is asked again, ms. */
const pauseMs = 5_000;

/** Longest time to read all of them where there are none, ms: enough for the SDK's backing off from a throttle. */
const defaultTimeoutMs = 3_000;

/** The same where old ones still hold, ms. */
const refreshTimeoutMs = 1_000;

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
  random: Pick<Randomness, 'fraction'>;
  telemetry: Telemetry;
  /** longest time to read all of them where there are none, retries included, ms; 3 s */
  timeoutMs?: number | undefined;
}

/**
 * Grants from SSM parameters. One that cannot be read grants nothing and is reported; the others count.
 *
 * @returns the grants; throws `grants_unavailable`
 * @see docs/decisions/0016-grants-are-parameters.md
 */
export function createSsmGrants(options: SsmGrantsOptions): Grants {
  const { clock, random, telemetry, timeoutMs = defaultTimeoutMs } = options;
  const flight = createSingleFlight<Memory>();
  let memory: Memory | undefined;

  const read = async (limitMs: number): Promise<Memory> => {
    // Counted from before the reading: what is read may be that old.
    const nowMs = clock.nowMs();
    const byCaller = Map.groupBy(await readAll(options, limitMs), (grant) => grant.caller);
    return { byCaller, againMs: nowMs + keptForMs - random.fraction() * spreadMs, untilMs: nowMs + heldForMs };
  };
  const readAgain = (old: Memory): Promise<Memory> =>
    read(refreshTimeoutMs).catch((error: unknown) => {
      telemetry.log('warn', 'The grants could not be read again; those of before hold for now', {}, error);
      telemetry.metric('GrantsStale', 1, 'Count', 'grants');
      return { ...old, againMs: clock.nowMs() + pauseMs };
    });
  return {
    async of(caller) {
      const nowMs = clock.nowMs();
      const held = memory !== undefined && nowMs < memory.untilMs ? memory : undefined;
      if (held === undefined || nowMs >= held.againMs) memory = await flight.join('all', () => (held ? readAgain(held) : read(timeoutMs)));
      return memory?.byCaller.get(caller) ?? [];
    },
  };
}

interface Memory {
  byCaller: ReadonlyMap<string, readonly Grant[]>;
  /** when they are read again, ms since the epoch */
  againMs: number;
  /** how long they hold where that fails, ms since the epoch */
  untilMs: number;
}

async function readAll({ client, path, telemetry }: SsmGrantsOptions, timeoutMs: number): Promise<Grant[]> {
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
