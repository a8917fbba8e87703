import { describe, expect, test } from '@jest/globals';
import type { Grant } from '../../../functions/core/grants.ts';
import { Secret } from '../../../functions/core/secret.ts';
import { fingerprintOf } from '../../../functions/core/token-set.ts';
import type { VendCommand, VendOutcome } from '../../../functions/core/vend-token.ts';
import { answerSchemas } from '../../../functions/handlers/answer-schemas.ts';
import { vendTokenHandler } from '../../../functions/handlers/vend-token.ts';
import { anEvent, bodyOf, someGrants, theClock, theGrant, theNowMs, theProviders, theRole } from '../../support/http-calls.ts';
import { aContext } from '../../support/lambda-context.ts';
import { recordedCallers } from '../../support/recorded-callers.ts';
import { recordTelemetry } from '../../support/recorded-telemetry.ts';

const route = 'POST /v1/tokens/{provider}/{account}';
const token = new Secret('the-access-token');
const answered: VendOutcome = {
  kind: 'answered',
  generation: 7,
  from: 'table',
  tokenSet: {
    accessToken: token,
    refreshToken: new Secret('the-refresh-token'),
    scope: 'videos',
    facts: { userId: 12 },
    parameters: {},
    origin: 'https://demo.example.com',
    identity: 'identity',
    refreshEndsOldToken: false,
    obtainedAtMs: theNowMs - 1_000,
    expiresAtMs: theNowMs + 61_999,
  },
};

/** The handler over a use case that is asked once, with what it was asked. */
function aHandler(outcome: VendOutcome | Error = answered, grants: readonly Grant[] = [theGrant]) {
  const commands: VendCommand[] = [];
  const telemetry = recordTelemetry();
  const vendToken = async (command: VendCommand) => {
    commands.push(command);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  const deps = { vendToken, providers: theProviders, clock: theClock(), telemetry };
  const handle = vendTokenHandler({ ...deps, grants: someGrants(...grants), callers: { kind: 'iam' } });
  return { commands, telemetry, vend: (given: Parameters<typeof anEvent>[1] = {}) => handle(anEvent(route, given), aContext()) };
}

describe('a vend over HTTP', () => {
  test("answers RFC 6749's members and ours, and never a refresh token", async () => {
    const response = await aHandler().vend();
    expect(response.statusCode).toBe(200);
    expect(bodyOf(response)).toEqual({
      access_token: 'the-access-token',
      token_type: 'Bearer',
      expires_in: 61,
      expires_at: '2026-11-23T01:03:05Z',
      scope: 'videos',
      fingerprint: fingerprintOf(token),
      provider: 'demo',
      account: 'main',
      facts: { userId: 12 },
    });
  });

  test('answers in the shape that OpenAPI promises', async () => {
    const parsed = answerSchemas.VendAnswer.safeParse(bodyOf(await aHandler().vend()));
    expect(parsed.error?.issues).toBeUndefined();
  });

  test('never says that a token lives for less than no time', async () => {
    const { tokenSet } = answered;
    const response = await aHandler({ ...answered, tokenSet: { ...tokenSet, expiresAtMs: theNowMs - 1 } }).vend();
    expect(bodyOf(response)['expires_in']).toBe(0);
  });

  test('is JSON that nobody stores', async () => {
    const { headers } = await aHandler().vend();
    expect(headers).toEqual({ 'cache-control': 'no-store', 'content-type': 'application/json', 'x-content-type-options': 'nosniff' });
  });

  test('passes on the caller, the account, the parameters and the wishes', async () => {
    const { vend, commands } = aHandler();
    const rejected = fingerprintOf(token);
    await vend({ json: { profile: 'kids', team: 3, min_ttl: 90, rejected } });
    expect(commands).toEqual([
      {
        caller: theRole,
        ref: { provider: 'demo', account: 'main' },
        parameters: { profile: 'kids', team: 3 },
        minTtlSeconds: 90,
        rejected,
      },
    ]);
  });

  test.each([
    ['no body', {}],
    ['an empty body', { body: '' }],
    ['an empty body of another type', { body: '', headers: { 'content-type': 'text/plain' } }],
    ['an empty object', { json: {} }],
  ])('asks for the account itself with %s', async (_, given) => {
    const { vend, commands } = aHandler();
    await vend(given);
    expect(commands).toEqual([{ caller: theRole, ref: { provider: 'demo', account: 'main' }, parameters: {}, minTtlSeconds: 0 }]);
  });

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON'])('takes a body of type %s', async (type) => {
    const { vend, commands } = aHandler();
    await vend({ body: '{"profile":"kids"}', headers: { 'content-type': type } });
    expect(commands[0]?.parameters).toEqual({ profile: 'kids' });
  });

  test('reads a body that API Gateway has encoded', async () => {
    const { vend, commands } = aHandler();
    const body = Buffer.from('{"profile":"kids"}').toString('base64');
    await vend({ body, isBase64Encoded: true, headers: { 'content-type': 'application/json' } });
    expect(commands[0]?.parameters).toEqual({ profile: 'kids' });
  });

  test('leaves one audit line with who, what and which token, and no token', async () => {
    const { vend, telemetry } = aHandler();
    await vend({ json: { profile: 'kids' } });
    expect(telemetry.audits).toEqual([
      {
        event: 'vend',
        outcome: 'success',
        caller: theRole,
        account: 'demo/main',
        set: expect.stringMatching(/^set#/),
        generation: 7,
        fingerprint: fingerprintOf(token),
        durationMs: 0,
        code: undefined,
        detail: { from: 'table', request: 'request-1' },
      },
    ]);
    expect(telemetry.text()).not.toContain('the-access-token');
  });

  test('counts once, by provider', async () => {
    const { vend, telemetry } = aHandler();
    await vend();
    expect(telemetry.metrics).toEqual([{ name: 'VendSuccess', value: 0, unit: 'Milliseconds', dimension: 'demo' }]);
  });

  test.each(['nobody', 'constructor', ''])(
    'counts the provider "%s" as unknown: each name of a stranger\'s choice would be paid for',
    async (provider) => {
      const { vend, telemetry } = aHandler();
      await vend({ pathParameters: { provider, account: 'main' } });
      expect(telemetry.metrics).toEqual([{ name: 'VendRefusal', value: 0, unit: 'Milliseconds', dimension: 'unknown' }]);
    },
  );
});

