import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createProviderFetch } from '../../functions/adapters/provider-fetch.ts';
import type { EgressConfiguration, Lookup } from '../../functions/adapters/provider-fetch.ts';
import { createAuthority } from '../../infra/local/authority.ts';
import type { Authority } from '../../infra/local/authority.ts';
import { createBench, wallClock } from '../support/provider-bench.ts';

const HOST = '127.0.0.2';
let authority: Authority;
const servers: Server[] = [];

beforeAll(async () => {
  authority = await createAuthority();
});

const sockets = new Set<Socket>();

afterEach(async () => {
  sockets.forEach((socket) => socket.destroy());
  sockets.clear();
  await Promise.all(servers.splice(0).map((server) => new Promise((closed) => server.close(closed))));
});

async function listen(server: Server, scheme = 'https'): Promise<string> {
  servers.push(server);
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((listening) => server.listen(0, HOST, listening));
  const address = server.address();
  return `${scheme}://${HOST}:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

/** An https server whose certificate is for its address and for `portal.example`. */
async function serve(listener: RequestListener, options: ServerOptions = {}, hosts = [HOST, 'portal.example']): Promise<string> {
  const { certPem, keyPem } = await authority.issue(hosts);
  return listen(createServer({ cert: certPem, key: keyPem, ...options }, listener));
}

function get(
  url: string,
  over: Partial<EgressConfiguration> & { lookup?: Lookup; body?: string; headers?: Record<string, string>; timeoutMs?: number } = {},
) {
  const { lookup, body, headers = {}, timeoutMs = 5000, ...egress } = over;
  const { origin } = new URL(url);
  const configuration = { privateOrigins: [origin], authorities: { [origin]: authority.caPem }, ...egress };
  const fetch = createProviderFetch({ clock: wallClock, egress: configuration, lookup });
  return fetch({ method: body === undefined ? 'GET' : 'POST', url, headers, body }, Date.now() + timeoutMs);
}

const failed = (unsent: boolean, code: string) => ({ failure: { unsent, code } });

test('nothing is looked up or sent for a request whose time is over', async () => {
  const looked: string[] = [];
  const lookup: Lookup = async (hostname) => (looked.push(hostname), []);
  expect(await get('https://portal.example/', { lookup, timeoutMs: 0 })).toEqual(failed(true, 'timeout'));
  expect(looked).toEqual([]);
});

describe('an answer', () => {
  test('comes with status, lower-case headers, text and both clocks', async () => {
    const origin = await serve((_, response) =>
      response.writeHead(201, { 'X-Thing': 'one', 'Set-Cookie': ['a=1', 'b=2'] }).end('{"täglich":1}'),
    );
    const before = Date.now();
    const { answer } = await expectAnswer(get(`${origin}/path?query=1`));
    expect(answer).toMatchObject({ status: 201, text: '{"täglich":1}', headers: { 'x-thing': 'one', 'set-cookie': 'a=1,b=2' } });
    expect(answer.sentAtMs).toBeGreaterThanOrEqual(before);
    expect(Math.abs((answer.dateMs ?? 0) - before)).toBeLessThan(60_000);
  });

  test('is read without a byte order mark, and its errors too', async () => {
    const origin = await serve((_, response) => response.writeHead(400).end('\uFEFF{}'));
    expect((await expectAnswer(get(origin))).answer).toMatchObject({ status: 400, text: '{}' });
  });

  test('of exactly 100 KiB is read, of a byte more refused, also without a length', async () => {
    const sizes = { '/fits': 102_400, '/more': 102_401 };
    const origin = await serve((request, response) => {
      const size = sizes[request.url === '/fits' ? '/fits' : '/more'];
      response.write('x'.repeat(1000));
      response.end('x'.repeat(size - 1000));
    });
    expect((await expectAnswer(get(`${origin}/fits`))).answer.text).toHaveLength(102_400);
    expect(await get(`${origin}/more`)).toEqual(failed(false, 'too_large'));
  });

  test('that announces more than 100 KiB is refused at once', async () => {
    const origin = await serve((_, response) => response.writeHead(200, { 'content-length': '999999' }).write('x'));
    expect(await get(origin)).toEqual(failed(false, 'too_large'));
  });

  test('that is compressed is refused: no compression was offered', async () => {
    const origin = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'));
    expect(await get(origin)).toEqual(failed(false, 'encoded'));
  });

  test.each([301, 302, 303, 307, 308])('that redirects with %i is refused, and nothing follows', async (status) => {
    const paths: (string | undefined)[] = [];
    const origin = await serve((request, response) => {
      paths.push(request.url);
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    expect(await get(`${origin}/here`)).toEqual(failed(false, 'redirect'));
    expect(paths).toEqual(['/here']);
  });

  test('that is no HTTP is refused', async () => {
    const { certPem, keyPem } = await authority.issue([HOST]);
    const tls = await import('node:tls');
    const origin = await listen(tls.createServer({ cert: certPem, key: keyPem }, (socket) => void socket.end('SSH-2.0-server\r\n')));
    expect(await get(origin)).toEqual(failed(false, 'malformed'));
  });
});

describe('a request', () => {
  test('carries its body with its length, offers no compression and keeps no connection', async () => {
    const seen: Pick<IncomingMessage, 'headers' | 'method'>[] = [];
    const origin = await serve((request, response) => {
      seen.push({ headers: request.headers, method: request.method });
      request.resume().on('end', () => response.end());
    });
    await get(origin, { body: 'größe=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expect(seen[0]?.method).toBe('POST');
    expect(seen[0]?.headers).toMatchObject({ 'content-length': '9', 'accept-encoding': 'identity', connection: 'close' });
    expect(seen[0]?.headers['transfer-encoding']).toBeUndefined();
  });

  test('of a POST without a body says so: some servers insist on a length', async () => {
    const lengths: (string | undefined)[] = [];
    const origin = await serve((request, response) => {
      lengths.push(request.headers['content-length']);
      response.end();
    });
    const fetch = createProviderFetch({
      clock: wallClock,
      egress: { privateOrigins: [origin], authorities: { [origin]: authority.caPem } },
    });
    await fetch({ method: 'POST', url: origin }, Date.now() + 5000);
    expect(lengths).toEqual(['0']);
  });

  test('with a line break in a header is not sent', async () => {
    let requests = 0;
    const origin = await serve((_, response) => response.end(String((requests += 1))));
    expect(await get(origin, { headers: { authorization: 'Bearer a\r\nx: y' } })).toEqual(failed(true, 'invalid'));
    expect(requests).toBe(0);
  });

  test('shows a client certificate where the configuration has one for the origin', async () => {
    const origin = await serve((_, response) => response.end('welcome'), {
      ca: authority.caPem,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const client = await authority.issue(['client.example'], 'client');
    const clientCertificates = { [origin]: { cert: client.certPem, key: client.keyPem } };
    expect((await expectAnswer(get(origin, { clientCertificates }))).answer.text).toBe('welcome');
    expect(await get(origin)).toMatchObject({ failure: { unsent: false } });
  });
});

describe('a failure before the request', () => {
  test.each([
    ['a blocked address', `https://${HOST}:1`, 'blocked'],
    ['plain HTTP', 'http://example.com', 'blocked'],
    ['no URL', 'example.com', 'invalid'],
  ])('by %s is surely unsent', async (_, url, code) => {
    const fetch = createProviderFetch({ clock: wallClock, egress: { privateOrigins: [] } });
    expect(await fetch({ method: 'GET', url }, Date.now() + 5000)).toEqual(failed(true, code));
  });

  test('by a refused connection is surely unsent', async () => {
    expect(await get(`https://${HOST}:1`)).toEqual(failed(true, 'refused'));
  });

  test('by a deadline that is past is surely unsent', async () => {
    expect(await get(`https://${HOST}:1`, { timeoutMs: -1 })).toEqual(failed(true, 'timeout'));
  });

  test('by a certificate of another authority is surely unsent', async () => {
    let requests = 0;
    const origin = await serve((_, response) => response.end(String((requests += 1))));
    expect(await get(origin, { authorities: {} })).toEqual(failed(true, 'tls'));
    expect(requests).toBe(0);
  });

  test('by a certificate for another name is surely unsent', async () => {
    const origin = await serve((_, response) => response.end(), {}, ['another.example']);
    expect(await get(origin)).toEqual(failed(true, 'tls'));
  });

  test('by a server that speaks no TLS is surely unsent', async () => {
    const origin = await listen(createTcpServer((socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\n')));
    expect(await get(origin)).toMatchObject({ failure: { unsent: true, code: 'tls' } });
  });

  test('by a handshake that hangs until the deadline is surely unsent', async () => {
    const origin = await listen(createTcpServer(() => undefined));
    expect(await get(origin, { timeoutMs: 200 })).toEqual(failed(true, 'timeout'));
  });
});

describe('a failure after the request', () => {
  test('by an answer that hangs has an unknown outcome', async () => {
    const origin = await serve(() => undefined);
    expect(await get(origin, { timeoutMs: 1500 })).toEqual(failed(false, 'timeout'));
  });

  test('by a body that hangs has an unknown outcome', async () => {
    const origin = await serve((_, response) => response.writeHead(200).write('{'));
    expect(await get(origin, { timeoutMs: 1500 })).toEqual(failed(false, 'timeout'));
  });

  test('by a broken connection has an unknown outcome', async () => {
    const origin = await serve((_, response) => response.destroy());
    expect(await get(origin)).toEqual(failed(false, 'reset'));
  });

  test('by a body that ends too early has an unknown outcome', async () => {
    const origin = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"access_token":', () => response.destroy());
    });
    expect(await get(origin)).toMatchObject({ failure: { unsent: false, code: 'reset' } });
  });
});

