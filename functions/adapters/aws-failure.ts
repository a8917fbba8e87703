import { TokenVendingError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';

/** What is kept of an AWS error. Its message is not: it names ARNs, accounts and sometimes values. */
export interface AwsEvidence {
  operation: string;
  /** AWS's error code, or the name of what went wrong on the way (`TimeoutError`, `ECONNREFUSED`) */
  code: string;
  status?: number;
  requestId?: string;
}

/**
 * @param code which outage this is for the caller
 * @param operation the call that failed, e.g. `dynamodb:GetItem`
 * @param error what the SDK threw
 * @returns the error to throw instead, without AWS's message
 */
export function awsFailure(code: ErrorCode, operation: string, error: unknown): TokenVendingError {
  return new TokenVendingError(code, {}, evidenceOf(operation, error));
}

/** @returns AWS's error code; compare this and never a message */
export function awsCodeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function evidenceOf(operation: string, error: unknown): AwsEvidence {
  const evidence: AwsEvidence = { operation, code: awsCodeOf(error) };
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  if (typeof metadata === 'object' && metadata !== null) {
    if ('httpStatusCode' in metadata && typeof metadata.httpStatusCode === 'number') evidence.status = metadata.httpStatusCode;
    if ('requestId' in metadata && typeof metadata.requestId === 'string') evidence.requestId = metadata.requestId;
  }
  return evidence;
}
