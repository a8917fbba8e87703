import { inspect } from 'node:util';
import type { AuditEvent, Telemetry } from '../../functions/core/ports.ts';

/** Telemetry that remembers. */
export interface RecordedTelemetry extends Telemetry {
  audits: AuditEvent[];
  metrics: { name: string; value: number; unit: string; dimension: string }[];
  logs: { level: string; message: string; fields: Readonly<Record<string, unknown>> | undefined; error: unknown }[];
  /** all of it in writing, as deep as anybody could print it */
  text(): string;
}

export function recordTelemetry(): RecordedTelemetry {
  const audits: RecordedTelemetry['audits'] = [];
  const metrics: RecordedTelemetry['metrics'] = [];
  const logs: RecordedTelemetry['logs'] = [];
  return {
    audits,
    metrics,
    logs,
    audit: (event) => audits.push(event),
    metric: (name, value, unit, dimension) => metrics.push({ name, value, unit, dimension }),
    log: (level, message, fields, error) => logs.push({ level, message, fields, error }),
    text: () =>
      inspect({ audits, metrics, logs }, { depth: Infinity, showHidden: true, maxArrayLength: Infinity, maxStringLength: Infinity }),
  };
}
