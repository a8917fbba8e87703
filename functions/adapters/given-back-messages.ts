import type { SQSClient } from '@aws-sdk/client-sqs';
import { awsFailure } from './aws-failure.ts';
import { lazy } from './lazy.ts';

/** Longest time of the requests, ms. */
const defaultTimeoutMs = 2_000;

/** What giving messages back needs. */
export interface GivenBackOptions {
  /** called at the first need: most workers never crash */
  sqs: () => Promise<SQSClient>;
  queueUrl: string;
  /** longest time of the requests, retries included, ms; 2 s */
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
    const { ChangeMessageVisibilityCommand } = await import('./sqs-client.ts');
    const limit = { abortSignal: AbortSignal.timeout(timeoutMs) };
    // One by one: a batch answers 200 also where it did nothing, and a crash is rare.
    const results = await Promise.allSettled(
      receiptHandles.map(async (ReceiptHandle) => {
        const command = new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle, VisibilityTimeout: seconds });
        await (await client()).send(command, limit);
      }),
    );
    for (const result of results) {
      if (result.status === 'rejected') throw awsFailure('renewals_unavailable', 'sqs:ChangeMessageVisibility', result.reason);
    }
  };
}
