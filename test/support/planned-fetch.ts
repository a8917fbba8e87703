import type { ProviderFetch } from '../../functions/core/ports.ts';
import type { ProviderAnswer, ProviderRequest, TransportFailure } from '../../functions/core/provider.ts';

/** One planned exchange: what comes back, and what happens meanwhile. */
export interface Planned {
  /** must fit the request's method and URL, for example `POST https://host/path` */
  request: string;
  status?: number;
  headers?: Readonly<Record<string, string>>;
  /** an object is sent as JSON */
  body?: unknown;
  failure?: TransportFailure;
  /** runs while the request is under way */
  meanwhile?: () => void;
}

/**
 * An HTTP double at the process edge. It throws on a request that was not planned, and {@link PlannedFetch.rest} tells which planned ones
 * did not come.
 */
export interface PlannedFetch {
  fetch: ProviderFetch;
  requests: ProviderRequest[];
  rest(): readonly string[];
}

/** @param nowMs the clock that stamps sending; `Date` of the answer comes from `headers.date` alone */
export function planFetch(nowMs: () => number, plan: readonly Planned[]): PlannedFetch {
  const left = [...plan];
  const requests: ProviderRequest[] = [];
  return {
    requests,
    rest: () => left.map(({ request }) => request),
    async fetch(request) {
      const line = `${request.method} ${request.url}`;
      const next = left.shift();
      if (next?.request !== line) throw new Error(`${line} was not planned; next is ${next?.request ?? 'nothing'}`);
      requests.push(request);
      const sentAtMs = nowMs();
      next.meanwhile?.();
      return next.failure === undefined ? { answer: answerOf(next, sentAtMs) } : { failure: next.failure };
    },
  };
}

/** @returns an answer as the fetch gives it */
export function answerOf({ status = 200, headers = {}, body = '' }: Omit<Planned, 'request'>, sentAtMs: number): ProviderAnswer {
  const dateMs = Date.parse(headers['date'] ?? '');
  const answer = { status, headers, text: typeof body === 'string' ? body : JSON.stringify(body), sentAtMs };
  return Number.isNaN(dateMs) ? answer : { ...answer, dateMs };
}
