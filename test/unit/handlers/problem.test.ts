import { describe, expect, test } from '@jest/globals';
import { TokenVendingError } from '../../../functions/core/errors.ts';
import type { ErrorCode } from '../../../functions/core/errors.ts';
import { answerSchemas } from '../../../functions/handlers/answer-schemas.ts';
import { asOurs, errorOfRefusal, problemResponse, problems } from '../../../functions/handlers/problem.ts';
import { bodyOf, theNowMs } from '../../support/http-calls.ts';

const isCode = (name: string): name is ErrorCode => name in problems;
const codes = Object.keys(problems).filter(isCode);

describe('every problem', () => {
  test.each(codes)('%s is of the shape that OpenAPI promises, and stored by nobody', (code) => {
    const response = problemResponse(new TokenVendingError(code), theNowMs);
    expect(answerSchemas.Problem.safeParse(bodyOf(response)).error?.issues).toBeUndefined();
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/problem+json' });
  });

  test.each(codes)('%s names itself in type and code, and its status in the body', (code) => {
    const response = problemResponse(new TokenVendingError(code), theNowMs);
    expect(bodyOf(response)).toMatchObject({ type: `urn:token-vending:problem:${code}`, code, status: response.statusCode });
  });

  test.each(codes)('%s says nothing of its cause', (code) => {
    const error = new TokenVendingError(code, {}, new Error('the-cause'));
    expect(JSON.stringify(problemResponse(error, theNowMs))).not.toContain('the-cause');
  });

  test.each(codes.filter((code) => [429, 503, 504].includes(problems[code].status)))('%s says when to ask again', (code) => {
    const { headers } = problemResponse(new TokenVendingError(code), theNowMs);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  });

  test.each([
    ['bad_request', 400],
    ['no_grant', 403],
    ['not_found', 404],
    ['needs_consent', 409],
    ['too_many_token_sets', 429],
    ['too_soon', 429],
    ['internal', 500],
    ['provider_refused', 502],
    ['provider_unreadable', 502],
    ['backing_off', 503],
    ['renewing', 503],
    ['account_misconfigured', 503],
    ['store_unavailable', 503],
    ['secrets_unavailable', 503],
    ['keys_unavailable', 503],
    ['grants_unavailable', 503],
    ['renewals_unavailable', 503],
    ['too_slow', 504],
  ] satisfies [ErrorCode, number][])('%s is %d', (code, status) => {
    expect(problemResponse(new TokenVendingError(code), theNowMs).statusCode).toBe(status);
  });
});

describe('Retry-After', () => {
  test.each([
    [1, '1'],
    [1_000, '1'],
    [1_001, '2'],
    [-5_000, '1'],
  ])('is whole seconds, rounded up, at least one: %d ms are %s', (leftMs, seconds) => {
    const response = problemResponse(new TokenVendingError('backing_off', { retryAtMs: theNowMs + leftMs }), theNowMs);
    expect(response.headers['retry-after']).toBe(seconds);
    expect(bodyOf(response)['retry_after']).toBe(Number(seconds));
  });

  test('is absent where asking again does not help by itself', () => {
    expect(problemResponse(new TokenVendingError('no_grant'), theNowMs).headers).not.toHaveProperty('retry-after');
  });
});

describe('a refusal', () => {
  test.each([
    ['backing_off', 'backing_off'],
    ['credentials_refused', 'provider_refused'],
    ['configuration', 'provider_refused'],
    ['needs_consent', 'needs_consent'],
    ['misconfigured', 'account_misconfigured'],
    ['unreadable', 'provider_unreadable'],
    ['too_soon', 'too_soon'],
    ['too_many_token_sets', 'too_many_token_sets'],
    ['too_slow', 'too_slow'],
    ['no_account', 'no_grant'],
  ] as const)('for %s is told as %s', (reason, code) => {
    expect(errorOfRefusal({ reason }).code).toBe(code);
  });

  test("tells the provider's error code", () => {
    const response = problemResponse(errorOfRefusal({ reason: 'credentials_refused', providerError: 'invalid_grant' }), theNowMs);
    expect(bodyOf(response)['provider_error']).toBe('invalid_grant');
  });

  test('keeps to itself which field of the secret is wrong', () => {
    const error = errorOfRefusal({ reason: 'misconfigured', field: 'base_url', rule: 'must be an https URL' });
    expect(problemResponse(error, theNowMs).body).not.toMatch(/base_url|https URL/);
    expect(error.cause).toEqual({ field: 'base_url', rule: 'must be an https URL' });
  });
});

describe('what was thrown', () => {
  test('is a mistake of this service unless it is one of its errors', () => {
    const stranger = new TypeError('undefined is not a function');
    expect(asOurs(stranger)).toMatchObject({ code: 'internal', cause: stranger });
  });

  test('stays itself where it is one of its errors', () => {
    const ours = new TokenVendingError('too_slow');
    expect(asOurs(ours)).toBe(ours);
  });
});
