import { createDynamoDb, createLambda } from '../functions/adapters/aws-clients.ts';
import { createLambdaRenewals } from '../functions/adapters/lambda-renewals.ts';
import { createSystemClock } from '../functions/adapters/system.ts';
import { createTokenTable } from '../functions/adapters/token-table.ts';
import { TokenVendingError } from '../functions/core/errors.ts';
import { createManageAccounts } from '../functions/core/manage-accounts.ts';
import type { Telemetry } from '../functions/core/ports.ts';
import { timing } from '../functions/core/timing.ts';
import { providersById } from '../functions/providers/index.ts';
import { readArguments, usage, UsageError } from './account/arguments.ts';
import { runCommand } from './account/commands.ts';
import type { CommandDeps } from './account/commands.ts';
import { findTarget } from './account/target.ts';
import { PlainError } from './local/plain-error.ts';
import type { Operations } from './operations.ts';

// Works with the operator's own AWS credentials, not through the HTTP API: docs/decisions/0012-operators-use-aws-credentials.md.

const providers = providersById();
/** What an operator sees is what the commands say. */
const silent: Telemetry = { audit() {}, metric() {}, log() {} };
/** A first call pays for a cold start and a TLS connection of the operator's own. */
const TABLE_TIMEOUT_MS = 10_000;
const CHECK_TIMEOUT_MS = 35_000;

function connect({ table, renew, secrets }: Operations): CommandDeps {
  const clock = createSystemClock();
  const store = createTokenTable({ client: createDynamoDb(), tableName: table, clock, telemetry: silent, timeoutMs: TABLE_TIMEOUT_MS });
  const renewals = createLambdaRenewals({ lambda: createLambda, functionName: renew });
  const manage = createManageAccounts({ store, renewals, clock, timing, providers });
  return { manage, renewals, clock, secretPrefix: secrets, timeoutMs: CHECK_TIMEOUT_MS };
}

async function main(): Promise<number> {
  const asked = readArguments(process.argv.slice(2), providers);
  if (asked.help) {
    process.stdout.write(usage);
    return 0;
  }
  const { lines, exitCode } = await runCommand(connect(await findTarget(asked.place)), asked.command);
  process.stdout.write(`${lines.join('\n')}\n`);
  return exitCode;
}

function inPlainWords(error: unknown): string {
  if (error instanceof PlainError) return error.message;
  if (!(error instanceof TokenVendingError)) throw error;
  const { operation, code } = evidenceOf(error.cause);
  if (error.code === 'too_slow') return 'The renewing function did not answer in time; its logs say why.';
  return `It did not work: ${error.code.replaceAll('_', ' ')}${operation === undefined ? '' : ` (${operation} answered ${code})`}.`;
}

function evidenceOf(cause: unknown): { operation?: string; code?: string } {
  if (typeof cause !== 'object' || cause === null) return {};
  const text = (name: string): string | undefined => {
    const value: unknown = Reflect.get(cause, name);
    return typeof value === 'string' ? value : undefined;
  };
  const operation = text('operation');
  return operation === undefined ? {} : { operation, code: text('code') ?? 'an error' };
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${inPlainWords(error)}\n`);
  if (error instanceof UsageError) process.stderr.write('npm run account -- --help shows what there is.\n');
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
