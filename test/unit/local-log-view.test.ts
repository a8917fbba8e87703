import { describe, expect, test } from '@jest/globals';
import { humanLine } from '../../infra/local/log-view.ts';

const time = '2026-01-15T10:15:42.123Z';
const renewal = { kind: 'audit', time, event: 'renew', account: 'vidizmo/main', set: 'set#x' };

describe('what npm start shows of the log', () => {
  test.each([
    [
      'a renewal, with who wanted it and how',
      { ...renewal, outcome: 'success', generation: 7, detail: { call: 'refresh', occasion: 'due' } },
      '10:15:42 vidizmo/main: renewed by refresh for the schedule, generation 7',
    ],
    [
      'a renewal that failed, with its code',
      { ...renewal, outcome: 'failure', code: 'timeout', detail: { call: 'login' } },
      '10:15:42 vidizmo/main: could not be renewed by log-in (timeout)',
    ],
    [
      'a vend that was refused',
      { kind: 'audit', time, event: 'vend', outcome: 'refusal', account: 'vidizmo/main', code: 'no_grant' },
      '10:15:42 vidizmo/main: vend refusal (no_grant)',
    ],
    ['a warning, with its public facts', { kind: 'log', time, level: 'warn', message: 'Odd', count: 2 }, '10:15:42 warn: Odd {"count":2}'],
  ])('is %s', (_, line, shown) => {
    expect(humanLine(JSON.stringify(line))).toBe(shown);
  });

  test.each([
    ['a vend that succeeded', { kind: 'audit', time, event: 'vend', outcome: 'success', account: 'vidizmo/main' }],
    ['a word for later', { kind: 'log', time, level: 'info', message: 'Started' }],
    ['a metric', { _aws: { Timestamp: 1 }, part: 'vidizmo', Renewals: 1 }],
  ])('is nothing of %s', (_, line) => {
    expect(humanLine(JSON.stringify(line))).toBeUndefined();
  });

  test('is what is no line of the log, as it is', () => {
    expect(humanLine('{"cut off')).toBe('{"cut off');
  });
});
