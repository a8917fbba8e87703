import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ChangeMessageVisibilityCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SendMessageBatchCommandInput } from '@aws-sdk/client-sqs';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createGiveBack } from '../../../functions/adapters/given-back-messages.ts';
import { createLambdaRenewals } from '../../../functions/adapters/lambda-renewals.ts';
import { decodeCommand, decodeOutcome, encodeCommand, encodeOutcome } from '../../../functions/adapters/renewal-codec.ts';
import { createRenewalQueue } from '../../../functions/adapters/renewal-queue.ts';
import type { QueuedRenewals } from '../../../functions/core/ports.ts';
import type { Outcome, RenewCommand } from '../../../functions/core/renewal.ts';

const ref = { provider: 'vidizmo', account: 'main' };
const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const bytesOf = (value: unknown) => new Uint8Array(Buffer.from(JSON.stringify(value)));

const message = (account: number, sets = 1): QueuedRenewals => ({
  partition: `vidizmo/${account}`,
  group: `origin-${account % 3}`,
  sets: Array.from({ length: sets }, (_, index) => ({ sort: `set#${index}`, dueAtMs: 5 })),
  sentAtMs: 9,
});

const commands: RenewCommand[] = [
  { command: 'renew', ref, parameters: { profile: 'p', deep: true, count: 2 }, minTtlMs: 60_000, rejected: 'f' },
  { command: 'renew', ref, parameters: {}, minTtlMs: 0 },
  { command: 'renew_due', key: { partition: 'vidizmo/main', sort: 'set#x' }, dueAtMs: 5 },
  { command: 'revoke', ref, parameters: {} },
  { command: 'secret_changed', ref },
  { command: 'reset', ref },
  { command: 'check', ref },
];

const outcomes: Outcome[] = [
  {
    outcome: 'renewed',
    item: {
      generation: 7,
      sealed: new Uint8Array([0, 255, 7]),
      obtainedAtMs: 1,
      expiresAtMs: 2,
      refreshExpiresAtMs: 3,
      secretVersion: 'v',
      lifeMs: 1,
      refreshRefused: true,
      lease: { by: 'a', untilMs: 1 },
      doubt: { sinceMs: 1, count: 2 },
      committedBy: 'a',
      failure: { code: 'needs_consent', atMs: 1, notBeforeMs: 2, providerError: 'e', secretVersion: 'v' },
      warmUntilMs: 9,
      dueShard: 0,
      dueAtMs: 8,
    },
  },
  { outcome: 'current', item: undefined },
  { outcome: 'current', item: { generation: 1 } },
  { outcome: 'wait', retryAtMs: 5 },
  { outcome: 'refused', refusal: { reason: 'misconfigured', retryAtMs: 1, providerError: 'e', field: 'base_url', rule: 'must be https' } },
  { outcome: 'bad_request', maximumSeconds: 60 },
  { outcome: 'done', revokedAtProvider: false },
];

describe('commands and outcomes between the functions', () => {
  test.each(commands)('the command $command comes through as it was sent', (command) => {
    expect(decodeCommand(overTheWire(encodeCommand(command)))).toEqual(command);
  });

  test.each(outcomes)('the outcome $outcome comes through as it was sent', (outcome) => {
    expect(decodeOutcome(overTheWire(encodeOutcome(outcome)))).toEqual(outcome);
  });

  test.each([undefined, null, 'x', {}, { command: 'delete', ref }, { command: 'check', ref, more: 1 }, { command: 'check', ref: {} }])(
    'refuses %j as a command',
    (payload) => {
      expect(() => decodeCommand(payload)).toThrow(expect.objectContaining({ code: 'internal' }));
    },
  );

  test('refuses an outcome whose sealed bytes are no base64, and drops members that a newer function may send', () => {
    expect(() => decodeOutcome({ outcome: 'renewed', item: { generation: 1, sealed: '*' } })).toThrow(
      expect.objectContaining({ code: 'internal' }),
    );
    expect(decodeOutcome({ outcome: 'wait', retryAtMs: 5, news: 1 })).toEqual({ outcome: 'wait', retryAtMs: 5 });
  });
});

