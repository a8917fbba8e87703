import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsKeys } from '../../infra/local/aws/keys.ts';
import { region } from '../../infra/local/aws/protocol.ts';
import { close, listen } from '../../infra/local/listen.ts';

/** AWS services whose calls can be made to fail, as the `x-amz-target` of their requests begins. */
const targets = { DynamoDB: 'DynamoDB_', SecretsManager: 'secretsmanager.', Kms: 'TrentService.', Ssm: 'AmazonSSM.' } as const;

export type FaultyService = keyof typeof targets;

/** Where the real ones are, and what they answer to. */
export interface FaultlessAws {
  dynamodb: string;
  others: string;
  credentials: AwsKeys;
}

/** Stands between the functions and the local AWS. */
export interface AwsFaults {
  /** for the functions, in place of the local AWS's own */
  readonly environment: Readonly<Record<string, string>>;
  /** services that answer nothing but errors now */
  readonly broken: Set<FaultyService>;
  /** says where the real ones are; requests wait for it */
  connect(aws: FaultlessAws): void;
  close(): Promise<void>;
}

/** Starts a pass-through for AWS calls that answers 500 for the services that are broken. */
export async function startAwsFaults(): Promise<AwsFaults> {
  const broken = new Set<FaultyService>();
  const connected = Promise.withResolvers<FaultlessAws>();
  const server = createServer((request, response) => {
    const pass = async (): Promise<void> => {
      const sent = await buffer(request);
      const target = String(request.headers['x-amz-target']);
      if ([...broken].some((service) => target.startsWith(targets[service]))) {
        response.writeHead(500, { 'content-type': 'application/x-amz-json-1.1' }).end('{"__type":"InternalServerError"}');
        return;
      }
      const aws = await connected.promise;
      const answer = await passOn(request, sent, target.startsWith(targets.DynamoDB) ? aws.dynamodb : aws.others, aws.credentials);
      const body = Buffer.from(await answer.arrayBuffer());
      const type = answer.headers.get('content-type') ?? 'application/json';
      const more = Object.fromEntries([...answer.headers].filter(([name]) => name.startsWith('x-amz')));
      response.writeHead(answer.status, { ...more, 'content-type': type, 'content-length': body.length }).end(body);
    };
    pass().catch(() => response.destroy());
  });
  const origin = `http://127.0.0.1:${await listen(server)}`;
  const services = ['DYNAMODB', 'SECRETS_MANAGER', 'KMS', 'SSM', 'LAMBDA'];
  return {
    environment: Object.fromEntries(services.map((service) => [`AWS_ENDPOINT_URL_${service}`, origin])),
    broken,
    connect: connected.resolve,
    close: () => close(server),
  };
}

/** Signs anew, because a signature holds for the host that it was made for. */
async function passOn(request: IncomingMessage, body: Buffer, endpoint: string, credentials: AwsKeys): Promise<Response> {
  const { method = 'POST', url = '/', headers } = request;
  const { protocol, hostname, port, host } = new URL(endpoint);
  const [, service = ''] = /Credential=[^,]*\/([^/]+)\/aws4_request/.exec(headers.authorization ?? '') ?? [];
  const kept = Object.entries(headers).filter(([name]) => name === 'content-type' || (name.startsWith('x-amz') && !signing.has(name)));
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  const signed = await signer.sign({
    method,
    protocol,
    hostname,
    port: Number(port),
    path: url,
    headers: { host, ...Object.fromEntries(kept.map(([name, value]) => [name, String(value)])) },
    body,
  });
  return fetch(endpoint + url, { method, headers: signed.headers, body: new Uint8Array(body) });
}

const signing: ReadonlySet<string> = new Set(['x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token']);
