import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Clock, Telemetry } from '../core/ports.ts';

/** The protocol's leases allow for this much between two clocks, ms. */
const allowedSkewMs = 2_000;

/** `Date` headers count whole seconds. */
const headerStepMs = 1_000;

/**
 * Compares our clock with the `Date` header of every answer and emits the metric `ClockSkew` where they differ by more than
 * the protocol allows. Only what cannot be explained by the request's own way and the header's whole seconds counts as skew.
 *
 * @param client whose answers are looked at
 */
export function observeClockSkew(client: DynamoDBClient, clock: Clock, telemetry: Telemetry): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const sentAtMs = clock.nowMs();
      const result = await next(args);
      const skewMs = skewOf(result.response, sentAtMs, clock.nowMs());
      if (skewMs > allowedSkewMs) telemetry.metric('ClockSkew', skewMs, 'Milliseconds', 'dynamodb');
      return result;
    },
    // Nearest to the wire, so that a retry's waiting does not count.
    { step: 'deserialize', priority: 'low', name: 'observeClockSkew', override: true },
  );
}

function skewOf(response: unknown, sentAtMs: number, answeredAtMs: number): number {
  const dateMs = dateOf(response);
  return dateMs === undefined ? 0 : Math.max(sentAtMs - (dateMs + headerStepMs), dateMs - answeredAtMs, 0);
}

function dateOf(response: unknown): number | undefined {
  if (!isObject(response) || !('headers' in response) || !isObject(response.headers)) return undefined;
  const date = 'date' in response.headers ? response.headers.date : undefined;
  const dateMs = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  return Number.isNaN(dateMs) ? undefined : dateMs;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
