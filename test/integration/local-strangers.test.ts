import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { region } from '../../infra/local/aws/protocol.ts';
import { runDocumentPath } from '../../infra/local/environment-file.ts';
import { viewLines } from '../../infra/local/log-view.ts';
import { startLocalStack, type LocalStack } from '../../infra/local/stack.ts';

// What another user of the machine, and a web page in a browser on it, get from a run: nothing.

const SecretId = 'local-own/vidizmo/mine';
const password = 'a-password-for-one-person';
let stack: LocalStack;
let showLines: () => void;

beforeAll(async () => {
  showLines = viewLines(() => undefined);
  const secret = { base_url: 'https://127.0.0.1:9', email: 'jo@example.com', password };
  stack = await startLocalStack({ accounts: { 'vidizmo/mine': secret } });
});
afterAll(async () => {
  await stack.stop();
  showLines();
});

/** What curl sends: no signature, and whatever headers one likes. */
async function post(url: string, headers: Record<string, string>, body: unknown): Promise<{ status: number; body: string }> {
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.text() };
}

const refusal = { name: 'UnrecognizedClientException' };

describe('the AWS of a run', () => {
  test('gives a secret to whoever signs with its keys, and to nobody else', async () => {
    const { accessKeyId, secretAccessKey } = stack.awsKeys;
    const read = async (credentials: LocalStack['awsKeys']) => {
      const client = new SecretsManagerClient({ endpoint: stack.aws.origin, region, credentials });
      return (await client.send(new GetSecretValueCommand({ SecretId }))).SecretString;
    };
    expect(await read(stack.awsKeys)).toContain(password);
    await expect(read({ accessKeyId: 'local', secretAccessKey: 'local' })).rejects.toMatchObject(refusal);
    await expect(read({ accessKeyId, secretAccessKey: 'guessed' })).rejects.toMatchObject(refusal);
    await expect(read({ accessKeyId: 'AKIAGUESSED', secretAccessKey })).rejects.toMatchObject(refusal);
  });

  test('gives nothing to an unsigned request, as AWS does', async () => {
    const headers = { 'x-amz-target': 'secretsmanager.GetSecretValue', 'content-type': 'application/x-amz-json-1.1' };
    const { status, body } = await post(stack.aws.origin, headers, { SecretId });
    expect([status, JSON.parse(body)]).toEqual([403, expect.objectContaining({ __type: refusal.name })]);
    expect((await fetch(`${stack.aws.origin}/_local/counters`)).status).toBe(403);
  });

  test('invokes no function for a page that sends what a browser sends without asking', async () => {
    const before = stack.aws.counters();
    const event = { requestContext: { authorizer: { jwt: { claims: { sub: 'developer' } } } } };
    for (const stem of ['vend-token', 'renew-token-sets'] as const) {
      const url = `${stack.aws.origin}/2015-03-31/functions/${stack.nameOf(stem)}/invocations`;
      expect((await post(url, { 'content-type': 'text/plain' }, event)).status).toBe(403);
    }
    expect(stack.aws.counters()).toEqual(before);
  });

  test('invokes functions for whoever signs with its keys', async () => {
    const lambda = new LambdaClient({ endpoint: stack.aws.origin, region, credentials: stack.awsKeys });
    const FunctionName = stack.nameOf('dispatch-renewals');
    expect((await lambda.send(new InvokeCommand({ FunctionName, Payload: '{}' }))).FunctionError).toBeUndefined();
  });

  test('shows its table to whoever has its keys, and to nobody else', async () => {
    const list = async (credentials: LocalStack['awsKeys']) => {
      const client = new DynamoDBClient({ endpoint: stack.dynamodbEndpoint, region, credentials });
      return (await client.send(new ListTablesCommand())).TableNames;
    };
    expect(await list(stack.awsKeys)).toEqual(['local-own']);
    await expect(list({ accessKeyId: 'local', secretAccessKey: 'local' })).rejects.toMatchObject(refusal);
    const headers = { 'x-amz-target': 'DynamoDB_20120810.ListTables', 'content-type': 'application/x-amz-json-1.0' };
    expect((await post(stack.dynamodbEndpoint, headers, {})).status).toBe(403);
  });
});

describe('the keys of a run', () => {
  test('stand in a file for its owner alone, which is gone with the run', async () => {
    const other = stack;
    const answer = await fetch(stack.url + runDocumentPath);
    const shown = await answer.text();
    const { environment: file }: { environment: string } = JSON.parse(shown);
    expect(shown).not.toContain(other.awsKeys.accessKeyId);
    expect(shown).not.toContain(new URL(other.aws.origin).port);
    expect(readFileSync(file, 'utf8')).toContain(other.awsKeys.secretAccessKey);
    expect([statSync(file).mode & 0o777, statSync(path.dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
    await stack.stop();
    expect(existsSync(path.dirname(file))).toBe(false);
    stack = await startLocalStack();
    expect(stack.awsKeys).not.toEqual(other.awsKeys);
  });
});

/** What a browser sends after another name was made to lead here. */
function statusUnder(host: string, url: string): Promise<number | undefined> {
  const { hostname, port, protocol } = new URL(url);
  const headers = { host: host.replace('HOST', hostname).replace('PORT', port) };
  const asked = protocol === 'https:' ? httpsRequest(url, { headers, rejectUnauthorized: false }) : httpRequest(url, { headers });
  return new Promise((resolve, reject) => {
    asked.on('response', (answer) => void text(answer).then(() => resolve(answer.statusCode), reject));
    asked.on('error', reject).end();
  });
}

const servers = (): [string, string][] => [
  ['gateway', stack.url],
  ['AWS', stack.aws.origin],
  ['DynamoDB', stack.dynamodbEndpoint],
  ...(stack.simulators?.origins ?? []).map((origin): [string, string] => ['simulator', origin]),
];

describe('every server of a run', () => {
  test.each([
    ['another name', 'attacker.example'],
    ['another name with its port', 'attacker.example:PORT'],
    ['a name that begins like its own', 'HOST.attacker.example:PORT'],
    ['another port', 'HOST:1'],
  ])('refuses whoever calls it by %s', async (_, host) => {
    for (const [server, url] of servers()) expect([server, await statusUnder(host, url)]).toEqual([server, 421]);
  });

  test('answers to its address and to localhost', async () => {
    for (const host of ['HOST:PORT', 'localhost:PORT']) {
      for (const [server, url] of servers()) expect([server, await statusUnder(host, url)]).not.toEqual([server, 421]);
    }
  });

  test.each(['/_local/issuerconstructor', '/_local/issuer__proto__', '/_local/issuer/toString'])(
    'outlives a request for %s',
    async (at) => {
      expect((await fetch(stack.url + at)).status).toBe(404);
      expect((await fetch(`${stack.url}/v1/openapi.json`)).status).toBe(200);
    },
  );
});
