import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { acknowledge } from './service-function.ts';

/** A message is invisible for this long after a worker took it: above the worker's timeout, which AWS demands. */
const visibility = Duration.seconds(45);
/** Two receives of 45 s each are the 90 s after which a renewal is too old to be worth doing. */
const receives = 2;
/** Above the 90 s, so that what fails twice is still there to be moved; below it nothing would ever reach the dead letters. */
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
   * @param concurrency how many workers run at once, at least 2: the queue waits, instead of being throttled into its dead letters
   */
  feed(worker: IFunction, concurrency: number): void {
    worker.addEventSource(new SqsEventSource(this, { batchSize: 10, maxConcurrency: concurrency, reportBatchItemFailures: true }));
  }
}

/** Acknowledges that the dead letters have no dead letters of their own. */
export function acknowledgeDeadLetters(queue: RenewalQueue): void {
  acknowledge(queue.deadLetters, 'AwsSolutions-SQS3', 'This is the dead-letter queue');
}
