import { request as send } from 'node:http';
import type { Clock, ProviderFetch } from '../../../functions/core/ports.ts';
import type { ProviderRequest } from '../../../functions/core/provider.ts';

type Result = Awaited<ReturnType<ProviderFetch>>;

/**
 * The provider fetch of suites that run many processes: plain http on loopback, one connection a request, one deadline. The
 * production one speaks https only and has a suite of its own.
 *
 * @param headersOf further headers, asked for at each request
 */
export function createPlainFetch(clock: Clock, headersOf: () => Record<string, string> = () => ({})): ProviderFetch {
  return (request, deadlineMs) => {
    const sentAtMs = clock.nowMs();
    if (deadlineMs <= sentAtMs) return Promise.resolve({ failure: { unsent: true, code: 'timeout' } });
    return exchange(request, headersOf(), sentAtMs, deadlineMs - sentAtMs);
  };
}

function exchange(request: ProviderRequest, more: Record<string, string>, sentAtMs: number, leftMs: number): Promise<Result> {
  return new Promise((settle) => {
    let connected = false;
    const { method, headers } = request;
    const outgoing = send(request.url, { method, headers: { ...headers, ...more }, agent: false }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      incoming.on('error', () => end({ failure: { unsent: false, code: 'reset' } }));
      incoming.on('end', () => {
        const dateMs = Date.parse(incoming.headers.date ?? '');
        end({ answer: { status: incoming.statusCode ?? 0, headers: flat(incoming.headers), text, sentAtMs, dateMs } });
      });
    });
    const end = (result: Result): void => {
      clearTimeout(timer);
      outgoing.destroy();
      settle(result);
    };
    const timer = setTimeout(() => end({ failure: { unsent: !connected, code: 'timeout' } }), leftMs);
    outgoing.on('socket', (socket) => socket.once('connect', () => (connected = true)));
    outgoing.on('error', () => end({ failure: { unsent: !connected, code: connected ? 'reset' : 'refused' } }));
    outgoing.end(request.body);
  });
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
