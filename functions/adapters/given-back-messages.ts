import type { ChangeMessageVisibilityBatchCommandOutput, SQSClient } from '@aws-sdk/client-sqs';
import { TokenVendingError } from '../core/errors.ts';
import { awsFailure } from './aws-failure.ts';
import { lazy } from './lazy.ts';

const operation = 'sqs:ChangeMessageVisibilityBatch';

/** Longest time of the request, ms. */
const defaultTimeoutMs = 2_000;

/** What giving messages back needs. */
export interface GivenBackOptions {
  /** called at the first need: most workers never crash */
  sqs: () => Promise<SQSClient>;
  queueUrl: string;
  /** longest time of the request, retries included, ms; 2 s */
  timeoutMs?: number | undefined;
}

/**
 * @param receiptHandles of one batch, at most 10 messages
 * @param seconds until the queue hands them out again
 */
export type GiveBack = (receiptHandles: readonly string[], seconds: number) => Promise<void>;

/** @returns gives messages back to the queue before their visibility ends; throws `renewals_unavailable` where it did not take all of them */
export function createGiveBack({ sqs, queueUrl, timeoutMs = defaultTimeoutMs }: GivenBackOptions): GiveBack {
  const client = lazy(sqs);
  return async (receiptHandles, seconds) => {
    const Entries = receiptHandles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: seconds }));
    const { ChangeMessageVisibilityBatchCommand } = await import('./sqs-client.ts');
    const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries });
    let answer: ChangeMessageVisibilityBatchCommandOutput;
    try {
      answer = await (await client()).send(command, { abortSignal: AbortSignal.timeout(timeoutMs) });
    } catch (error) {
      throw awsFailure('renewals_unavailable', operation, error);
    }
    const [failed] = answer.Failed ?? [];
    if (failed !== undefined) throw new TokenVendingError('renewals_unavailable', {}, { operation, code: failed.Code ?? 'unknown' });
  };
}
