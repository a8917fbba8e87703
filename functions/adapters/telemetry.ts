import type { Clock, Telemetry } from '../core/ports.ts';
import { errorRecord } from './error-record.ts';

/** Namespace and the one dimension of every metric; its values are providers and functions, nothing finer. */
export const metricNamespace = 'TokenVending';
export const metricDimension = 'part';

/** What telemetry needs. */
export interface TelemetryOptions {
  clock: Clock;
  /** takes one line with its end; standard output by default */
  write?: ((line: string) => void) | undefined;
  /** `TokenVending`; two deployments in one AWS account are told apart by giving each its own */
  namespace?: string | undefined;
  /** lines of this level and above are written; `info` */
  level?: Level | undefined;
}

type Level = 'debug' | 'info' | 'warn' | 'error';

const rank: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/**
 * One JSON line an event on standard output, from where Lambda takes it: the audit log (`kind: audit`), metrics in embedded metric
 * format, and lines for operators (`kind: log`). Never throws.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { clock, write = toStandardOutput, namespace = metricNamespace, level: lowest = 'info' } = options;
  const line = (value: object): void => {
    try {
      write(`${JSON.stringify(value)}\n`);
    } catch {
      // Something in it does not fit into JSON, or nobody reads: what is being done is worth more than the line about it.
    }
  };
  return {
    audit: (event) => line({ kind: 'audit', time: timeOf(clock), ...event }),
    metric: (name, value, unit, dimension) => line(metricOf(namespace, clock.nowMs(), name, value, unit, dimension)),
    log(level, message, fields, error) {
      if (rank[level] < rank[lowest]) return;
      line({ kind: 'log', time: timeOf(clock), level, message, ...fields, error: errorRecord(error) });
    },
  };
}

function metricOf(namespace: string, nowMs: number, name: string, value: number, unit: string, dimension: string): object {
  const directive = { Namespace: namespace, Dimensions: [[metricDimension]], Metrics: [{ Name: name, Unit: unit }] };
  return { _aws: { Timestamp: nowMs, CloudWatchMetrics: [directive] }, [metricDimension]: dimension, [name]: value };
}

function timeOf(clock: Clock): string {
  return new Date(clock.nowMs()).toISOString();
}

function toStandardOutput(line: string): void {
  process.stdout.write(line);
}
