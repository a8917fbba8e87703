import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';

const CHANNEL = 'http.server.request.start';
const INVOKE = /\/functions\/[^/]+\/invocations/;

/** Calls that the loopback endpoints of this process got, by `service.Operation`. */
export interface EndpointCounts {
  /** @returns calls since the last time it was asked */
  take(): Record<string, number>;
  stop(): void;
}

/** Counts at the servers' side, whatever client called: what AWS would put on the bill. */
export function countEndpoints(): EndpointCounts {
  let counts: Record<string, number> = {};
  const listener = (message: unknown): void => {
    const name = nameOf(message);
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
  };
  subscribe(CHANNEL, listener);
  return {
    take() {
      const taken = counts;
      counts = {};
      return taken;
    },
    stop: () => void unsubscribe(CHANNEL, listener),
  };
}

function nameOf(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null || !('request' in message)) return undefined;
  const { request } = message;
  if (!isRequest(request)) return undefined;
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string')
    return target
      .replace(/^DynamoDB_\d+/, 'dynamodb')
      .replace('TrentService', 'kms')
      .replace(/^Amazon/, '')
      .toLowerCase();
  return INVOKE.test(request.url ?? '') ? 'lambda.invoke' : undefined;
}

function isRequest(value: unknown): value is Pick<IncomingMessage, 'headers' | 'url'> {
  return typeof value === 'object' && value !== null && 'headers' in value && 'url' in value;
}

/** @returns the counts divided by a number, without what never happened */
export function per(counts: Readonly<Record<string, number>>, times: number): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts)
      .toSorted(([one], [other]) => one.localeCompare(other))
      .map(([name, count]) => [name, Number((count / times).toFixed(4))]),
  );
}
