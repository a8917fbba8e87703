import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createSsmGrants } from '../../../functions/adapters/ssm-grants.ts';
import type { Randomness } from '../../../functions/core/ports.ts';
import { handClock, recordingTelemetry } from '../../support/ports.ts';

const ssm = mockClient(SSMClient);
const grant = (caller: string, change: object = {}) => ({ caller, operations: ['vend'], accounts: ['vidizmo/main'], ...change });
const parameter = (name: string, value: unknown) => ({
  Name: `/test/grants/${name}`,
  Value: typeof value === 'string' ? value : JSON.stringify(value),
});
const reads = () => ssm.commandCalls(GetParametersByPathCommand).length;

function setUp(random: Pick<Randomness, 'fraction'> = { fraction: () => 0 }) {
  const clock = handClock(1_793_456_789_012);
  const telemetry = recordingTelemetry();
  const client = new SSMClient({ region: 'eu-central-1' });
  return { clock, telemetry, grants: createSsmGrants({ client, path: '/test/grants', clock, random, telemetry }) };
}

describe('the grants', () => {
  beforeEach(() => void ssm.reset());
  afterAll(() => ssm.restore());

  test('are gathered by caller over all parameters and pages', async () => {
    ssm.on(GetParametersByPathCommand).callsFake(async ({ NextToken }: { NextToken?: string }) =>
      NextToken === undefined
        ? { Parameters: [parameter('a', [grant('one'), grant('two')])], NextToken: 'more' }
        : {
            Parameters: [
              parameter('b', [grant('one', { accounts: ['*'], parameters: { profile: '*', kind: ['a', 1, true] }, maxMinTtlSeconds: 60 })]),
            ],
          },
    );
    const { grants } = setUp();
    expect((await grants.of('one')).map(({ accounts }) => accounts)).toEqual([['vidizmo/main'], ['*']]);
    expect(await grants.of('two')).toHaveLength(1);
    expect(await grants.of('stranger')).toEqual([]);
    expect(reads()).toBe(2);
    expect(ssm.commandCalls(GetParametersByPathCommand)[0]?.args[0].input).toMatchObject({
      Path: '/test/grants',
      Recursive: true,
      WithDecryption: false,
    });
  });

  test('stay in memory for 60 s at the most and are read once for all who ask at once', async () => {
    ssm.on(GetParametersByPathCommand).resolves({ Parameters: [parameter('a', [grant('one')])] });
    const { grants, clock } = setUp();
    await Promise.all([grants.of('one'), grants.of('two')]);
    clock.advance(59_999);
    await grants.of('one');
    expect(reads()).toBe(1);
    clock.advance(1);
    await grants.of('one');
    expect(reads()).toBe(2);
  });

  test('are as old as the beginning of their reading', async () => {
    const { grants, clock } = setUp();
    ssm.on(GetParametersByPathCommand).callsFake(async () => {
      clock.advance(2_000);
      return { Parameters: [] };
    });
    await grants.of('one');
    clock.advance(57_999);
    await grants.of('one');
    expect(reads()).toBe(1);
    clock.advance(1);
    await grants.of('one');
    expect(reads()).toBe(2);
  });

  test('are read again by each instance at a time of its own', async () => {
    ssm.on(GetParametersByPathCommand).resolves({ Parameters: [] });
    const early = setUp({ fraction: () => 0.999 });
    await early.grants.of('one');
    early.clock.advance(50_009);
    await early.grants.of('one');
    expect(reads()).toBe(1);
    early.clock.advance(1);
    await early.grants.of('one');
    expect(reads()).toBe(2);
  });

  test('hold for 5 minutes where SSM does not answer, which is asked every 5 s, and no longer', async () => {
    ssm
      .on(GetParametersByPathCommand)
      .resolvesOnce({ Parameters: [parameter('a', [grant('one')])] })
      .rejects(new Error('arn:aws:…'));
    const { grants, clock, telemetry } = setUp();
    await grants.of('one');
    clock.advance(60_000);
    expect(await grants.of('one')).toHaveLength(1);
    clock.advance(4_999);
    expect(await grants.of('one')).toHaveLength(1);
    expect([reads(), telemetry.logs.length]).toEqual([2, 1]);
    clock.advance(235_000);
    expect(await grants.of('one')).toHaveLength(1);
    clock.advance(1);
    await expect(grants.of('one')).rejects.toMatchObject({ code: 'grants_unavailable' });
    expect(JSON.stringify(telemetry.logs)).not.toContain('arn:aws');
  });

  test('are those of now as soon as SSM answers again', async () => {
    ssm
      .on(GetParametersByPathCommand)
      .resolvesOnce({ Parameters: [parameter('a', [grant('one')])] })
      .rejectsOnce(new Error('throttled'))
      .resolves({ Parameters: [parameter('a', [grant('two')])] });
    const { grants, clock } = setUp();
    await grants.of('one');
    clock.advance(60_000);
    expect(await grants.of('one')).toHaveLength(1);
    clock.advance(5_000);
    expect([await grants.of('one'), (await grants.of('two')).length]).toEqual([[], 1]);
  });

  test('are unavailable where they were never read', async () => {
    ssm.on(GetParametersByPathCommand).rejects(new Error('throttled'));
    const { grants } = setUp();
    await expect(grants.of('one')).rejects.toMatchObject({ code: 'grants_unavailable' });
  });

  test.each([
    ['no JSON', '[{'],
    ['no array', grant('one')],
    ['a misspelt restriction', [grant('one', { maxMinTtl: 60 })]],
    ['an unknown operation', [grant('one', { operations: ['vend', 'all'] })]],
    ['no caller', [{ operations: ['vend'], accounts: ['*'] }]],
  ])('in a parameter with %s count for nothing and are reported, the others count', async (_title, value) => {
    ssm.on(GetParametersByPathCommand).resolves({ Parameters: [parameter('bad', value), parameter('good', [grant('two')])] });
    const { grants, telemetry } = setUp();
    expect(await grants.of('one')).toEqual([]);
    expect(await grants.of('two')).toHaveLength(1);
    expect(telemetry.logs).toMatchObject([{ level: 'error', fields: { parameter: '/test/grants/bad' } }]);
  });
});
