import { describe, expect, test } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Provider } from '../../functions/core/provider.ts';
import type { VendCommand } from '../../functions/core/vend-token.ts';
import { answers, HOUR, MINUTE, renewalBench, SECOND, unsent, type BenchOptions, type Reaction } from '../support/renewal-bench.ts';
import { plainAlarm, statesOf, type Sample } from './support/alarm-states.ts';
import { synthesize } from './support/synthesize.ts';

const { template, text } = synthesize({ production: true });
const rules = {
  RenewalsFailing: plainAlarm(template, 'RenewalsFailing'),
  PersonNeeded: plainAlarm(template, 'PersonNeeded'),
  ClockSkew: plainAlarm(template, 'ClockSkew'),
};
type Alarm = keyof typeof rules;
type Bench = ReturnType<typeof renewalBench>;

/** Runs the product's core: a caller comes each minute, and so does the schedule. @returns what it sent of metrics */
async function live(bench: Bench, forMs: number, asking: Partial<VendCommand> = {}): Promise<Sample[]> {
  const samples: Sample[] = [];
  const untilMs = bench.clock.nowMs() + forMs;
  while (bench.clock.nowMs() < untilMs) {
    const atMs = bench.clock.nowMs();
    if ((bench.item()?.dueAtMs ?? Infinity) <= atMs) await bench.due();
    await bench.vend(asking);
    for (const { name, dimension, value } of bench.telemetry.metrics.splice(0)) samples.push({ name, dimension, value, atMs });
    bench.clock.advance(Math.max(atMs + MINUTE - bench.clock.nowMs(), 0));
  }
  return samples;
}

/** An account that vends well and is due: what happens to its next renewal is the test's. */
async function aDueAccount(options: BenchOptions = {}): Promise<Bench> {
  const bench = renewalBench(options);
  await bench.vend();
  bench.clock.advance((bench.item()?.dueAtMs ?? 0) - bench.clock.nowMs());
  bench.telemetry.metrics.length = 0;
  return bench;
}

/** How an alarm took it, for each minute at which CloudWatch's periods may begin: minutes until it rang, and whether it rang on. */
function heard(alarm: Alarm, samples: readonly Sample[], fromMs: number, untilMs: number) {
  return Array.from({ length: 5 }, (_, minutes) => {
    const states = statesOf(rules[alarm], samples, fromMs - minutes * MINUTE, untilMs);
    const first = states.findIndex(({ rings }) => rings);
    if (first === -1) return 'silence';
    const after = ((states[first]?.atMs ?? 0) - fromMs) / MINUTE;
    return { after, on: states.slice(first).every(({ rings }) => rings) };
  });
}

const silence = Array.from({ length: 5 }, () => 'silence');
const refreshRefused = answers(400, { error: 'invalid_grant' });
const down = answers(503);

/** The provider takes the request, and its answer does not come within the budget. */
const hangs = (bench: Bench): Reaction => {
  return () => {
    bench.clock.advance(10 * SECOND);
    return { failure: { unsent: false, code: 'timeout' } };
  };
};

describe('an account whose password was changed', () => {
  test('rings for a person within five minutes, however rarely the protocol tries it, and for an outage never', async () => {
    const bench = await aDueAccount();
    const fromMs = bench.clock.nowMs();
    bench.server.setPassword('somebody', 'changed');
    bench.next(refreshRefused);
    const samples = await live(bench, 24 * HOUR);
    expect(samples.filter(({ name }) => name === 'RenewalFailures')).toHaveLength(4);
    for (const each of heard('PersonNeeded', samples, fromMs, bench.clock.nowMs())) {
      expect(each).toMatchObject({ after: expect.any(Number) });
      expect((each as { after: number }).after).toBeLessThanOrEqual(5);
    }
    expect(heard('RenewalsFailing', samples, fromMs, bench.clock.nowMs())).toEqual(silence);
  });

  test.each([
    ['whose client is refused', answers(401, { error: 'invalid_client' })],
    ['that a person must consent to', answers(400, { error: 'consent_required' })],
    ['whose own scope is refused', answers(400, { error: 'invalid_scope' })],
    ['whose host may not be called', () => ({ failure: { unsent: true, code: 'blocked' } })],
  ] satisfies [string, Reaction][])('rings as one does %s', async (_, reaction) => {
    const bench = await aDueAccount();
    const fromMs = bench.clock.nowMs();
    bench.next(reaction);
    const samples = await live(bench, 10 * MINUTE);
    expect(heard('PersonNeeded', samples, fromMs, bench.clock.nowMs())).not.toContain('silence');
  });

  test('rings as one does whose refresh was refused where a log-in needs a person', async () => {
    let consented = true;
    const provider = (plain: Provider): Provider => ({
      ...plain,
      traits: (secret) => ({ ...plain.traits(secret), loginNeedsPerson: !consented }),
    });
    const bench = await aDueAccount({ provider });
    const fromMs = bench.clock.nowMs();
    consented = false;
    bench.next(refreshRefused);
    const samples = await live(bench, 10 * MINUTE);
    expect(heard('PersonNeeded', samples, fromMs, bench.clock.nowMs())).not.toContain('silence');
  });

  test('rings for nobody where a caller alone is wrong, who asked for what the provider does not give', async () => {
    const bench = renewalBench();
    const fromMs = bench.clock.nowMs();
    bench.next(...Array.from({ length: 9 }, () => answers(400, { error: 'invalid_scope' })));
    const samples = await live(bench, 30 * MINUTE, { parameters: { profile: 1 } });
    expect(samples.filter(({ name }) => name === 'RenewalFailures').length).toBeGreaterThan(4);
    for (const alarm of ['PersonNeeded', 'RenewalsFailing'] as const) {
      expect(heard(alarm, samples, fromMs, bench.clock.nowMs())).toEqual(silence);
    }
  });
});

