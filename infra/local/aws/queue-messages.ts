import { createHash } from 'node:crypto';
import { arn, region } from './protocol.ts';

/** A message in the queue. */
export interface Message {
  id: string;
  body: string;
  group: string | undefined;
  sentAtMs: number;
  firstReceivedMs: number | undefined;
  receives: number;
  /** names the last receive of it, to who received it */
  receiptHandle: string;
  /** it is held back, or a worker has it, or had it and failed, until then; ms since the epoch */
  invisibleUntilMs: number;
}

/** What of a message is told to the worker, the constants apart. */
export interface QueueRecord {
  messageId: string;
  receiptHandle: string;
  body: string;
  attributes: Readonly<Record<string, string>>;
}

/** @returns MD5 of a text, which SQS's clients check */
export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/**
 * @returns the message as Lambda hands it to a worker
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
 */
export function recordOf(message: Message, queueName: string): QueueRecord & Readonly<Record<string, unknown>> {
  return {
    messageId: message.id,
    receiptHandle: message.receiptHandle,
    body: message.body,
    attributes: {
      ApproximateReceiveCount: String(message.receives),
      SentTimestamp: String(message.sentAtMs),
      SenderId: 'AROALOCAL:dispatch-renewals',
      ApproximateFirstReceiveTimestamp: String(message.firstReceivedMs),
      ...(message.group === undefined ? {} : { MessageGroupId: message.group }),
    },
    messageAttributes: {},
    md5OfBody: md5(message.body),
    eventSource: 'aws:sqs',
    eventSourceARN: arn('sqs', queueName),
    awsRegion: region,
  };
}
