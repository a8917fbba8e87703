import type { LocalFunctions } from '../local-functions.ts';
import { AwsError } from './protocol.ts';

/** Lambda's limit for what is sent and answered. */
const PAYLOAD_BYTES = 6 * 1024 * 1024;

/** An answer of Lambda's REST protocol. */
export interface LambdaAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/**
 * Lambda's Invoke: waits for the answer, or takes an event and answers at once.
 *
 * @param name of the function, or its ARN
 * @param payload the event as JSON
 * @param waits false for the invocation type `Event`
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export async function invokeFunction(functions: LocalFunctions, name: string, payload: string, waits: boolean): Promise<LambdaAnswer> {
  const plain = name.slice(name.lastIndexOf(':') + 1);
  if (!functions.has(plain)) throw new AwsError('ResourceNotFoundException', `Function not found: ${name}`, 404);
  if (payload.length > PAYLOAD_BYTES) throw new AwsError('RequestTooLargeException', 'The payload is larger than 6 MB', 413);
  const invocation = functions.invoke(plain, payload === '' ? {} : JSON.parse(payload));
  if (!waits) return { status: 202, headers: {}, body: '' };
  const outcome = await invocation;
  const headers = { 'content-type': 'application/json', 'x-amz-executed-version': '$LATEST' };
  if ('error' in outcome) {
    return { status: 200, headers: { ...headers, 'x-amz-function-error': 'Unhandled' }, body: JSON.stringify(outcome.error) };
  }
  return { status: 200, headers, body: JSON.stringify(outcome.result) };
}
