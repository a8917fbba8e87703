import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createSystemClock } from '../../functions/adapters/system.ts';
import { createTokenTable } from '../../functions/adapters/token-table.ts';
import type { TokenStore } from '../../functions/core/ports.ts';
import { region } from '../../infra/local/aws/protocol.ts';
import { startLocalStack, type LocalStack, type LocalStackOptions } from '../../infra/local/stack.ts';
import { startAwsFaults, type AwsFaults } from './aws-faults.ts';
import { recordTelemetry } from './recorded-telemetry.ts';

/** The whole service in this process, with faults to switch on. */
export interface LocalRun {
  stack: LocalStack;
  faults: AwsFaults;
  /** its table, behind the functions' back */
  store: TokenStore;
  /** Calls as the developer, unless `headers` say otherwise; a `json` body comes with its content type. */
  call(method: string, path: string, given?: { json?: unknown; body?: string; headers?: Record<string, string> }): Promise<CallAnswer>;
  storeSecret(account: string, secret: unknown): Promise<void>;
  stop(): Promise<void>;
}

/** An answer as a caller reads it. */
export interface CallAnswer {
  status: number;
  headers: Headers;
  text: string;
  /** `{}` where the body is no JSON object */
  body: Readonly<Record<string, unknown>>;
}

/** Starts it; one at a time in a process. */
export async function startLocalRun(options: LocalStackOptions = {}): Promise<LocalRun> {
  const faults = await startAwsFaults();
  const stack = await startLocalStack({ ...options, environment: { ...faults.environment, ...options.environment } });
  const credentials = stack.awsKeys;
  faults.connect({ dynamodb: stack.dynamodbEndpoint, others: stack.aws.origin, credentials });
  const dynamodb = new DynamoDBClient({ endpoint: stack.dynamodbEndpoint, region, credentials });
  const secrets = new SecretsManagerClient({ endpoint: stack.aws.origin, region, credentials });
  const authorization = `Bearer ${stack.callers.developer.jwt}`;
  return {
    stack,
    faults,
    store: createTokenTable({ client: dynamodb, tableName: 'local', clock: createSystemClock(), telemetry: recordTelemetry() }),
    async call(method, path, { json, body, headers } = {}) {
      const type = json === undefined ? {} : { 'content-type': 'application/json' };
      const init = {
        method,
        headers: { authorization, ...type, ...headers },
        body: json === undefined ? (body ?? null) : JSON.stringify(json),
      };
      const answer = await fetch(stack.url + path, init);
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, text, body: objectOf(text) };
    },
    async storeSecret(account, secret) {
      await secrets.send(new CreateSecretCommand({ Name: `local/${account}`, SecretString: JSON.stringify(secret) }));
    },
    async stop() {
      await stack.stop();
      await faults.close();
      dynamodb.destroy();
      secrets.destroy();
    },
  };
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
