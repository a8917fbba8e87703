import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { arn, AwsError, operation, type Service } from './protocol.ts';
import { md5, recordOf, type Message, type QueueRecord } from './queue-messages.ts';

/** How the queue and its workers behave; the defaults of a run are the stack's own. */
export interface QueueOptions {
  name: string;
  /** how long a message is invisible after a worker took it, ms */
  visibilityMs: number;
  /** receives after which a message that fails is moved to the dead letters */
  maxReceives: number;
  /** older messages vanish, ms */
  retentionMs: number;
  /** batches in work at once */
  concurrency: number;
  /** hands a batch to the worker. Resolves to the ids of messages that failed; rejects where all of them did */
  deliver(event: { Records: readonly QueueRecord[] }): Promise<readonly string[]>;
}

const BATCH = 10;
const MESSAGE_BYTES = 1024 * 1024;
/** Seconds for which a message may be held back. */
const LONGEST_DELAY = 900;

/**
 * The queue between dispatcher and workers, with Lambda's polling of it: batches of up to 10, partial answers, and a
 * dead-letter list. It lives in memory, because the next tick of the schedule finds again whatever a crash loses.
 */
export class LocalQueue {
  readonly service: Service;
  readonly url: string;
  readonly deadLetters: { id: string; body: string }[] = [];
  readonly #options: QueueOptions;
  readonly #messages: Message[] = [];
  readonly #working = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param origin of the server that answers for the queue's URL */
  constructor(origin: string, options: QueueOptions) {
    this.#options = options;
    this.url = `${origin}/111122223333/${options.name}`;
    this.service = {
      SendMessage: operation(sendShape, (input) => this.#sendOne(input)),
      SendMessageBatch: operation(batchShape, (input) => this.#sendBatch(input)),
      ChangeMessageVisibility: operation(visibilityShape, (input) => this.#changeVisibility(input)),
      GetQueueAttributes: operation({ QueueUrl: z.string() }, ({ QueueUrl }) => this.#attributes(QueueUrl)),
      PurgeQueue: operation({ QueueUrl: z.string() }, () => {
        this.#messages.length = 0;
        return {};
      }),
    };
  }

  /** Takes no further batch; resolves when those in work are done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.allSettled(this.#working);
  }

  /** Resolves when no message is left that a worker could take now or has in work, or at the stop. */
  async settled(): Promise<void> {
    while (!this.#stopped && (this.#working.size > 0 || this.#visible().length > 0)) {
      await Promise.allSettled(this.#working);
      this.#work();
    }
  }

  #sendOne({ QueueUrl, ...message }: z.infer<typeof sendSchema>) {
    this.#check(QueueUrl);
    if (Buffer.byteLength(message.MessageBody) > MESSAGE_BYTES)
      throw new AwsError('InvalidParameterValue', 'The message is longer than 1 MiB');
    checkDelay(message);
    return this.#add(message);
  }

  #sendBatch({ QueueUrl, Entries }: z.infer<typeof batchSchema>) {
    this.#check(QueueUrl);
    if (Entries.length === 0) throw new AwsError('com.amazonaws.sqs#EmptyBatchRequest', 'There is no entry in the batch request.');
    if (Entries.length > BATCH)
      throw new AwsError('com.amazonaws.sqs#TooManyEntriesInBatchRequest', 'Maximum number of entries per request are 10.');
    if (new Set(Entries.map(({ Id }) => Id)).size < Entries.length) {
      throw new AwsError('com.amazonaws.sqs#BatchEntryIdsNotDistinct', 'Two entries have the same Id.');
    }
    if (Entries.reduce((sum, { MessageBody }) => sum + Buffer.byteLength(MessageBody), 0) > MESSAGE_BYTES) {
      throw new AwsError('com.amazonaws.sqs#BatchRequestTooLong', 'The entries together are longer than 1 MiB.');
    }
    Entries.forEach(checkDelay);
    const Successful = Entries.map(({ Id, ...message }) => ({ Id, ...this.#add(message) }));
    return { Successful, Failed: [] };
  }

  #add({ MessageBody: body, MessageGroupId: group, DelaySeconds: delay = 0 }: Omit<z.infer<typeof sendSchema>, 'QueueUrl'>) {
    const id = randomUUID();
    const sentAtMs = Date.now();
    const invisibleUntilMs = sentAtMs + delay * 1_000;
    this.#messages.push({ id, body, group, sentAtMs, firstReceivedMs: undefined, receives: 0, receiptHandle: '', invisibleUntilMs });
    setImmediate(() => this.#work());
    return { MessageId: id, MD5OfMessageBody: md5(body) };
  }

  #changeVisibility({ QueueUrl, ReceiptHandle, VisibilityTimeout }: z.infer<typeof visibilitySchema>) {
    this.#check(QueueUrl);
    const message = this.#messages.find(({ receiptHandle }) => receiptHandle === ReceiptHandle);
    if (message === undefined) throw new AwsError('ReceiptHandleIsInvalid', 'The specified receipt handle is not valid.');
    message.invisibleUntilMs = Date.now() + VisibilityTimeout * 1_000;
    return {};
  }

  #check(url: string): void {
    if (url !== this.url) throw new AwsError('com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist.');
  }

  #attributes(url: string) {
    this.#check(url);
    const visible = this.#visible().length;
    const delayed = this.#messages.filter((message) => isDelayed(message, Date.now())).length;
    return {
      Attributes: {
        ApproximateNumberOfMessages: String(visible),
        ApproximateNumberOfMessagesDelayed: String(delayed),
        ApproximateNumberOfMessagesNotVisible: String(this.#messages.length - visible - delayed),
        VisibilityTimeout: String(this.#options.visibilityMs / 1000),
        QueueArn: arn('sqs', this.#options.name),
      },
    };
  }

  #visible(): Message[] {
    const nowMs = Date.now();
    return this.#messages.filter(({ invisibleUntilMs }) => invisibleUntilMs <= nowMs);
  }

  /** Starts as many batches as may run, and comes back when the next message shows again. */
  #work(): void {
    if (this.#stopped) return;
    this.#sweep();
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      const working = this.#deliver(batch).finally(() => {
        this.#working.delete(working);
        this.#work();
      });
      this.#working.add(working);
    }
    clearTimeout(this.#timer);
    const next = this.#messages.reduce((earliest, { invisibleUntilMs }) => Math.min(earliest, invisibleUntilMs), Infinity);
    if (next !== Infinity) this.#timer = setTimeout(() => this.#work(), Math.max(next - Date.now(), 10)).unref();
  }

  /** Moves what failed too often, and drops what is too old. */
  #sweep(): void {
    const { maxReceives, retentionMs } = this.#options;
    for (const message of this.#visible()) {
      const dead = message.receives >= maxReceives;
      if (!dead && message.sentAtMs + retentionMs > Date.now()) continue;
      if (dead) this.deadLetters.push({ id: message.id, body: message.body });
      this.#remove(message);
    }
  }

  /** Groups with the fewest messages in work come first, so that a slow one does not starve the others. */
  #take(): Message[] {
    if (this.#working.size >= this.#options.concurrency) return [];
    const nowMs = Date.now();
    const busy = new Map<string | undefined, number>();
    for (const message of this.#messages) {
      const inWork = message.invisibleUntilMs > nowMs && !isDelayed(message, nowMs);
      busy.set(message.group, (busy.get(message.group) ?? 0) + Number(inWork));
    }
    const batch = this.#visible()
      .toSorted((a, b) => (busy.get(a.group) ?? 0) - (busy.get(b.group) ?? 0))
      .slice(0, BATCH);
    for (const message of batch) {
      message.receives += 1;
      message.receiptHandle = randomUUID();
      message.firstReceivedMs ??= nowMs;
      message.invisibleUntilMs = nowMs + this.#options.visibilityMs;
    }
    return batch;
  }

  async #deliver(batch: readonly Message[]): Promise<void> {
    try {
      const failed = await this.#options.deliver({ Records: batch.map((message) => recordOf(message, this.#options.name)) });
      for (const message of batch) if (!failed.includes(message.id)) this.#remove(message);
    } catch {
      // A worker that dies acknowledges nothing: every message shows again after its visibility timeout.
    }
  }

  #remove(message: Message): void {
    const index = this.#messages.indexOf(message);
    if (index !== -1) this.#messages.splice(index, 1);
  }
}

function isDelayed({ receives, invisibleUntilMs }: Message, nowMs: number): boolean {
  return receives === 0 && invisibleUntilMs > nowMs;
}

function checkDelay({ DelaySeconds: delay = 0 }: { DelaySeconds?: number | undefined }): void {
  if (Number.isInteger(delay) && delay >= 0 && delay <= LONGEST_DELAY) return;
  const reason = `Value ${delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= ${LONGEST_DELAY}.`;
  throw new AwsError('InvalidParameterValue', reason);
}

const messageShape = { MessageBody: z.string(), MessageGroupId: z.optional(z.string()), DelaySeconds: z.optional(z.number()) };
const sendShape = { QueueUrl: z.string(), ...messageShape };
const sendSchema = z.object(sendShape);
const entrySchema = z.object({ Id: z.string(), ...messageShape });
const batchShape = { QueueUrl: z.string(), Entries: z.array(entrySchema) };
const batchSchema = z.object(batchShape);
const visibilityShape = { QueueUrl: z.string(), ReceiptHandle: z.string(), VisibilityTimeout: z.number() };
const visibilitySchema = z.object(visibilityShape);
