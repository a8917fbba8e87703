import type { SendMessageBatchCommandOutput, SendMessageBatchRequestEntry, SQSClient } from '@aws-sdk/client-sqs';
import { TokenVendingError } from '../core/errors.ts';
import type { QueuedRenewals, RenewalQueue } from '../core/ports.ts';
import { awsFailure } from './aws-failure.ts';
import { lazy } from './lazy.ts';

/** SQS takes at most 10 messages and 256 KiB in one request. */
const mostMessages = 10;
const mostBytes = 256 * 1024;

/** Requests under way at once. */
const together = 8;

/** Longest time of one request, ms. */
const defaultTimeoutMs = 2_000;

/** Longest name of a group that SQS takes; the partition of a long account's name may be longer. */
const groupCharacters = 128;

/** What the queue needs. */
export interface RenewalQueueOptions {
  /** called at the first need: at most ticks nothing is due */
  sqs: () => Promise<SQSClient>;
  queueUrl: string;
  /** longest time of one request, retries included, ms; 2 s */
  timeoutMs?: number | undefined;
}

/**
 * The queue between dispatcher and workers. Each provider's origin is a message group: a standard queue serves its groups fairly, so
 * that a slow provider does not starve the others.
 *
 * @returns the queue; throws `renewals_unavailable` when all was tried and some of it was not taken
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export function createRenewalQueue(options: RenewalQueueOptions): RenewalQueue {
  const client = lazy(options.sqs);
  return {
    async send(messages) {
      const batches = toBatches(messages);
      const failures: unknown[] = [];
      for (let from = 0; from < batches.length; from += together) {
        const results = await Promise.allSettled(batches.slice(from, from + together).map((batch) => sendBatch(client, options, batch)));
        failures.push(...results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])));
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}

async function sendBatch(
  client: () => Promise<SQSClient>,
  { queueUrl, timeoutMs = defaultTimeoutMs }: RenewalQueueOptions,
  batch: Batch,
): Promise<void> {
  const { SendMessageBatchCommand } = await import('./sqs-client.ts');
  const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: batch });
  let answer: SendMessageBatchCommandOutput;
  try {
    answer = await (await client()).send(command, { abortSignal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    throw awsFailure('renewals_unavailable', 'sqs:SendMessageBatch', error);
  }
  const failed = answer.Failed ?? [];
  if (failed.length === 0) return;
  const evidence = { operation: 'sqs:SendMessageBatch', code: failed[0]?.Code ?? 'unknown', failed: failed.length, of: batch.length };
  throw new TokenVendingError('renewals_unavailable', {}, evidence);
}

type Batch = SendMessageBatchRequestEntry[];

function toBatches(messages: readonly QueuedRenewals[]): Batch[] {
  const batches: Batch[] = [];
  let bytes = 0;
  for (const message of messages) {
    const body = JSON.stringify(message);
    const size = Buffer.byteLength(body);
    const last = batches.at(-1);
    const fits = last !== undefined && last.length < mostMessages && bytes + size <= mostBytes;
    const entry = {
      Id: String(fits ? last.length : 0),
      MessageBody: body,
      MessageGroupId: message.group.slice(0, groupCharacters),
      DelaySeconds: message.delaySeconds,
    };
    if (fits) last.push(entry);
    else batches.push([entry]);
    bytes = (fits ? bytes : 0) + size;
  }
  return batches;
}
