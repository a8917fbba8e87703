import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { acknowledge } from './service-function.ts';

/** Six times the worker's 30 s, as AWS advises: while Lambda throttles, it tries the same receive again for this long. */
const visibility = Duration.minutes(3);
/** As AWS advises. A worker gives back what crashed after 20 s, so five crashes take less than the 90 s of a message's use. */
const receives = 5;
/**
 * Above the 90 s and the delay before them, so that it is workers who drop what is too old, and count it. Far below five times the
 * visibility, so that what was received but never worked on is forgotten instead of becoming a dead letter.
 */
const retention = Duration.minutes(5);

/**
 * What is due, on its way to the workers. A standard queue whose messages carry a group: SQS then serves groups fairly, so a
 * slow provider does not starve the others, and unlike a FIFO queue it never holds a group back behind a message that failed.
 */
export class RenewalQueue extends Queue {
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string) {
    const deadLetters = new Queue(scope, `${id}DeadLetters`, {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    super(scope, id, {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: visibility,
      retentionPeriod: retention,
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: receives },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.deadLetters = deadLetters;
  }

  /**
   * Lets a function work on the queue.
   *
   * @param concurrency how many workers run at once, at least 2. It caps them and reserves nothing: where the account's concurrency
   *   is in use, Lambda throttles them, and a message waits for the end of that or for its own
   */
  feed(worker: IFunction, concurrency: number): void {
    worker.addEventSource(new SqsEventSource(this, { batchSize: 10, maxConcurrency: concurrency, reportBatchItemFailures: true }));
  }
}

/** Acknowledges that the dead letters have no dead letters of their own. */
export function acknowledgeDeadLetters(queue: RenewalQueue): void {
  acknowledge(queue.deadLetters, 'AwsSolutions-SQS3', 'This is the dead-letter queue');
}