describe('an account whose provider is down', () => {
  test.each(
    [0, 0.5, 0.999].flatMap((fraction) => [
      ['answers 503', fraction, () => down],
      ['is not reached', fraction, () => unsent],
      ['does not answer', fraction, hangs],
    ]) as [string, number, (bench: Bench) => Reaction][],
  )('rings within 20 minutes, and on, where it %s, with a jitter of %d', async (_, fraction, reaction) => {
    const bench = await aDueAccount({ fraction });
    const fromMs = bench.clock.nowMs();
    bench.next(...Array.from({ length: 500 }, () => reaction(bench)));
    const samples = await live(bench, 2 * HOUR);
    for (const each of heard('RenewalsFailing', samples, fromMs, bench.clock.nowMs())) {
      expect(each).toMatchObject({ after: expect.any(Number), on: true });
      expect((each as { after: number }).after).toBeLessThanOrEqual(20);
    }
    expect(heard('PersonNeeded', samples, fromMs, bench.clock.nowMs())).toEqual(silence);
  });

  test.each([
    ['one whose secret was never proven', 3],
    ['one that asks to be left alone for an hour', 1],
  ])('rings although it is tried only now and then: %s', async (_, calls) => {
    const bench = calls === 1 ? await aDueAccount() : renewalBench();
    const fromMs = bench.clock.nowMs();
    bench.next(...Array.from({ length: 500 }, () => (calls === 1 ? answers(503, {}, { 'retry-after': '3600' }) : down)));
    const samples = await live(bench, 30 * MINUTE);
    expect(samples.filter(({ name }) => name === 'RenewalFailures').length).toBeLessThan(9);
    expect(heard('RenewalsFailing', samples, fromMs, bench.clock.nowMs())).not.toContain('silence');
  });

  test.each([
    ['a renewal', aDueAccount],
    ['its first log-in', async () => renewalBench()],
  ])('rings for nobody where %s fails once and heals at the next tick', async (_, anAccount) => {
    const bench = await anAccount();
    const fromMs = bench.clock.nowMs();
    bench.next(down);
    const samples = await live(bench, 3 * HOUR);
    expect(samples.filter(({ name }) => name === 'RenewalFailures')).toHaveLength(1);
    for (const alarm of ['PersonNeeded', 'RenewalsFailing'] as const) {
      expect(heard(alarm, samples, fromMs, bench.clock.nowMs())).toEqual(silence);
    }
  });

  test('rings for nobody where it comes back after two minutes', async () => {
    const bench = await aDueAccount();
    const fromMs = bench.clock.nowMs();
    bench.next(down, down, down);
    const samples = await live(bench, 3 * HOUR);
    expect(heard('RenewalsFailing', samples, fromMs, bench.clock.nowMs())).toEqual(silence);
  });
});

test.each([
  ['rings where the instance that is wrong is called once a minute', 1, 'ringing'],
  ['does not ring for one answer', 60, 'silence'],
])('a clock %s', (_, everyMinutes, expected) => {
  const samples = Array.from({ length: 60 / everyMinutes }, (__, index) => ({
    name: 'ClockSkew',
    dimension: 'dynamodb',
    value: 2_500,
    atMs: index * everyMinutes * MINUTE + (index % 3) * SECOND,
  }));
  const states = heard('ClockSkew', samples, 0, HOUR).map((each) => (each === 'silence' ? each : 'ringing'));
  expect(states).toEqual(Array.from({ length: 5 }, () => expected));
});

test('every metric of ours that is alarmed or shown is sent by some function', () => {
  const root = path.join(import.meta.dirname, '..', '..', 'functions');
  const sources = globSync('**/*.ts', { cwd: root }).map((file) => readFileSync(path.join(root, file), 'utf8'));
  const written = sources.flatMap((source) => [...source.matchAll(/\.metric\('(\w+)'/g)].map(([, name]) => name ?? ''));
  // The others are composed of event and outcome.
  const sent = new Set([...written, 'VendSuccess', 'VendRefusal', 'VendFailure']);
  const alarmed = [...text.matchAll(/"MetricName":"(\w+)","Namespace":"tokens-test"/g)].map(([, name]) => name ?? '');
  const shown = [...text.matchAll(/\[\\"tokens-test\\",\\"(\w+)\\"/g)].map(([, name]) => name ?? '');
  expect(new Set(alarmed)).toEqual(new Set(['BackOff', 'PersonNeeded', 'OldestOverdue', 'ClockSkew']));
  expect(shown.length).toBeGreaterThan(10);
  expect([...new Set([...alarmed, ...shown])].filter((name) => !sent.has(name))).toEqual([]);
});
