import withMiddleware from '@middy/core';
import type { Context } from 'aws-lambda';
import { TokenVendingError } from '../core/errors.ts';
import type { AuditEvent, Clock, Telemetry } from '../core/ports.ts';
import type { HttpEvent } from './http-event.ts';
import { asOurs, problemResponse, problems } from './problem.ts';
import type { HttpResponse } from './respond.ts';

/** What a call learns about itself on its way; it becomes the audit line, whatever comes of the call. */
export interface AuditLine {
  caller?: string;
  account?: string;
  set?: string;
  generation?: number;
  fingerprint?: string;
  detail: Record<string, string | number | boolean | undefined>;
}

/** What an HTTP call does. */
export interface Action {
  /** audited under this name; absent: the call is about nobody's tokens */
  event?: AuditEvent['event'];
  /** of its metrics: the provider where one is known */
  dimension: string;
  run(event: HttpEvent, line: AuditLine): Promise<HttpResponse>;
}

/** A Lambda handler behind the HTTP API. */
export type HttpHandler = (event: HttpEvent, context: Context) => Promise<HttpResponse>;

interface HttpDeps {
  clock: Clock;
  telemetry: Telemetry;
}

interface Call {
  event: HttpEvent;
  action: Action;
  line: AuditLine;
  startedMs: number;
}

/** Left to write the audit line and the answer before Lambda ends the function. */
const LAST_WORDS_MS = 500;

/**
 * Dresses an action for HTTP: whatever is thrown becomes a problem, and every audited call leaves one audit line and one metric.
 *
 * @param actionOf chooses by the event; must not throw
 */
export function httpHandler(deps: HttpDeps, actionOf: (event: HttpEvent) => Action): HttpHandler {
  const handle = withMiddleware<Call, HttpResponse>({
    timeoutEarlyInMillis: LAST_WORDS_MS,
    timeoutEarlyResponse: () => {
      throw new TokenVendingError('too_slow');
    },
  })
    .handler((call: Call) => call.action.run(call.event, call.line))
    .after(({ event: call }) => {
      settle(deps, call, 'success');
    })
    .onError((request) => {
      const error = asOurs(request.error);
      settle(deps, request.event, problems[error.code].outcome, error);
      request.response = problemResponse(error, deps.clock.nowMs());
    });
  return async (event, context) => {
    const call = { event, action: actionOf(event), line: { detail: {} }, startedMs: deps.clock.nowMs() };
    return handle(call, context);
  };
}

function settle({ clock, telemetry }: HttpDeps, call: Call, outcome: AuditEvent['outcome'], error?: TokenVendingError): void {
  const { action, line, event } = call;
  const code = error?.code;
  if (outcome === 'failure') telemetry.log('error', 'A call failed', { route: event.routeKey }, error);
  if (action.event === undefined) return;
  const durationMs = clock.nowMs() - call.startedMs;
  const detail = { ...line.detail, request: event.requestContext?.requestId };
  telemetry.audit({ event: action.event, outcome, code, ...line, durationMs, detail });
  telemetry.metric(metricName(action.event, outcome), durationMs, 'Milliseconds', action.dimension);
}

/** `VendSuccess`, `VendRefusal`, `VendFailure`, …: the samples are the count, the values the latency. */
function metricName(event: string, outcome: string): string {
  return [event, outcome].map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