function resolvesTo(...addresses: string[]): Lookup {
  return () => Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
}

function resolvesToNothing(): ReturnType<Lookup> {
  return Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }));
}

/** A GET of a server by name, whose origin the configuration names or not. */
async function portal(lookup: Lookup, named: boolean) {
  const origin = (await serve((_, response) => response.end('portal'))).replace(HOST, 'portal.example');
  return get(origin, { lookup, privateOrigins: named ? [origin] : [], authorities: { [origin]: authority.caPem } });
}

describe('a discovered endpoint', () => {
  test.each([
    'https://169.254.169.254/token',
    'https://[::ffff:169.254.169.254]/token',
    'https://10.0.0.1/token',
    'https://127.0.0.2:1/token',
  ])('at %s is never called', async (token_endpoint) => {
    const origin = await serve((_, response) => response.end(JSON.stringify({ issuer: origin, token_endpoint })));
    const bench = createBench({ privateOrigins: [origin], authorities: { [origin]: authority.caPem } });
    const account = bench.account('movingimage', { issuer: origin, username: 'jo@example.com', password: 'not-a-real-password' });
    expect(await account.login()).toMatchObject({ failure: 'configuration', spent: 'no', code: 'blocked' });
  });
});

describe('a name', () => {
  test('that resolves to a private address needs its origin in the configuration', async () => {
    expect(await portal(resolvesTo(HOST), true)).toMatchObject({ answer: { text: 'portal' } });
    expect(await portal(resolvesTo(HOST), false)).toEqual(failed(true, 'blocked'));
  });

  test('with one metadata address among its addresses is blocked, named or not', async () => {
    expect(await portal(resolvesTo(HOST, '169.254.169.254'), true)).toEqual(failed(true, 'blocked'));
    expect(await portal(resolvesTo('8.8.8.8', 'fd00:ec2::254'), false)).toEqual(failed(true, 'blocked'));
  });

  test('that does not resolve is surely unsent', async () => {
    expect(await portal(resolvesToNothing, true)).toEqual(failed(true, 'dns'));
  });

  test('without addresses is blocked', async () => {
    expect(await portal(resolvesTo(), true)).toEqual(failed(true, 'blocked'));
  });
});

async function expectAnswer(fetched: ReturnType<ReturnType<typeof createProviderFetch>>) {
  const result = await fetched;
  if ('failure' in result) throw new Error(`no answer: ${result.failure.code}`);
  return result;
}
