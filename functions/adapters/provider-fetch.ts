import { lookup as resolve } from 'node:dns/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as send } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import type { Clock, ProviderFetch } from '../core/ports.ts';
import type { ProviderAnswer, ProviderRequest, TransportFailure } from '../core/provider.ts';
import { createEgress } from './egress.ts';
import type { Egress, ResolvedAddress } from './egress.ts';
import { failureCode, refused } from './transport-failure.ts';

/** No token answer comes near it; a body that does is no token answer. */
const MOST_BYTES = 100 * 1024;

/** What the deployment's configuration says about the way out; keys are origins (`https://host:port`). */
export interface EgressConfiguration {
  /** origins that may live on private or loopback addresses */
  privateOrigins: readonly string[];
  /** PEM of the authority that alone is trusted for an origin, instead of the public ones */
  authorities?: Readonly<Record<string, string>> | undefined;
  clientCertificates?: Readonly<Record<string, { cert: string; key: string }>> | undefined;
}

/** Resolves a name to all its addresses. */
export type Lookup = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/**
 * One request to a provider over a connection of its own: a kept socket that died while the function was frozen would read as
 * "outcome unknown". No redirects, no decompression, one deadline over connect, headers and body, 100 KiB of answer at most.
 *
 * @param lookup how names are resolved; the system's resolver unless given
 * @returns a fetch that never throws for what the network does; `unsent` is true only until the TLS handshake is done
 */
export function createProviderFetch(deps: { clock: Clock; egress: EgressConfiguration; lookup?: Lookup | undefined }): ProviderFetch {
  const { clock, egress: configuration } = deps;
  const egress = createEgress(configuration.privateOrigins);
  const lookup = deps.lookup ?? ((hostname: string) => resolve(hostname, { all: true }));
  const authorities = byOrigin(configuration.authorities);
  const certificates = byOrigin(configuration.clientCertificates);

  return async function fetch(request, deadlineMs) {
    if (!URL.canParse(request.url)) return { failure: { unsent: true, code: 'invalid' } };
    const url = new URL(request.url);
    if (!egress.allowsUrl(url)) return { failure: { unsent: true, code: 'blocked' } };
    const leftMs = deadlineMs - clock.nowMs();
    if (leftMs <= 0) return { failure: { unsent: true, code: 'timeout' } };
    const options: RequestOptions = {
      method: request.method,
      headers: { 'user-agent': 'token-vending', 'accept-encoding': 'identity', ...request.headers, ...lengthOf(request) },
      agent: false,
      rejectUnauthorized: true,
      lookup: checked(url.origin, egress, lookup),
      ca: authorities.get(url.origin),
      ...certificates.get(url.origin),
    };
    return exchange(url, request, options, { sentAtMs: clock.nowMs(), leftMs });
  };
}

type Result = Awaited<ReturnType<ProviderFetch>>;

/** Sends and reads under one timer; whatever happens first settles it, and the connection is gone afterwards. */
function exchange(
  url: URL,
  request: ProviderRequest,
  options: RequestOptions,
  times: { sentAtMs: number; leftMs: number },
): Promise<Result> {
  return new Promise((settle) => {
    let handshaken = false;
    const end = (result: Result): void => {
      clearTimeout(timer);
      outgoing?.destroy();
      settle(result);
    };
    const fail = (failure: TransportFailure): void => end({ failure });
    const timer = setTimeout(() => fail({ unsent: !handshaken, code: 'timeout' }), times.leftMs);
    let outgoing: ClientRequest | undefined;
    try {
      outgoing = send(url, options);
    } catch (error) {
      return fail({ unsent: true, code: failureCode(error) });
    }
    // Bytes wait in the socket until the handshake is done, and the certificate is checked before this event.
    outgoing.on('socket', (socket) => socket.once('secureConnect', () => (handshaken = true)));
    outgoing.on('error', (error) => fail({ unsent: !handshaken, code: failureCode(error) }));
    outgoing.on('response', (answer) => {
      readAnswer(answer, times.sentAtMs).then(end, (error: unknown) => fail({ unsent: false, code: failureCode(error) }));
    });
    outgoing.end(request.body);
  });
}

async function readAnswer(incoming: IncomingMessage, sentAtMs: number): Promise<Result> {
  const status = incoming.statusCode ?? 0;
  if (status >= 300 && status <= 399) throw refused('redirect');
  if (Number(incoming.headers['content-length'] ?? 0) > MOST_BYTES) throw refused('too_large');
  if ((incoming.headers['content-encoding'] ?? 'identity') !== 'identity') throw refused('encoded');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw refused('too_large');
    chunks.push(chunk);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) if (value !== undefined) headers[name] = String(value);
  const answer: ProviderAnswer = { status, headers, text: new TextDecoder().decode(Buffer.concat(chunks)), sentAtMs };
  const dateMs = Date.parse(headers['date'] ?? '');
  return { answer: Number.isNaN(dateMs) ? answer : { ...answer, dateMs } };
}

/** Node asks this for names alone. All addresses are judged, whichever of them would be dialled. */
function checked(origin: string, egress: Egress, lookup: Lookup): LookupFunction {
  return (hostname, options, callback) => {
    const judged = lookup(hostname).then((addresses) => {
      if (!egress.allowsAddresses(origin, addresses)) throw refused('blocked');
      return [...addresses];
    });
    callbackify(() => judged)((error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) callback(error, '');
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function lengthOf({ body }: ProviderRequest): Record<string, string> {
  return body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
}

function byOrigin<T>(entries: Readonly<Record<string, T>> | undefined): ReadonlyMap<string, T> {
  return new Map(Object.entries(entries ?? {}).map(([origin, value]) => [new URL(origin).origin, value]));
}
