import { describe, expect, test } from '@jest/globals';
import { createTelemetry } from '../../../functions/adapters/telemetry.ts';
import { TokenVendingError } from '../../../functions/core/errors.ts';
import { Secret } from '../../../functions/core/secret.ts';
import { handClock } from '../../support/ports.ts';

const nowMs = Date.UTC(2026, 10, 23, 1, 2, 3);
const mark = 'canary-secret';

function setUp(options: { level?: 'debug' | 'warn' } = {}) {
  const lines: string[] = [];
  const telemetry = createTelemetry({ clock: handClock(nowMs), write: (line) => void lines.push(line), ...options });
  return { telemetry, lines, parsed: () => lines.map((line): unknown => JSON.parse(line)) };
}

describe('telemetry', () => {
  test('writes one line of JSON for an audited event', () => {
    const { telemetry, lines, parsed } = setUp();
    telemetry.audit({
      event: 'vend',
      outcome: 'success',
      caller: 'c',
      account: 'vidizmo/main',
      fingerprint: 'f',
      generation: 7,
      durationMs: 3,
    });
    expect(lines[0]).toMatch(/^[^\n]+\n$/);
    expect(parsed()).toEqual([
      {
        kind: 'audit',
        time: '2026-11-23T01:02:03.000Z',
        event: 'vend',
        outcome: 'success',
        caller: 'c',
        account: 'vidizmo/main',
        fingerprint: 'f',
        generation: 7,
        durationMs: 3,
      },
    ]);
  });

  test('writes metrics in embedded metric format with one dimension', () => {
    const { telemetry, parsed } = setUp();
    telemetry.metric('Vends', 2, 'Count', 'vidizmo');
    expect(parsed()).toEqual([
      {
        _aws: {
          Timestamp: nowMs,
          CloudWatchMetrics: [{ Namespace: 'TokenVending', Dimensions: [['part']], Metrics: [{ Name: 'Vends', Unit: 'Count' }] }],
        },
        part: 'vidizmo',
        Vends: 2,
      },
    ]);
  });

  test('writes our own errors with code, details and evidence', () => {
    const { telemetry, parsed } = setUp();
    const evidence = { operation: 'dynamodb:GetItem', code: 'ThrottlingException', nested: { more: mark } };
    telemetry.log('error', 'no table', { provider: 'p' }, new TokenVendingError('store_unavailable', { retryAtMs: 5 }, evidence));
    expect(parsed()).toMatchObject([
      {
        kind: 'log',
        level: 'error',
        message: 'no table',
        provider: 'p',
        error: {
          name: 'TokenVendingError',
          code: 'store_unavailable',
          details: { retryAtMs: 5 },
          cause: { operation: 'dynamodb:GetItem', code: 'ThrottlingException' },
        },
      },
    ]);
  });

  test.each<[string, unknown]>([
    ['the message of a foreign error', new Error(mark)],
    ['a message of many lines', new Error(`first\n    at ${mark} (x.js:1:1)\n${mark}`)],
    ['a foreign cause', new TokenVendingError('internal', {}, new TypeError(mark, { cause: new Error(mark) }))],
    ['a nested cause', new TokenVendingError('internal', {}, { inner: { mark } })],
    ['something thrown that is no error', mark],
    ['an object thrown', { mark }],
  ])('never writes %s', (_title, error) => {
    const { telemetry, lines } = setUp();
    telemetry.log('error', 'failed', {}, error);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain(mark);
  });

  test('says where a foreign error came from', () => {
    const { telemetry, lines } = setUp();
    telemetry.log('error', 'failed', {}, new RangeError(mark));
    expect(lines[0]).toContain('RangeError');
    expect(lines[0]).toContain('telemetry.test.ts');
  });

  test('prints no secret among the fields', () => {
    const { telemetry, lines } = setUp();
    telemetry.log('info', 'odd', { token: new Secret(mark) });
    expect(lines[0]).toContain('[redacted]');
    expect(lines[0]).not.toContain(mark);
  });

  test('writes nothing below its level', () => {
    const { telemetry, lines } = setUp({ level: 'warn' });
    telemetry.log('info', 'quiet');
    telemetry.log('warn', 'loud');
    expect(lines).toHaveLength(1);
  });

  test('does not throw for what is no JSON, nor where nobody reads', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const deaf = createTelemetry({
      clock: handClock(nowMs),
      write: () => {
        throw new Error('EPIPE');
      },
    });
    expect(() => setUp().telemetry.log('info', 'circle', circle)).not.toThrow();
    expect(() => deaf.audit({ event: 'vend', outcome: 'success' })).not.toThrow();
  });
});
