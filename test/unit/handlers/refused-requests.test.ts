import { describe, expect, test } from '@jest/globals';
import { TokenVendingError } from '../../../functions/core/errors.ts';
import type { ErrorCode } from '../../../functions/core/errors.ts';
import type { Refusal } from '../../../functions/core/renewal.ts';
import type { VendOutcome } from '../../../functions/core/vend-token.ts';
import { answerSchemas } from '../../../functions/handlers/answer-schemas.ts';
import { vendTokenHandler } from '../../../functions/handlers/vend-token.ts';
import { anEvent, bodyOf, someGrants, theClock, theGrant, theNowMs, theProviders } from '../../support/http-calls.ts';
import { aContext } from '../../support/lambda-context.ts';
import { recordTelemetry } from '../../support/recorded-telemetry.ts';

const route = 'POST /v1/tokens/{provider}/{account}';
const json = { 'content-type': 'application/json' };

/** A vend whose use case answers with, or throws, what is given. */
async function vend(outcome: VendOutcome | Error, given: Parameters<typeof anEvent>[1] = {}, remainingMs?: number) {
  const telemetry = recordTelemetry();
  const vendToken = async () => {
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  const deps = { vendToken, providers: theProviders, clock: theClock(), telemetry, grants: someGrants(theGrant) };
  const response = await vendTokenHandler({ ...deps, callers: { kind: 'iam' } })(anEvent(route, given), aContext(remainingMs));
  return { response, body: bodyOf(response), telemetry };
}

const unreached = new Error('the use case was asked');

describe('a request that breaks a rule', () => {
  test.each([
    ['a body of a byte too many', { body: `{"profile":""}${' '.repeat(8_179)}`, headers: json }, 'body', 'must be at most 8192 bytes long'],
    [
      'a query with a very long name',
      { queryStringParameters: { ['x'.repeat(65)]: '' } },
      'x'.repeat(64),
      'must not stand in the query string',
    ],
    [
      'a form',
      { body: 'profile=kids', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      'content-type',
      'must be application/json',
    ],
    ['a body of no type', { body: '{}' }, 'content-type', 'must be application/json'],
    [
      'a body of a type that only begins like JSON',
      { body: '{}', headers: { 'content-type': 'application/jsonp' } },
      'content-type',
      'must be application/json',
    ],
    ['broken JSON', { body: '{"profile":', headers: json }, 'body', 'must be a JSON object'],
    ['JSON that is a list', { json: [] }, 'body', 'must be a JSON object'],
    ['JSON that is null', { json: null }, 'body', 'must be a JSON object'],
    ['JSON that is a text', { json: 'kids' }, 'body', 'must be a JSON object'],
    ['an unknown field', { json: { profil: 'kids' } }, 'profil', 'must not be sent: there is no such field'],
    [
      'a field of the prototype',
      { body: '{"__proto__":{"profile":"kids"}}', headers: json },
      '__proto__',
      'must not be sent: there is no such field',
    ],
    ['a parameter of the wrong type', { json: { profile: 3 } }, 'profile', 'must be a string'],
    ['a parameter that is too long', { json: { profile: 'x'.repeat(21) } }, 'profile', 'must be at most 20 characters long'],
    ['a parameter that is null', { json: { team: null } }, 'team', 'must be a number'],
    ['min_ttl as a text', { json: { min_ttl: '60' } }, 'min_ttl', 'must be a whole number of seconds'],
    ['min_ttl with a fraction', { json: { min_ttl: 1.5 } }, 'min_ttl', 'must be a whole number of seconds'],
    ['a negative min_ttl', { json: { min_ttl: -1 } }, 'min_ttl', 'must not be negative'],
    ['a min_ttl beyond a year', { json: { min_ttl: 31_536_001 } }, 'min_ttl', 'must be at most 31536000'],
    ['a token instead of its fingerprint', { json: { rejected: 'eyJhbGciOi.x.y' } }, 'rejected', expect.stringContaining('fingerprint')],
    ['a query string', { queryStringParameters: { min_ttl: '60' } }, 'min_ttl', 'must not stand in the query string'],
    [
      'an account that could be no name',
      { pathParameters: { provider: 'demo', account: 'a/b' } },
      'account',
      expect.stringContaining('must be 1 to 64'),
    ],
    [
      'a provider that could be no name',
      { pathParameters: { provider: 'DEMO', account: 'a' } },
      'provider',
      expect.stringContaining('must be 1 to 32'),
    ],
    ['a path without names', { pathParameters: undefined }, 'provider', expect.stringContaining('must be 1 to 32')],
  ])('is refused with field and rule: %s', async (_, given, field, rule) => {
    const { response, body } = await vend(unreached, given);
    expect(response.statusCode).toBe(400);
    expect(response.headers['cache-control']).toBe('no-store');
    expect(body).toMatchObject({ type: 'urn:token-vending:problem:bad_request', code: 'bad_request', field, rule });
    expect(body['detail']).toBe(`${String(body['field'])} ${String(body['rule'])}.`);
  });

  test('never has its values repeated', async () => {
    const { response } = await vend(unreached, { json: { profile: ['a-secret-by-mistake'] } });
    expect(response.body).not.toContain('a-secret-by-mistake');
  });
});

function refused(reason: Refusal['reason'], more: Partial<Refusal> = {}): VendOutcome {
  return { kind: 'refused', refusal: { reason, ...more } };
}

describe('what comes of a vend that gives no token', () => {
  const retryAtMs = theNowMs + 90_000;
  test.each([
    [refused('needs_consent'), 409, { code: 'needs_consent' }, undefined],
    [refused('too_many_token_sets'), 429, { code: 'too_many_token_sets' }, '60'],
    [refused('too_soon', { retryAtMs }), 429, { code: 'too_soon', retry_after: 90 }, '90'],
    [
      refused('credentials_refused', { providerError: 'bad_password', retryAtMs }),
      502,
      { code: 'provider_refused', provider_error: 'bad_password' },
      '90',
    ],
    [
      refused('configuration', { providerError: 'invalid_scope' }),
      502,
      { code: 'provider_refused', provider_error: 'invalid_scope' },
      undefined,
    ],
    [refused('unreadable', { retryAtMs }), 502, { code: 'provider_unreadable' }, '90'],
    [refused('backing_off', { retryAtMs }), 503, { code: 'backing_off' }, '90'],
    [refused('misconfigured', { retryAtMs }), 503, { code: 'account_misconfigured' }, '90'],
    [refused('no_account'), 403, { code: 'no_grant' }, undefined],
    [refused('too_slow'), 504, { code: 'too_slow' }, '5'],
    [{ kind: 'renewing', retryAtMs } satisfies VendOutcome, 503, { code: 'renewing' }, '90'],
    [
      { kind: 'bad_request', maximumSeconds: 180 } satisfies VendOutcome,
      400,
      { code: 'bad_request', field: 'min_ttl', maximum_seconds: 180 },
      undefined,
    ],
  ])('%# is a problem with its status and the time to ask again', async (outcome, status, members, retryAfter) => {
    const { response, body, telemetry } = await vend(outcome);
    expect(response.statusCode).toBe(status);
    expect(body).toMatchObject(members);
    expect(response.headers['retry-after']).toBe(retryAfter);
    expect(response.headers['cache-control']).toBe('no-store');
    expect(answerSchemas.Problem.safeParse(body).error?.issues).toBeUndefined();
    expect(telemetry.audits).toHaveLength(1);
    expect(telemetry.audits[0]).toMatchObject({ event: 'vend', code: body['code'], account: 'demo/main' });
  });

  test.each([
    ['store_unavailable', 503],
    ['keys_unavailable', 503],
    ['secrets_unavailable', 503],
    ['grants_unavailable', 503],
    ['renewals_unavailable', 503],
    ['too_slow', 504],
    ['internal', 500],
  ] satisfies [ErrorCode, number][])('is %s as a failure, logged with its cause', async (code, status) => {
    const error = new TokenVendingError(code, {}, new Error('the-evidence'));
    const { response, body, telemetry } = await vend(error);
    expect([response.statusCode, body['code'], response.headers['cache-control']]).toEqual([status, code, 'no-store']);
    expect(response.body).not.toContain('the-evidence');
    expect(telemetry.audits[0]).toMatchObject({ outcome: 'failure', code });
    expect(telemetry.logs).toEqual([{ level: 'error', message: 'A call failed', fields: { route }, error }]);
  });

  test('is no failure of the service where it worked and said no: nobody is told to look', async () => {
    const { telemetry } = await vend(refused('backing_off'));
    expect(telemetry.audits[0]).toMatchObject({ outcome: 'refusal' });
    expect(telemetry.logs).toEqual([]);
  });

  test('is an internal error where something else was thrown', async () => {
    const { response, body } = await vend(new TypeError('the-evidence'));
    expect([response.statusCode, body['code']]).toEqual([500, 'internal']);
    expect(response.body).not.toContain('the-evidence');
  });

  test("tells the secret's broken field to the audit line alone", async () => {
    const { response, telemetry } = await vend(refused('misconfigured', { field: 'base_url', rule: 'must be an https URL' }));
    expect(response.body).not.toMatch(/base_url|https URL/);
    expect(telemetry.audits[0]?.detail).toMatchObject({ field: 'base_url', rule: 'must be an https URL' });
  });

  test('answers 504, audited, before Lambda ends the function', async () => {
    const telemetry = recordTelemetry();
    const deps = { providers: theProviders, clock: theClock(), telemetry, grants: someGrants(theGrant), callers: { kind: 'iam' } as const };
    const handle = vendTokenHandler({ ...deps, vendToken: () => new Promise(() => {}) });
    const response = await handle(anEvent(route), aContext(510));
    expect([response.statusCode, telemetry.audits[0]?.code]).toEqual([504, 'too_slow']);
  });
});