describe('the renewing function, invoked', () => {
  const lambda = mockClient(LambdaClient);
  beforeEach(() => void lambda.reset());
  afterAll(() => lambda.restore());
  const client = new LambdaClient({ region: 'eu-central-1' });
  const renewals = createLambdaRenewals({ lambda: async () => client, functionName: 'renew' });
  const check: RenewCommand = { command: 'check', ref };

  test('is given the command and answers with the outcome', async () => {
    lambda.on(InvokeCommand).callsFake(async () => ({ Payload: bytesOf({ outcome: 'wait', retryAtMs: 5 }) }));
    expect(await renewals.invoke(check, 1_000)).toEqual({ outcome: 'wait', retryAtMs: 5 });
    const sent = lambda.commandCalls(InvokeCommand)[0]?.args[0].input;
    expect([sent?.FunctionName, JSON.parse(sent?.Payload instanceof Uint8Array ? Buffer.from(sent.Payload).toString() : '')]).toEqual([
      'renew',
      check,
    ]);
  });

  test('is too slow when the caller’s time is over', async () => {
    lambda.on(InvokeCommand).callsFake(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw Object.assign(new Error('Request aborted'), { name: 'AbortError' });
    });
    await expect(renewals.invoke(check, 1)).rejects.toMatchObject({ code: 'too_slow' });
  });

  test('is unavailable where it cannot be invoked, and is not tried twice', async () => {
    lambda.on(InvokeCommand).rejects(Object.assign(new Error('arn:aws:…'), { name: 'TooManyRequestsException' }));
    await expect(renewals.invoke(check, 1_000)).rejects.toMatchObject({
      code: 'renewals_unavailable',
      cause: { operation: 'lambda:Invoke', code: 'TooManyRequestsException' },
    });
    expect(lambda.commandCalls(InvokeCommand)).toHaveLength(1);
  });

  test.each(['store_unavailable', 'secrets_unavailable', 'keys_unavailable'])('names the outage that it ended with: %s', async (code) => {
    const payload = bytesOf({ errorType: 'TokenVendingError', errorMessage: code });
    lambda.on(InvokeCommand).callsFake(async () => ({ FunctionError: 'Unhandled', Payload: payload }));
    await expect(renewals.invoke(check, 1_000)).rejects.toMatchObject({ code });
  });

  test.each([
    [{ errorType: 'TypeError', errorMessage: 'password is secret-1', trace: ['secret-2'] }, 'TypeError'],
    [{ errorType: 'TokenVendingError', errorMessage: 'internal' }, 'internal'],
    [{ errorType: 'Error', errorMessage: 'store_unavailable' }, 'Error'],
    [{ errorType: 'TokenVendingError', errorMessage: 'Not A Code' }, 'TokenVendingError'],
    ['nonsense', 'Unhandled'],
  ])('is unavailable where it ended with %j, of which only the type or our own code is kept', async (payload, code) => {
    lambda.on(InvokeCommand).callsFake(async () => ({ FunctionError: 'Unhandled', Payload: bytesOf(payload) }));
    const error = await renewals.invoke(check, 1_000).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'renewals_unavailable', cause: { code, functionError: 'Unhandled' } });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('secret-');
  });
});

