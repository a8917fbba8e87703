import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DecryptCommand, DisableKeyCommand, EnableKeyCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { ChangeMessageVisibilityCommand, GetQueueAttributesCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DeleteParameterCommand, paginateGetParametersByPath, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeAwsKeys } from '../../infra/local/aws/keys.ts';
import type { QueueRecord } from '../../infra/local/aws/queue-messages.ts';
import { startLocalAws, type LocalAws } from '../../infra/local/aws/local-aws.ts';
import { LocalFunctions } from '../../infra/local/local-functions.ts';

const credentials = makeAwsKeys();

describe('the local AWS, as the real clients see it', () => {
  let data: string;
  let functions: LocalFunctions;
  let events: unknown[];
  let deliveries: string[][];
  let failing: (body: string) => boolean;
  let worker: (event: { Records: readonly QueueRecord[] }) => Promise<void>;
  let visibilityMs: number;
  let aws: LocalAws;
  const config = () => ({ endpoint: aws.origin, region: 'eu-central-1', credentials, maxAttempts: 1 });
  const start = () =>
    startLocalAws({
      functions,
      keys: credentials,
      dataDirectory: data,
      secretChanged: (event) => events.push(event),
      queue: {
        name: 'renewals',
        visibilityMs,
        maxReceives: 2,
        retentionMs: 60_000,
        concurrency: 2,
        deliver: async ({ Records }) => {
          deliveries.push(Records.map(({ body }) => body));
          await worker({ Records });
          return Records.filter(({ body }) => failing(body)).map(({ messageId }) => messageId);
        },
      },
    });

  beforeEach(async () => {
    data = mkdtempSync(path.join(tmpdir(), 'local aws '));
    functions = new LocalFunctions();
    events = [];
    deliveries = [];
    failing = () => false;
    worker = async () => undefined;
    visibilityMs = 50;
    aws = await start();
  });
  afterEach(async () => {
    await aws.close();
    rmSync(data, { recursive: true });
  });

  test('a secret is created, read, replaced, listed by prefix, deleted with a way back and restored', async () => {
    const client = new SecretsManagerClient(config());
    const created = await client.send(new CreateSecretCommand({ Name: 'tokens/vidizmo/main', SecretString: '{"a":1}' }));
    await client.send(new CreateSecretCommand({ Name: 'other/x', SecretString: '{}' }));
    const put = await client.send(new PutSecretValueCommand({ SecretId: 'tokens/vidizmo/main', SecretString: '{"a":2}' }));
    const read = await client.send(new GetSecretValueCommand({ SecretId: created.ARN }));
    const previous = await client.send(new GetSecretValueCommand({ SecretId: 'tokens/vidizmo/main', VersionStage: 'AWSPREVIOUS' }));
    const listed = await client.send(new ListSecretsCommand({ Filters: [{ Key: 'name', Values: ['tokens/'] }] }));
    expect(read).toMatchObject({ SecretString: '{"a":2}', VersionId: put.VersionId, VersionStages: ['AWSCURRENT'] });
    expect(read.CreatedDate?.getFullYear()).toBeGreaterThan(2020);
    expect(previous).toMatchObject({ SecretString: '{"a":1}', VersionId: created.VersionId });
    expect(listed.SecretList?.map(({ Name }) => Name)).toEqual(['tokens/vidizmo/main']);

    await client.send(new DeleteSecretCommand({ SecretId: 'tokens/vidizmo/main', RecoveryWindowInDays: 7 }));
    await expect(client.send(new GetSecretValueCommand({ SecretId: 'tokens/vidizmo/main' }))).rejects.toThrow(
      expect.objectContaining({ name: 'InvalidRequestException' }),
    );
    expect((await client.send(new DescribeSecretCommand({ SecretId: 'tokens/vidizmo/main' }))).DeletedDate).toBeInstanceOf(Date);
    await client.send(new RestoreSecretCommand({ SecretId: 'tokens/vidizmo/main' }));
    expect((await client.send(new GetSecretValueCommand({ SecretId: 'tokens/vidizmo/main' }))).SecretString).toBe('{"a":2}');
    await client.send(new DeleteSecretCommand({ SecretId: 'tokens/vidizmo/main', ForceDeleteWithoutRecovery: true }));
    await expect(client.send(new GetSecretValueCommand({ SecretId: 'tokens/vidizmo/main' }))).rejects.toThrow(
      expect.objectContaining({ name: 'ResourceNotFoundException' }),
    );
  });

  test('a new version and a deletion are told as EventBridge tells them', async () => {
    const client = new SecretsManagerClient(config());
    const { VersionId } = await client.send(new CreateSecretCommand({ Name: 'tokens/vidizmo/main', SecretString: '{}' }));
    await client.send(new DeleteSecretCommand({ SecretId: 'tokens/vidizmo/main' }));
    expect(events).toEqual([
      expect.objectContaining({
        'detail-type': 'Secret Label Updated',
        detail: { name: 'tokens/vidizmo/main', labelUpdated: 'AWSCURRENT', versionId: VersionId },
      }),
      expect.objectContaining({ detail: expect.objectContaining({ eventName: 'DeleteSecret' }) }),
    ]);
  });

  test('a data key opens only under its own encryption context, and not while its master key is disabled', async () => {
    const client = new KMSClient(config());
    const EncryptionContext = { day: '20000', deployment: 'local' };
    const made = await client.send(new GenerateDataKeyCommand({ KeyId: aws.keyId, KeySpec: 'AES_256', EncryptionContext }));
    const decrypt = new DecryptCommand({ CiphertextBlob: made.CiphertextBlob, EncryptionContext });
    expect(made.Plaintext).toHaveLength(32);
    expect((await client.send(decrypt)).Plaintext).toEqual(made.Plaintext);
    await expect(
      client.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob, EncryptionContext: { ...EncryptionContext, day: '20001' } })),
    ).rejects.toThrow(expect.objectContaining({ name: 'InvalidCiphertextException' }));
    await client.send(new DisableKeyCommand({ KeyId: aws.keyId }));
    await expect(client.send(decrypt)).rejects.toThrow(expect.objectContaining({ name: 'DisabledException' }));
    await client.send(new EnableKeyCommand({ KeyId: aws.keyId }));
    expect((await client.send(decrypt)).Plaintext).toEqual(made.Plaintext);
  });

  test('parameters are read by path in pages of ten', async () => {
    const client = new SSMClient(config());
    for (let index = 0; index < 23; index += 1) {
      await client.send(new PutParameterCommand({ Name: `/local/grants/${index}`, Value: String(index), Type: 'String' }));
    }
    await client.send(new PutParameterCommand({ Name: '/local/grantsx', Value: 'not under it', Type: 'String' }));
    await client.send(new DeleteParameterCommand({ Name: '/local/grants/7' }));
    const pages: number[] = [];
    for await (const page of paginateGetParametersByPath({ client }, { Path: '/local/grants', Recursive: true })) {
      pages.push(page.Parameters?.length ?? 0);
    }
    expect(pages).toEqual([10, 10, 2]);
  });

  test('messages reach the worker in batches, come again when it names them as failed, and end as dead letters', async () => {
    const client = new SQSClient(config());
    failing = (body) => body === 'bad';
    const Entries = ['good', 'bad'].map((MessageBody, index) => ({ Id: String(index), MessageBody, MessageGroupId: 'a' }));
    const sent = await client.send(new SendMessageBatchCommand({ QueueUrl: aws.queue.url, Entries }));
    expect(sent.Successful).toHaveLength(2);
    while (aws.queue.deadLetters.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(deliveries).toEqual([['good', 'bad'], ['bad']]);
    expect(aws.queue.deadLetters.map(({ body }) => body)).toEqual(['bad']);
  });

  test('a message that a worker gives back comes again when it said', async () => {
    failing = (body) => body === 'bad';
    visibilityMs = 3_600_000;
    await aws.close();
    aws = await start();
    const client = new SQSClient(config());
    const giveBack = (ReceiptHandle: string) =>
      client.send(new ChangeMessageVisibilityCommand({ QueueUrl: aws.queue.url, ReceiptHandle, VisibilityTimeout: 0 }));
    worker = async ({ Records }) => {
      for (const { receiptHandle } of Records) await giveBack(receiptHandle);
    };
    await client.send(new SendMessageBatchCommand({ QueueUrl: aws.queue.url, Entries: [{ Id: '0', MessageBody: 'bad' }] }));
    while (aws.queue.deadLetters.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(deliveries).toEqual([['bad'], ['bad']]);
    await expect(giveBack('nobody')).rejects.toMatchObject({ name: 'ReceiptHandleIsInvalid' });
  });

  test('a message that is held back reaches the worker after its time, and counts as delayed until then', async () => {
    const client = new SQSClient(config());
    const QueueUrl = aws.queue.url;
    const sentMs = Date.now();
    const Entries = [
      { Id: '0', MessageBody: 'later', DelaySeconds: 1 },
      { Id: '1', MessageBody: 'now' },
    ];
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
    while (deliveries.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(deliveries).toEqual([['now'], ['later']]);
    expect(Date.now() - sentMs).toBeGreaterThanOrEqual(1_000);
    expect(Attributes).toMatchObject({ ApproximateNumberOfMessagesDelayed: '1' });
    const tooLong = new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: '0', MessageBody: 'never', DelaySeconds: 901 }] });
    await expect(client.send(tooLong)).rejects.toThrow(expect.objectContaining({ name: 'InvalidParameterValue' }));
  });

  test('a function is invoked with copies, and what it throws is its answer', async () => {
    const client = new LambdaClient(config());
    functions.add('echo', { handler: (event, context) => ({ event, left: context.getRemainingTimeInMillis() > 0 }), timeoutMs: 1_000 });
    functions.add('throws', {
      handler: () => {
        throw new RangeError('no');
      },
      timeoutMs: 1_000,
    });
    functions.add('sleeps', { handler: () => new Promise(() => undefined), timeoutMs: 20 });
    const invoke = async (FunctionName: string) => {
      const answer = await client.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ a: 1 }) }));
      return { error: answer.FunctionError, payload: JSON.parse(Buffer.from(answer.Payload ?? []).toString()) as unknown };
    };
    expect(await invoke('echo')).toEqual({ error: undefined, payload: { event: { a: 1 }, left: true } });
    expect(await invoke('throws')).toMatchObject({ error: 'Unhandled', payload: { errorType: 'RangeError', errorMessage: 'no' } });
    expect(await invoke('sleeps')).toMatchObject({ error: 'Unhandled', payload: { errorType: 'Sandbox.Timedout' } });
    await expect(invoke('nobody')).rejects.toThrow(expect.objectContaining({ name: 'ResourceNotFoundException' }));
  });

  test('secrets, keys and parameters outlive the process, in a file for its owner alone', async () => {
    const secrets = new SecretsManagerClient(config());
    await secrets.send(new CreateSecretCommand({ Name: 'tokens/vidizmo/main', SecretString: 'kept' }));
    const { CiphertextBlob, Plaintext } = await new KMSClient(config()).send(
      new GenerateDataKeyCommand({ KeyId: aws.keyId, KeySpec: 'AES_256' }),
    );
    await aws.close();
    aws = await start();
    const read = await new SecretsManagerClient(config()).send(new GetSecretValueCommand({ SecretId: 'tokens/vidizmo/main' }));
    expect(read.SecretString).toBe('kept');
    expect((await new KMSClient(config()).send(new DecryptCommand({ CiphertextBlob }))).Plaintext).toEqual(Plaintext);
    expect(statSync(path.join(data, 'aws.json')).mode & 0o777).toBe(0o600);
    expect(readFileSync(path.join(data, 'aws.json'), 'utf8')).toContain('kept');
  });

  test('calls are counted by operation', async () => {
    const client = new SecretsManagerClient(config());
    await client.send(new ListSecretsCommand({}));
    await client.send(new GetSecretValueCommand({ SecretId: 'none' })).catch(() => undefined);
    expect(aws.counters()).toEqual({ 'secretsmanager.ListSecrets': 1, 'secretsmanager.GetSecretValue': 1 });
  });
});
