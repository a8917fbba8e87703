import type { InvokeCommandOutput, LambdaClient } from '@aws-sdk/client-lambda';
import { TokenVendingError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Renewals } from '../core/ports.ts';
import { awsFailure } from './aws-failure.ts';
import { lazy } from './lazy.ts';
import { decodeOutcome, encodeCommand } from './renewal-codec.ts';

/** What reaching the renewing function needs. */
export interface LambdaRenewalsOptions {
  /** called at the first need; must not retry by itself */
  lambda: () => Promise<LambdaClient>;
  /** name or ARN of the renewing function */
  functionName: string;
}

/**
 * The renewing function, invoked and waited for.
 *
 * @returns the renewals; throws `too_slow` after the caller's time-out, `store_unavailable`, `secrets_unavailable` or
 *   `keys_unavailable` where the function ends with that, and `renewals_unavailable` where it cannot be invoked or ends otherwise
 */
export function createLambdaRenewals({ lambda, functionName }: LambdaRenewalsOptions): Renewals {
  const client = lazy(lambda);
  return {
    async invoke(command, timeoutMs) {
      const abortSignal = AbortSignal.timeout(Math.max(0, Math.ceil(timeoutMs)));
      const payload = Buffer.from(JSON.stringify(encodeCommand(command)));
      const answer = await send(client, functionName, payload, abortSignal);
      if (answer.FunctionError !== undefined) throw functionError(answer);
      return decodeOutcome(parsed(answer));
    },
  };
}

async function send(
  client: () => Promise<LambdaClient>,
  functionName: string,
  payload: Uint8Array,
  abortSignal: AbortSignal,
): Promise<InvokeCommandOutput> {
  try {
    const { InvokeCommand } = await import('./lambda-client.ts');
    return await (await client()).send(new InvokeCommand({ FunctionName: functionName, Payload: payload }), { abortSignal });
  } catch (error) {
    throw awsFailure(abortSignal.aborted ? 'too_slow' : 'renewals_unavailable', 'lambda:Invoke', error);
  }
}

/** Outages behind the renewing function, which its caller may name as well. */
const passedOn: ReadonlySet<unknown> = new Set<ErrorCode>(['store_unavailable', 'secrets_unavailable', 'keys_unavailable']);

/** The function's own words stay out: of its payload only the type counts, and the message where it is one of our codes. */
function functionError(answer: InvokeCommandOutput): TokenVendingError {
  const payload = parsed(answer);
  const type = memberOf(payload, 'errorType');
  const ours = type === 'TokenVendingError' ? memberOf(payload, 'errorMessage') : undefined;
  const code = ours !== undefined && /^[a-z_]{1,40}$/.test(ours) ? ours : (type ?? answer.FunctionError);
  const evidence = { operation: 'lambda:Invoke', code, functionError: answer.FunctionError };
  return new TokenVendingError(isPassedOn(code) ? code : 'renewals_unavailable', {}, evidence);
}

function isPassedOn(code: unknown): code is ErrorCode {
  return passedOn.has(code);
}

function parsed({ Payload }: InvokeCommandOutput): unknown {
  try {
    return JSON.parse(Buffer.from(Payload ?? []).toString());
  } catch {
    return undefined;
  }
}

function memberOf(payload: unknown, name: 'errorType' | 'errorMessage'): string | undefined {
  if (typeof payload !== 'object' || payload === null || !(name in payload)) return undefined;
  const value: unknown = Reflect.get(payload, name);
  return typeof value === 'string' ? value : undefined;
}
