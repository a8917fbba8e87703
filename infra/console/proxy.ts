import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { consoleResponse } from '../../functions/handlers/console.ts';
import { close, listen } from '../local/listen.ts';

/** What the proxy needs. */
export interface ConsoleProxyOptions {
  /** of the deployment, without a slash at the end */
  url: string;
  region: string;
  /** the operator's; asked before every request, so that they may be renewed */
  credentials: ConstructorParameters<typeof SignatureV4>[0]['credentials'];
  /** 0 takes a free one */
  port: number;
}

/** The proxy while it runs. */
export interface ConsoleProxy {
  /** of the page */
  readonly url: string;
  /** what the page's user must know: other users of this machine, and other pages in the browser, do not */
  readonly key: string;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

const PATHS = /^\/v1\/((accounts|tokens)(\/[\w.-]+){0,3}|accounts\?after=[\w.%-]+)$/;

/**
 * Serves the console on loopback and signs its requests with the operator's AWS credentials, for deployments whose callers are IAM
 * identities: a browser has none. Access tokens stay here: the page is told everything else of a vend.
 */
export async function startConsoleProxy(options: ConsoleProxyOptions): Promise<ConsoleProxy> {
  const { region, credentials } = options;
  const key = randomBytes(24).toString('base64url');
  const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 });

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const body = await text(request);
    const { method = '', url = '' } = request;
    // Another name that leads here (DNS rebinding) would make this server part of somebody else's page.
    if (request.headers.host !== new URL(page).host) return said(421, 'Misdirected Request');
    if (method === 'GET' && url === '/console') return pageAnswer();
    if ((method !== 'GET' && method !== 'POST') || !PATHS.test(url)) return said(404, 'Not Found');
    if (!isKey(request.headers.authorization, key)) return said(401, 'Unauthorized');
    return forward(options.url, signer, method, url, body);
  };

  const server: Server = createServer((request, response) => {
    void answer(request)
      .catch(() => said(502, 'The deployment does not answer'))
      .then((result) => send(response, result));
  });
  const port = await listen(server, options.port);
  const page = `http://127.0.0.1:${port}/console`;
  return { url: page, key, close: () => close(server) };
}

async function forward(base: string, signer: SignatureV4, method: string, path: string, body: string): Promise<Answer> {
  const url = new URL(base + path);
  const signed = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { host: url.host, ...(body === '' ? {} : { 'content-type': 'application/json' }) },
    ...(body === '' ? {} : { body }),
  });
  const { host: _, ...headers } = signed.headers;
  const init = { method, headers, redirect: 'error', signal: AbortSignal.timeout(35_000), ...(body === '' ? {} : { body }) } as const;
  const response = await fetch(url, init);
  const type = response.headers.get('content-type') ?? 'text/plain';
  return {
    status: response.status,
    headers: { 'content-type': type, 'cache-control': 'no-store' },
    body: withoutToken(await response.text()),
  };
}

function withoutToken(answer: string): string {
  if (answer === '') return '';
  try {
    return JSON.stringify(JSON.parse(answer), (name, value: unknown) => (name === 'access_token' ? undefined : value));
  } catch {
    // No answer of the service is anything but JSON, so whatever this is, it is not for the page.
    return '';
  }
}

function pageAnswer(): Answer {
  const { statusCode, headers, body } = consoleResponse();
  return { status: statusCode, headers, body };
}

function said(status: number, message: string): Answer {
  return { status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body: JSON.stringify({ message }) };
}

function isKey(authorization: string | undefined, key: string): boolean {
  return timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${key}`));
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers }).end(status === 204 ? undefined : body);
}
