import { createSystemClock } from '../../functions/adapters/system.ts';
import type { Clock, Telemetry } from '../../functions/core/ports.ts';

/** The machine's clock, for suites that talk to real processes. */
export const realClock: Clock = createSystemClock();

/** Says nothing. */
export const silentTelemetry: Telemetry = { audit() {}, metric() {}, log() {} };

/** A clock that stands still until it is moved; sleeping moves it. */
export function handClock(startMs: number): Clock & { advance(ms: number): void } {
  let nowMs = startMs;
  const advance = (ms: number): void => {
    nowMs += ms;
  };
  return { nowMs: () => nowMs, sleep: async (ms) => advance(ms), advance };
}

/** Remembers what it is told. */
export interface RecordingTelemetry extends Telemetry {
  metrics: { name: string; value: number; unit: string; dimension: string }[];
  logs: { level: string; message: string; fields: unknown; error: unknown }[];
}

/** @returns telemetry that a test can look into */
export function recordingTelemetry(): RecordingTelemetry {
  const metrics: RecordingTelemetry['metrics'] = [];
  const logs: RecordingTelemetry['logs'] = [];
  return {
    metrics,
    logs,
    audit() {},
    metric: (name, value, unit, dimension) => void metrics.push({ name, value, unit, dimension }),
    log: (level, message, fields, error) => void logs.push({ level, message, fields, error }),
  };
}
