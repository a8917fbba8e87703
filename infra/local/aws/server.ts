import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readRequest } from '../gateway/read-request.ts';
import { close, listen, underOwnName } from '../listen.ts';
import type { LocalFunctions } from '../local-functions.ts';
import { demandSignature, type AwsKeys } from './keys.ts';
import { invokeFunction, type LambdaAnswer } from './lambda.ts';
import { AwsError, type Service } from './protocol.ts';

/** The local AWS while it runs. */
export interface AwsServer {
  /** `http://127.0.0.1:{port}`: what `AWS_ENDPOINT_URL_*` is set to */
  readonly origin: string;
  /** @returns calls so far by `service.Operation`, refused ones included */
  counters(): Readonly<Record<string, number>>;
  /** Gives the services to answer with; a queue's URL holds the port, so they come after the start. */
  serve(services: Readonly<Record<string, Service>>): void;
  close(): Promise<void>;
}

/** How the services' names begin the `X-Amz-Target` header. */
const TARGETS: Readonly<Record<string, string>> = {
  secretsmanager: 'secretsmanager',
  TrentService: 'kms',
  AmazonSSM: 'ssm',
  AmazonSQS: 'sqs',
};
const INVOKE = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

/**
 * Starts one loopback server for the AWS calls that the service makes, DynamoDB's apart: AWS's own protocols, so the real
 * clients work against it with nothing but `AWS_ENDPOINT_URL_*` and the keys. What they did not sign is refused: secrets
 * may be real, and functions take an event's word for who is calling.
 */
export async function startAwsServer(functions: LocalFunctions, keys: AwsKeys): Promise<AwsServer> {
  const counters = new Map<string, number>();
  let services: Readonly<Record<string, Service>> = {};
  const count = (name: string) => counters.set(name, (counters.get(name) ?? 0) + 1);

  const answer = async (incoming: IncomingMessage): Promise<LambdaAnswer> => {
    const request = await readRequest(incoming);
    if (request === undefined) throw new AwsError('RequestEntityTooLargeException', 'The request is too long.', 413);
    demandSignature(request, keys);
    const body = request.body.toString();
    const [, functionName] = INVOKE.exec(request.path) ?? [];
    if (functionName !== undefined) {
      count('lambda.Invoke');
      return invokeFunction(functions, decodeURIComponent(functionName), body, request.headers['x-amz-invocation-type'] !== 'Event');
    }
    const [target = '', name = ''] = (request.headers['x-amz-target'] ?? '').split('.');
    const service = TARGETS[target] ?? target;
    count(`${service}.${name}`);
    const run = services[service]?.[name];
    if (run === undefined) throw new AwsError('UnknownOperationException', `the local run has no ${service} ${name}`);
    return json(run(body === '' ? {} : JSON.parse(body)));
  };

  const server = createServer(
    underOwnName((request, response) => {
      void answer(request)
        .catch(errorAnswer)
        .then((result) => send(response, result));
    }),
  );
  const port = await listen(server);
  return {
    origin: `http://127.0.0.1:${port}`,
    counters: () => Object.fromEntries(counters),
    serve: (given) => {
      services = given;
    },
    close: () => close(server),
  };
}

function json(body: unknown): LambdaAnswer {
  return { status: 200, headers: { 'content-type': 'application/x-amz-json-1.1' }, body: JSON.stringify(body) };
}

/** @returns an error as the JSON protocols name it, in `__type`, and Lambda's REST protocol, in a header */
export function errorAnswer(thrown: unknown): LambdaAnswer {
  const error = thrown instanceof AwsError ? thrown : new AwsError('InternalFailure', String(thrown), 500);
  return {
    status: error.status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': error.code.slice(error.code.indexOf('#') + 1) },
    body: JSON.stringify({ __type: error.code, message: error.message, Message: error.message }),
  };
}

/** Answers. */
export function send(response: ServerResponse, { status, headers, body }: LambdaAnswer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}
