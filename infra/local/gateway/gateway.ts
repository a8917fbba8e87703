import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { HttpFunction } from '../../../functions/routes.ts';
import { close, listen, underOwnName } from '../listen.ts';
import type { Invocation, LocalFunctions } from '../local-functions.ts';
import type { Authorizer } from './authorizer.ts';
import { eventOf } from './event.ts';
import { readRequest } from './read-request.ts';
import { routeOf } from './router.ts';
import { createBucket } from './throttle.ts';

/** What the gateway stands in front of. */
export interface GatewayOptions {
  functions: LocalFunctions;
  /** the deployed name of each function that answers HTTP calls */
  nameOf(stem: HttpFunction): string;
  authorizer: Authorizer;
  /** requests that are let through, all callers together; undefined: all of them */
  throttle?: { ratePerSecond: number; burst: number } | undefined;
  /** API Gateway gives up on a function after 30 s */
  integrationTimeoutMs?: number | undefined;
  /** answers to what is no call of the service: the issuer's documents */
  documentAt?(path: string): unknown;
}

/** The gateway while it runs. */
export interface Gateway {
  readonly port: number;
  /** Takes no further request and waits for those in work. */
  close(): Promise<void>;
}

interface Answer {
  status: number;
  headers: Readonly<Record<string, string>>;
  cookies?: readonly string[];
  body: string | Buffer;
}

const LONGEST_WAIT_MS = 30_000;

/**
 * Starts an HTTP server that is to the functions what an HTTP API of API Gateway is: it authenticates, makes events of requests
 * and answers of results, and gives API Gateway's own answers (`{"message": …}`) where that would.
 *
 * @param port 0 takes a free one
 */
export async function startGateway(options: GatewayOptions, port = 0): Promise<Gateway> {
  const allows = createBucket(options.throttle);
  const server = createServer(
    underOwnName((incoming, response) => {
      const requestId = randomBytes(11).toString('base64url');
      void answer(incoming, requestId)
        .catch(() => own(500, 'Internal Server Error'))
        .then((result) => send(response, requestId, result));
    }),
  );

  const answer = async (incoming: IncomingMessage, requestId: string): Promise<Answer> => {
    const request = await readRequest(incoming);
    if (request === undefined) return own(413, 'Request Too Long');
    const document = options.documentAt?.(request.path);
    if (document !== undefined) return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(document) };
    if (!allows(Date.now())) return own(429, 'Too Many Requests');
    const routed = routeOf(request.method, request.path);
    if (routed === undefined) return own(404, 'Not Found');
    const authorization = routed.route.auth === 'none' ? { authorizer: undefined } : await options.authorizer(request);
    if ('status' in authorization) return own(authorization.status, authorization.message, authorization.headers);
    const sent = { requestId, sourceIp: incoming.socket.remoteAddress ?? '' };
    const event = eventOf(request, routed, sent, authorization.authorizer);
    const invoking = options.functions.invoke(options.nameOf(routed.route.function), event);
    return within(options.integrationTimeoutMs ?? LONGEST_WAIT_MS, invoking.then(answerOf));
  };

  const listeningPort = await listen(server, port);
  return { port: listeningPort, close: () => close(server, LONGEST_WAIT_MS) };
}

async function within(timeoutMs: number, answering: Promise<Answer>): Promise<Answer> {
  const late = Promise.withResolvers<Answer>();
  const timer = setTimeout(() => late.resolve(own(503, 'Service Unavailable')), timeoutMs);
  try {
    return await Promise.race([answering, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A result without `statusCode` is a body; one that is nothing of the kind is a mistake of the function. */
function answerOf(invocation: Invocation): Answer {
  if ('error' in invocation) return own(500, 'Internal Server Error');
  const { result } = invocation;
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(result) };
  }
  const given: { statusCode?: unknown; headers?: unknown; cookies?: unknown; body?: unknown; isBase64Encoded?: unknown } = result;
  const status = Number(given.statusCode);
  if (!(status >= 100 && status <= 599)) return own(500, 'Internal Server Error');
  return {
    status,
    headers: { 'content-type': 'text/plain;charset=UTF-8', ...stringsOf(given.headers) },
    cookies: Array.isArray(given.cookies) ? given.cookies.map(String) : [],
    body: Buffer.from(typeof given.body === 'string' ? given.body : '', given.isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}

function stringsOf(headers: unknown): Readonly<Record<string, string>> {
  const entries = typeof headers === 'object' && headers !== null ? Object.entries(headers) : [];
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

/** An answer of API Gateway itself. */
function own(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ message }) };
}

function send(response: ServerResponse, requestId: string, { status, headers, cookies = [], body }: Answer): void {
  const length = status === 204 ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  for (const cookie of cookies) response.appendHeader('set-cookie', cookie);
  response.writeHead(status, { ...headers, 'apigw-requestid': requestId, ...length });
  response.end(status === 204 ? undefined : body);
}