describe('the renewal queue', () => {
  const sqs = mockClient(SQSClient);
  beforeEach(() => void sqs.reset());
  afterAll(() => sqs.restore());
  const queue = createRenewalQueue({ sqs: async () => new SQSClient({ region: 'eu-central-1' }), queueUrl: 'https://queue' });
  const batches = (): SendMessageBatchCommandInput[] => sqs.commandCalls(SendMessageBatchCommand).map((call) => call.args[0].input);

  test('takes ten messages a request, each in the group of its origin', async () => {
    sqs.on(SendMessageBatchCommand).resolves({});
    const messages = Array.from({ length: 23 }, (_, index) => message(index));
    await queue.send(messages);

    expect(batches().map((batch) => batch.Entries?.length)).toEqual([10, 10, 3]);
    const entries = batches().flatMap((batch) => batch.Entries ?? []);
    expect(entries.map((entry): unknown => JSON.parse(entry.MessageBody ?? ''))).toEqual(messages);
    expect(entries.map((entry) => entry.MessageGroupId)).toEqual(messages.map(({ group }) => group));
    expect(entries.map((entry) => entry.DelaySeconds)).toEqual(messages.map(() => undefined));
    for (const { Entries } of batches()) expect(new Set(Entries?.map(({ Id }) => Id)).size).toBe(Entries?.length);
  });

  test('has SQS hold back what the dispatcher spreads over the minute', async () => {
    sqs.on(SendMessageBatchCommand).resolves({});
    await queue.send([message(1), { ...message(2), delaySeconds: 17 }]);
    expect(batches().flatMap(({ Entries }) => Entries?.map(({ DelaySeconds }) => DelaySeconds))).toEqual([undefined, 17]);
  });

  test('cuts a group’s name to the length that SQS takes', async () => {
    sqs.on(SendMessageBatchCommand).resolves({});
    await queue.send([{ ...message(1), group: 'x'.repeat(200) }]);
    expect(batches()[0]?.Entries?.[0]?.MessageGroupId).toBe('x'.repeat(128));
  });

  test('takes no more than 256 KiB a request', async () => {
    sqs.on(SendMessageBatchCommand).resolves({});
    await queue.send([1, 2, 3, 4].map((account) => message(account, 3_000)));
    const sizes = batches().map((batch) => (batch.Entries ?? []).reduce((sum, entry) => sum + (entry.MessageBody?.length ?? 0), 0));
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024);
  });

  test('sends nothing where there is nothing', async () => {
    await queue.send([]);
    expect(batches()).toEqual([]);
  });

  test('tries every request and then says that messages were not taken', async () => {
    sqs
      .on(SendMessageBatchCommand)
      .resolvesOnce({ Failed: [{ Id: '3', SenderFault: false, Code: 'InternalError', Message: 'words' }], Successful: [] })
      .resolves({});
    await expect(queue.send(Array.from({ length: 95 }, (_, index) => message(index)))).rejects.toMatchObject({
      code: 'renewals_unavailable',
      cause: { code: 'InternalError', failed: 1, of: 10 },
    });
    expect(batches()).toHaveLength(10);
  });

  test('is unavailable where SQS refuses the request', async () => {
    sqs.on(SendMessageBatchCommand).rejects(Object.assign(new Error('arn:aws:…'), { name: 'QueueDoesNotExist' }));
    await expect(queue.send([message(1)])).rejects.toMatchObject({ code: 'renewals_unavailable', cause: { code: 'QueueDoesNotExist' } });
  });
});

describe('giving crashed messages back', () => {
  const sqs = mockClient(SQSClient);
  beforeEach(() => void sqs.reset());
  afterAll(() => sqs.restore());
  const giveBack = createGiveBack({ sqs: async () => new SQSClient({ region: 'eu-central-1' }), queueUrl: 'https://queue' });

  test('has the queue hand them out again after that many seconds', async () => {
    sqs.on(ChangeMessageVisibilityCommand).resolves({});
    await giveBack(['a', 'b'], 20);
    const QueueUrl = 'https://queue';
    expect(sqs.commandCalls(ChangeMessageVisibilityCommand).map((call) => call.args[0].input)).toEqual([
      { QueueUrl, ReceiptHandle: 'a', VisibilityTimeout: 20 },
      { QueueUrl, ReceiptHandle: 'b', VisibilityTimeout: 20 },
    ]);
  });

  test('says so where the queue refuses one of them, and gives back the others', async () => {
    sqs
      .on(ChangeMessageVisibilityCommand)
      .resolves({})
      .on(ChangeMessageVisibilityCommand, { ReceiptHandle: 'a' })
      .rejects(Object.assign(new Error('arn:aws:…'), { name: 'ReceiptHandleIsInvalid' }));
    await expect(giveBack(['a', 'b'], 20)).rejects.toMatchObject({
      code: 'renewals_unavailable',
      cause: { code: 'ReceiptHandleIsInvalid' },
    });
    expect(sqs.commandCalls(ChangeMessageVisibilityCommand)).toHaveLength(2);
  });
});
