import type { Context, SQSBatchResponse, SQSRecord } from 'aws-lambda';
import * as z from 'zod/mini';
import { accountOfSecretName } from '../core/account-name.ts';
import type { Clock, Telemetry } from '../core/ports.ts';
import type { Outcome, RenewCommand } from '../core/renewal.ts';
import type { Timing } from '../core/timing.ts';
import { secretNameOf } from './secret-event.ts';

/** How commands and outcomes travel when another function invokes this one. */
export interface RenewalCodec {
  /** @throws where the payload is no command */
  decodeCommand(payload: unknown): RenewCommand;
  encodeOutcome(outcome: Outcome): unknown;
}

/** What the renewing function needs. */
export interface RenewTokenSetsHandlerDeps {
  renewTokenSet: (command: RenewCommand, limits: { deadlineMs: number }) => Promise<Outcome>;
  /** has the queue hand out messages again after so many seconds, instead of when their visibility ends */
  giveBack: (receiptHandles: readonly string[], seconds: number) => Promise<void>;
  codec: RenewalCodec;
  clock: Clock;
  telemetry: Telemetry;
  timing: Timing;
  /** of the accounts' secrets, without a slash at the end */
  secretPrefix: string;
}

/** Invoked by another function, fed by the queue, or told of a secret by EventBridge. */
export type RenewTokenSetsHandler = (event: unknown, context: Context) => Promise<unknown>;

/** As the stack sets it; a runtime that does not tell, or tells more, is not believed. */
const FUNCTION_TIMEOUT_MS = 30_000;
/** Left to answer before Lambda ends the function. */
const RESERVE_MS = 500;
/**
 * A message that crashed is tried again after this: longer than the lease that the crash may have left, and so soon that the queue's
 * receives are over before the message is too old. Only a crash comes again that soon, so nothing else becomes a dead letter.
 */
export const triedAgainSeconds = 20;
/** Renewals of one message at the same time; the account's log-in slots hold them apart where that matters. */
const TOGETHER = 4;

const batch = z.object({
  Records: z.array(z.object({ eventSource: z.literal('aws:sqs'), messageId: z.string(), receiptHandle: z.string(), body: z.string() })),
});

type QueueRecord = Pick<SQSRecord, 'messageId' | 'receiptHandle' | 'body'>;

/** What a worker reads of a message; its group is the queue's business. */
const queued = z.object({
  partition: z.string(),
  sets: z.array(z.object({ sort: z.string(), dueAtMs: z.number() })),
  sentAtMs: z.number(),
  delaySeconds: z.optional(z.number()),
});

/** The one function that talks to providers, in its three ways of being called. */
export function renewTokenSetsHandler(deps: RenewTokenSetsHandlerDeps): RenewTokenSetsHandler {
  return async (event, context) => {
    const limits = { deadlineMs: deps.clock.nowMs() + timeLeftMs(context) - RESERVE_MS };
    const messages = batch.safeParse(event);
    if (messages.success) return renewQueued(deps, messages.data.Records, limits);
    const secretName = secretNameOf(event);
    if (secretName !== undefined) return takeInSecret(deps, secretName, limits);
    return deps.codec.encodeOutcome(await deps.renewTokenSet(deps.codec.decodeCommand(event), limits));
  };
}

interface Limits {
  deadlineMs: number;
}

function timeLeftMs(context: Partial<Context> | undefined): number {
  return Math.min(context?.getRemainingTimeInMillis?.() ?? FUNCTION_TIMEOUT_MS, FUNCTION_TIMEOUT_MS);
}

/**
 * Acknowledges every message whose outcomes the items record, refusals included, so that what reaches the dead letters is a crash.
 * The next tick sends again whatever is still due.
 */
async function renewQueued(deps: RenewTokenSetsHandlerDeps, records: readonly QueueRecord[], limits: Limits): Promise<SQSBatchResponse> {
  const results = await Promise.all(records.map((record) => isRenewed(deps, record, limits)));
  const crashed = records.filter((_, index) => results[index] !== true);
  if (crashed.length > 0) await giveBack(deps, crashed);
  return { batchItemFailures: crashed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

async function isRenewed(deps: RenewTokenSetsHandlerDeps, { messageId, body }: QueueRecord, limits: Limits): Promise<boolean> {
  try {
    await renewMessage(deps, queued.parse(JSON.parse(body)), limits);
    return true;
  } catch (error) {
    deps.telemetry.log('error', 'A queued renewal crashed', { messageId }, error);
    return false;
  }
}

/** What the queue does not take back it hands out when its visibility ends; then it is too old, and the next tick's is worked on. */
async function giveBack(deps: RenewTokenSetsHandlerDeps, crashed: readonly QueueRecord[]): Promise<void> {
  const receiptHandles = crashed.map(({ receiptHandle }) => receiptHandle);
  await deps.giveBack(receiptHandles, triedAgainSeconds).catch((error: unknown) => {
    deps.telemetry.log('warn', 'Crashed renewals could not be given back to the queue', { messages: crashed.length }, error);
  });
}

async function renewMessage(deps: RenewTokenSetsHandlerDeps, message: z.infer<typeof queued>, limits: Limits): Promise<void> {
  const { clock, timing, telemetry, renewTokenSet } = deps;
  const { partition, sets, sentAtMs, delaySeconds = 0 } = message;
  const visibleAtMs = sentAtMs + delaySeconds * 1_000;
  const dropped = (): boolean =>
    clock.nowMs() - visibleAtMs > timing.staleMessageMs || limits.deadlineMs - clock.nowMs() < timing.acquireNeedsMs;
  for (let start = 0; start < sets.length; start += TOGETHER) {
    if (dropped()) {
      telemetry.metric('RenewalsDropped', sets.length - start, 'Count', 'renew-token-sets');
      return;
    }
    const renewals = sets
      .slice(start, start + TOGETHER)
      .map(({ sort, dueAtMs }) => renewTokenSet({ command: 'renew_due', key: { partition, sort }, dueAtMs }, limits));
    const crashed = (await Promise.allSettled(renewals)).find((result) => result.status === 'rejected');
    if (crashed !== undefined) throw crashed.reason;
  }
}

async function takeInSecret(deps: RenewTokenSetsHandlerDeps, secretName: string, limits: Limits): Promise<unknown> {
  const ref = accountOfSecretName(deps.secretPrefix, secretName);
  if (ref === undefined) return undefined;
  return deps.codec.encodeOutcome(await deps.renewTokenSet({ command: 'secret_changed', ref }, limits));
}
