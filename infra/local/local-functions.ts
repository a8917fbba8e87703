import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { arn } from './aws/protocol.ts';

/** A Lambda handler as the entries export it. */
export type Handler = (event: unknown, context: Context) => unknown;

/** What came of an invocation: an answer, or the error that Lambda reports in an answer's place. */
export type Invocation = { result: unknown } | { error: { errorType: string; errorMessage: string; trace?: string[] } };

/** A function as it is deployed. */
export interface LocalFunction {
  handler: Handler;
  /** as in the stack, ms */
  timeoutMs: number;
}

/** The functions of a run, by name: what Lambda is to the deployed service. */
export class LocalFunctions {
  readonly #functions = new Map<string, LocalFunction>();
  readonly #running = new Set<Promise<unknown>>();

  /** Deploys a function. */
  add(name: string, deployed: LocalFunction): void {
    this.#functions.set(name, deployed);
  }

  has(name: string): boolean {
    return this.#functions.has(name);
  }

  /**
   * Invokes a function with copies, as the wire would: nobody shares an object with it.
   *
   * @param event anything that JSON can hold
   * @returns never rejects: what a handler throws, and its time running out, are values
   */
  async invoke(name: string, event: unknown): Promise<Invocation> {
    const deployed = this.#functions.get(name);
    if (deployed === undefined) throw new Error(`there is no function ${name}`);
    const running = run(name, deployed, copy(event));
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Resolves when nothing runs any more. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
}

async function run(name: string, { handler, timeoutMs }: LocalFunction, event: unknown): Promise<Invocation> {
  const endsAtMs = Date.now() + timeoutMs;
  const timer = Promise.withResolvers<Invocation>();
  const timeout = setTimeout(() => {
    const errorMessage = `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
    timer.resolve({ error: { errorType: 'Sandbox.Timedout', errorMessage } });
  }, timeoutMs);
  try {
    const answering = Promise.resolve(handler(event, contextFor(name, endsAtMs))).then((result) => ({ result: copy(result) }));
    return await Promise.race([answering, timer.promise]);
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    return { error: { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') } };
  } finally {
    clearTimeout(timeout);
  }
}

function copy(value: unknown): unknown {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as unknown);
}

function contextFor(name: string, endsAtMs: number): Context {
  return {
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: arn('lambda', `function:${name}`),
    awsRequestId: randomUUID(),
    memoryLimitInMB: '512',
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, endsAtMs - Date.now()),
    done: () => undefined,
    fail: () => undefined,
    succeed: () => undefined,
  };
}
