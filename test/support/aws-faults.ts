import { createServer } from 'node:http';
import { close, listen } from '../../infra/local/listen.ts';

/** AWS services whose calls can be made to fail, as the `x-amz-target` of their requests begins. */
const targets = { DynamoDB: 'DynamoDB_', SecretsManager: 'secretsmanager.', Kms: 'TrentService.', Ssm: 'AmazonSSM.' } as const;

export type FaultyService = keyof typeof targets;

/** Stands between the functions and the local AWS. */
export interface AwsFaults {
  /** for the functions, in place of the local AWS's own */
  readonly environment: Readonly<Record<string, string>>;
  /** services that answer nothing but errors now */
  readonly broken: Set<FaultyService>;
  /** says where the real ones are; requests wait for it */
  connect(endpoints: { dynamodb: string; others: string }): void;
  close(): Promise<void>;
}

/** Starts a pass-through for AWS calls that answers 500 for the services that are broken. */
export async function startAwsFaults(): Promise<AwsFaults> {
  const broken = new Set<FaultyService>();
  const connected = Promise.withResolvers<{ dynamodb: string; others: string }>();
  const server = createServer((request, response) => {
    const pass = async (): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(Buffer.from(chunk));
      const target = String(request.headers['x-amz-target']);
      if ([...broken].some((service) => target.startsWith(targets[service]))) {
        response.writeHead(500, { 'content-type': 'application/x-amz-json-1.1' }).end('{"__type":"InternalServerError"}');
        return;
      }
      const { dynamodb, others } = await connected.promise;
      const endpoint = target.startsWith(targets.DynamoDB) ? dynamodb : others;
      const headers = Object.entries(request.headers).flatMap(([name, value]) => (hopByHop.has(name) ? [] : [[name, String(value)]]));
      const answer = await fetch(`${endpoint}${request.url ?? '/'}`, {
        method: request.method ?? 'POST',
        headers: Object.fromEntries(headers),
        body: Buffer.concat(chunks),
      });
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
    connect: (endpoints) => connected.resolve(endpoints),
    close: () => close(server),
  };
}

const hopByHop: ReadonlySet<string> = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive', 'expect']);
