import { describe, expect, test } from '@jest/globals';
import { accessExpiry, freshness, refreshExpiry, retryAt } from '../../functions/core/clocks.ts';
import { careful } from '../../functions/providers/careful.ts';
import { answerOf } from '../support/planned-fetch.ts';

const SENT = 1_769_904_307_123;
/** The provider's clock is an hour ahead, and its `Date` has whole seconds. */
const DATE = SENT - 123 + 3_600_000;
const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;
const traits = { ...careful, defaultLifeSeconds: 300 };
const answer = answerOf({ headers: { date: new Date(DATE).toUTCString() } }, SENT);
const dateless = answerOf({}, SENT);

describe('the expiry of an access token', () => {
  test('counts a relative life from the moment of sending', () => {
    expect(accessExpiry(answer, { expiresInSeconds: 60 }, traits)).toBe(SENT + 60_000);
  });

  test('counts an absolute one from the Date of the answer, so that a wrong clock of the provider does no harm', () => {
    expect(accessExpiry(answer, { expiresAtMs: DATE + 60_000 }, traits)).toBe(SENT + 60_000);
  });

  test('counts an absolute one from our clock where there is no Date', () => {
    expect(accessExpiry(dateless, { expiresAtMs: SENT + 60_000 }, traits)).toBe(SENT + 60_000);
  });

  test.each([
    ['is missing', {}],
    ['is zero', { expiresInSeconds: 0 }],
    ['is negative', { expiresInSeconds: -5 }],
    ['is not a number', { expiresInSeconds: Number.NaN }],
    ['is longer than ten years', { expiresInSeconds: (11 * YEAR) / 1000 }],
    ['is over already', { expiresAtMs: DATE - 1 }],
    ['is the moment of the answer', { expiresAtMs: DATE }],
    ['was meant as seconds', { expiresAtMs: DATE * 1000 }],
  ])('is the default where it %s', (_, tokens) => {
    expect(accessExpiry(answer, tokens, traits)).toBe(SENT + 300_000);
  });

  test('may be a year', () => {
    expect(accessExpiry(answer, { expiresInSeconds: YEAR / 1000 }, traits)).toBe(SENT + YEAR);
  });
});

describe('the expiry of a refresh token', () => {
  const known = { ...traits, defaultRefreshLifeSeconds: 3600 };

  test('is unknown where the answer says zero, whatever the default', () => {
    expect(refreshExpiry(answer, { refreshExpiresInSeconds: 0 }, known)).toBeUndefined();
  });

  test('is the default where the answer says nothing, and unknown without one', () => {
    expect(refreshExpiry(answer, {}, known)).toBe(SENT + HOUR);
    expect(refreshExpiry(answer, {}, traits)).toBeUndefined();
  });

  test('counts like that of an access token', () => {
    expect(refreshExpiry(answer, { refreshExpiresInSeconds: 60 }, traits)).toBe(SENT + 60_000);
    expect(refreshExpiry(answer, { refreshExpiresAtMs: DATE + 60_000 }, traits)).toBe(SENT + 60_000);
  });
});

describe('the freshness of a document', () => {
  const date = new Date(DATE).toUTCString();

  test.each([
    ['max-age', { 'cache-control': 'public, max-age=600' }, 600_000],
    ['max-age before Expires', { 'cache-control': 'max-age=60', expires: new Date(DATE + HOUR).toUTCString(), date }, 60_000],
    ['Expires by the clock of the provider', { expires: new Date(DATE + HOUR).toUTCString(), date }, HOUR],
    ['less its Age', { 'cache-control': 'max-age=600', age: '500' }, 100_000],
    ['none once its Age is more', { 'cache-control': 'max-age=600', age: '700' }, 0],
    ['none with no-store', { 'cache-control': 'no-store, max-age=600' }, 0],
    ['none with no-cache', { 'cache-control': 'No-Cache' }, 0],
    ['none with an Expires that is no date', { expires: '0' }, 0],
    ['none with an Expires that is past', { expires: new Date(DATE - HOUR).toUTCString(), date }, 0],
    ['a day at most', { 'cache-control': 'max-age=31536000' }, 24 * HOUR],
    ['ten minutes where nothing is said', {}, 600_000],
  ])('is %s', (_, headers, life) => expect(freshness(answerOf({ headers }, SENT))).toBe(life));
});

describe('Retry-After', () => {
  test.each([
    ['no header', {}, undefined],
    ['an empty one', { 'retry-after': ' ' }, undefined],
    ['prose', { 'retry-after': 'soon' }, undefined],
    ['seconds', { 'retry-after': '30' }, 30_000],
    ['too few seconds', { 'retry-after': '0' }, 1000],
    ['too many seconds', { 'retry-after': '86400' }, HOUR],
    [
      'a date by the clock of the provider',
      { 'retry-after': new Date(DATE + 30_000).toUTCString(), date: new Date(DATE).toUTCString() },
      30_000,
    ],
  ])('as %s', (_, headers, delay) => {
    expect(retryAt(answerOf({ headers }, SENT), SENT)).toBe(delay === undefined ? undefined : SENT + delay);
  });
});
