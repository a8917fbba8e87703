import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createSsmGrants } from '../../../functions/adapters/ssm-grants.ts';
import { handClock, recordingTelemetry } from '../../support/ports.ts';

const ssm = mockClient(SSMClient);
const grant = (caller: string, change: object = {}) => ({ caller, operations: ['vend'], accounts: ['vidizmo/main'], ...change });
const parameter = (name: string, value: unknown) => ({
  Name: `/test/grants/${name}`,
  Value: typeof value === 'string' ? value : JSON.stringify(value),
});
const reads = () => ssm.commandCalls(GetParametersByPathCommand).length;

function setUp() {
  const clock = handClock(1_793_456_789_012);
  const telemetry = recordingTelemetry();
  const client = new SSMClient({ region: 'eu-central-1' });
  return { clock, telemetry, grants: createSsmGrants({ client, path: '/test/grants', clock, telemetry }) };
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

  test('stay in memory for less than 60 s and are read once for all who ask at once', async () => {
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

  test('are unavailable after 60 s where SSM does not answer, old ones notwithstanding', async () => {
    ssm
      .on(GetParametersByPathCommand)
      .resolvesOnce({ Parameters: [parameter('a', [grant('one')])] })
      .rejects(new Error('arn:aws:…'));
    const { grants, clock } = setUp();
    expect(await grants.of('one')).toHaveLength(1);
    clock.advance(60_000);
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
