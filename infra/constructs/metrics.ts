import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { metricDimension } from '../../functions/adapters/telemetry.ts';

/** Of every metric that is alarmed or shown. */
export const period = Duration.minutes(5);

/**
 * A metric of the service's own.
 *
 * @param deployment its namespace: each deployment has one, so that stages do not raise each other's alarms
 * @param part the provider or the function that it is about
 */
export function ownMetric(deployment: string, metricName: string, part: string, statistic: string): Metric {
  return new Metric({ namespace: deployment, metricName, dimensionsMap: { [metricDimension]: part }, statistic, period });
}

/** @returns what the functions have of something, all together */
export function overFunctions(functions: readonly IFunction[], what: 'errors' | 'throttles'): MathExpression {
  const metricOf = (target: IFunction) => (what === 'errors' ? target.metricErrors({ period }) : target.metricThrottles({ period }));
  const entries = functions.map((target, index) => [`${what.charAt(0)}${index}`, metricOf(target)] as const);
  return new MathExpression({
    expression: sumOf(entries.map(([id]) => id)),
    usingMetrics: Object.fromEntries(entries),
    label: what,
    period,
  });
}

/** A metric that nobody has sent is nothing, and one nothing would make nothing of the sum. */
export function sumOf(ids: readonly string[]): string {
  return ids.map((id) => `FILL(${id}, 0)`).join(' + ');
}