describe('who may vend', () => {
  const other: Grant = { ...theGrant, caller: 'arn:aws:iam::111122223333:role/other' };
  const narrow: Grant = { ...theGrant, parameters: { profile: ['kids'] }, maxMinTtlSeconds: 60 };

  test.each([
    ['a caller without a grant', [other], {}],
    ['a caller with a grant for another operation', [{ ...theGrant, operations: ['inspect'] }], {}],
    ['a caller with a grant for another account', [{ ...theGrant, accounts: ['demo/other'] }], {}],
    ['a parameter that the grant does not name', [{ ...theGrant, parameters: undefined }], { json: { profile: 'kids' } }],
    ['a value that the grant does not name', [narrow], { json: { profile: 'grown-ups' } }],
    ['a longer min_ttl than the grant allows', [narrow], { json: { min_ttl: 61 } }],
    ['a provider that does not exist', [{ ...theGrant, accounts: ['*'] }], { pathParameters: { provider: 'nobody', account: 'main' } }],
  ] satisfies [string, Grant[], object][])('does not include %s', async (_, grants, given) => {
    const { vend, commands } = aHandler(answered, grants);
    const response = await vend(given);
    expect([response.statusCode, bodyOf(response)['code'], commands]).toEqual([403, 'no_grant', []]);
  });

  test('includes a value that the grant names', async () => {
    const { vend } = aHandler(answered, [narrow]);
    expect((await vend({ json: { profile: 'kids', min_ttl: 60 } })).statusCode).toBe(200);
  });

  test.each(['user', 'root', 'federated', 'cognito', 'otherAccount'] as const)(
    'does not include %s by a grant for the role',
    async (shape) => {
      const { vend, commands } = aHandler();
      const response = await vend({ requestContext: { accountId: '111122223333', authorizer: recordedCallers[shape] } });
      expect([response.statusCode, commands]).toEqual([403, []]);
    },
  );

  test.each(['user', 'root', 'federated'] as const)('includes %s where a grant names exactly it', async (shape) => {
    const { vend } = aHandler(answered, [{ ...theGrant, caller: recordedCallers[shape].iam.userArn }]);
    const response = await vend({ requestContext: { accountId: '111122223333', authorizer: recordedCallers[shape] } });
    expect(response.statusCode).toBe(200);
  });

  test('does not include a request that nobody authenticated', async () => {
    const { vend, telemetry } = aHandler();
    expect((await vend({ requestContext: { accountId: '111122223333' } })).statusCode).toBe(403);
    expect(telemetry.audits[0]).toMatchObject({ outcome: 'refusal', code: 'no_grant', detail: { callerRefused: 'no_iam' } });
  });

  test('cannot be learnt from the answer: no grant and no account look the same', async () => {
    const ungranted = await aHandler(answered, []).vend();
    const missing = await aHandler({ kind: 'refused', refusal: { reason: 'no_account' } }).vend();
    expect(ungranted).toEqual(missing);
  });
});
