import { describe, expect, test } from '@jest/globals';
import { createCallProvider } from '../../functions/core/call-provider.ts';
import type { PreviousTokens } from '../../functions/core/call-provider.ts';
import { Secret } from '../../functions/core/secret.ts';
import type { TokenParameters } from '../../functions/core/token-set.ts';
import { planFetch } from '../support/planned-fetch.ts';
import type { Planned } from '../support/planned-fetch.ts';
import { credentialsOf, providerOf } from '../support/provider-bench.ts';
import { recordTelemetry } from '../support/recorded-telemetry.ts';

const NOW = 1_769_904_307_123;
const ISSUER = 'https://login.example/auth/realms/platform';
const CONFIGURATION = `GET ${ISSUER}/.well-known/openid-configuration`;
const TOKEN = `POST ${ISSUER}/token`;
const PAIR = { access_token: 'a'.repeat(40), refresh_token: 'r'.repeat(40), expires_in: 300 };
const VMS = 'POST https://vms.example/v1/vms/auth';
const user = { username: 'jo@example.com', password: 'pass:word-of-jo' };

const discovered = (over: object = {}, headers: Readonly<Record<string, string>> = {}): Planned => ({
  request: CONFIGURATION,
  headers,
  body: { issuer: ISSUER, token_endpoint: `${ISSUER}/token`, ...over },
});

/** The engine over planned exchanges, with a clock that stands still unless it is moved. */
function engine(plan: readonly Planned[], provider: string, secret: object, parameters: TokenParameters = {}) {
  let now = NOW;
  const clock = { nowMs: () => now, sleep: () => Promise.resolve() };
  const planned = planFetch(clock.nowMs, plan);
  const telemetry = recordTelemetry();
  const call = createCallProvider({ fetch: planned.fetch, clock, telemetry });
  const its = providerOf(provider);
  const input = (over: object = {}) => ({ credentials: credentialsOf(its, secret), parameters, deadlineMs: now + 10_000, ...over });
  return {
    ...planned,
    telemetry,
    move: (ms: number) => (now += ms),
    login: (over?: object) => call(its, 'login', input(over)),
    refresh: (previous: PreviousTokens) => call(its, 'refresh', { ...input(), previous }),
    revoke: (previous: PreviousTokens) => call(its, 'revoke', { ...input(), previous }),
  };
}

const movingimage = (plan: readonly Planned[]) => engine(plan, 'movingimage', { ...user, issuer: ISSUER });
const vms = (plan: readonly Planned[], parameters: TokenParameters = {}) =>
  engine(plan, 'movingimage-vms', { ...user, base_url: 'https://vms.example' }, parameters);

function previous(over: Partial<PreviousTokens> = {}): PreviousTokens {
  const secrets = { accessToken: new Secret('a'.repeat(40)), refreshToken: new Secret('r'.repeat(40)) };
  return { ...secrets, facts: { video_manager: 2 }, origin: 'https://login.example', ...over };
}

describe('discovery', () => {
  test('is asked once while its headers allow', async () => {
    const its = movingimage([
      discovered({}, { 'cache-control': 'max-age=600' }),
      { request: TOKEN, body: PAIR },
      { request: TOKEN, body: PAIR },
      discovered({}, { 'cache-control': 'max-age=600' }),
      { request: TOKEN, body: PAIR },
    ]);
    await its.login();
    its.move(599_000);
    await its.login();
    its.move(2000);
    expect(await its.login()).toMatchObject({ kind: 'ok' });
    expect(its.rest()).toEqual([]);
  });

  test('is kept for a day at most', async () => {
    const its = movingimage([
      discovered({}, { 'cache-control': 'max-age=99999999' }),
      { request: TOKEN, body: PAIR },
      discovered(),
      { request: TOKEN, body: PAIR },
    ]);
    await its.login();
    its.move(86_400_001);
    await its.login();
    expect(its.rest()).toEqual([]);
  });

  test('that may not be kept is asked every time', async () => {
    const its = movingimage([
      discovered({}, { 'cache-control': 'no-cache, no-store' }),
      { request: TOKEN, body: PAIR },
      discovered(),
      { request: TOKEN, body: PAIR },
    ]);
    await its.login();
    await its.login();
    expect(its.rest()).toEqual([]);
  });

  test.each([
    ['names another issuer', { issuer: 'https://login.evil.example' }],
    ['has no issuer', { issuer: undefined }],
    ['has no token endpoint', { token_endpoint: undefined }],
    ['has a token endpoint without TLS', { token_endpoint: 'http://login.example/token' }],
    ['has a token endpoint that is no URL', { token_endpoint: 'token' }],
    ['has a revocation endpoint without TLS', { revocation_endpoint: 'http://login.example/revoke' }],
  ])('is not believed where the document %s', async (_, over) => {
    const its = movingimage([discovered(over)]);
    expect(await its.login()).toMatchObject({ failure: 'unreadable', spent: 'no', code: 'discovery_http_200' });
    expect(its.requests[0]?.body).toBeUndefined();
  });

  test.each([503, 429, 408])('that fails with %i is for later, and nothing is spent', async (status) => {
    const its = movingimage([{ ...discovered(), status, headers: { 'retry-after': '7' } }]);
    expect(await its.login()).toMatchObject({ failure: 'transient', spent: 'no', retryAtMs: NOW + 7000 });
  });

  test('that fails is not kept', async () => {
    const its = movingimage([{ ...discovered(), status: 503 }, discovered(), { request: TOKEN, body: PAIR }]);
    await its.login();
    expect(await its.login()).toMatchObject({ kind: 'ok' });
  });

  test('comes before the slot, and the slot right before the request', async () => {
    const order: string[] = [];
    const its = movingimage([
      { ...discovered(), meanwhile: () => order.push('discovery') },
      { request: TOKEN, body: PAIR, meanwhile: () => order.push('log-in') },
    ]);
    await its.login({ beforeSend: async () => order.push('slot') > 0 });
    expect(order).toEqual(['discovery', 'slot', 'log-in']);
  });

  test('by WebFinger takes issuers, configuration documents and Keycloak properties', async () => {
    const finger = `GET https://api.video-cdn.net/.well-known/webfinger?resource=${encodeURIComponent('https://api.video-cdn.net/v1/')}`;
    const rel = 'http://openid.net/specs/connect/1.0/issuer';
    const properties = {
      'https://x/v1/keycloak/realm': 'platform',
      'https://x/v1/keycloak/auth-server-url': 'https://login.example/auth/',
    };
    for (const body of [
      { links: [{ rel, href: ISSUER }] },
      { links: [{ rel, href: `${ISSUER}/.well-known/openid-configuration` }] },
      { properties },
    ]) {
      const its = engine([{ request: finger, body }, discovered(), { request: TOKEN, body: PAIR }], 'movingimage', user);
      expect(await its.login()).toMatchObject({ kind: 'ok' });
    }
  });
});

describe('sending', () => {
  test('the deadline is looked at before every step', async () => {
    const its = vms(
      [
        {
          request: `${VMS}/login`,
          body: { accessToken: 'a'.repeat(40), refreshToken: 'r', validForVideoManager: 2 },
          meanwhile: () => its.move(10_000),
        },
      ],
      { video_manager: 17 },
    );
    expect(await its.login()).toMatchObject({ failure: 'transient', spent: 'yes', taken: true, code: 'deadline' });
  });

  test('a slot that takes until the deadline sends nothing', async () => {
    const its = vms([]);
    expect(await its.login({ beforeSend: async () => its.move(10_000) > 0 })).toMatchObject({ spent: 'no', code: 'deadline' });
  });

  test('a refresh token goes nowhere but to its issuer', async () => {
    const its = movingimage([discovered()]);
    expect(await its.refresh(previous({ origin: 'https://old.example' }))).toMatchObject({
      failure: 'refresh_refused',
      spent: 'no',
      code: 'other_origin',
    });
  });

  test('a discovered endpoint on another host does not get the refresh token either', async () => {
    const its = movingimage([discovered({ revocation_endpoint: 'https://elsewhere.example/revoke' })]);
    expect(await its.revoke(previous())).toMatchObject({ kind: 'failed', spent: 'no', code: 'other_origin' });
  });

  test('a revocation that fails at one endpoint and works at the other is one', async () => {
    const its = movingimage([
      discovered({ revocation_endpoint: `${ISSUER}/revoke`, end_session_endpoint: `${ISSUER}/logout` }),
      { request: `POST ${ISSUER}/revoke`, status: 503 },
      { request: `POST ${ISSUER}/logout`, status: 204 },
    ]);
    expect(await its.revoke(previous())).toEqual({ kind: 'ok' });
  });

  test.each([
    [
      { unsent: true, code: 'refused' },
      { failure: 'transient', spent: 'no' },
    ],
    [
      { unsent: true, code: 'dns' },
      { failure: 'transient', spent: 'no' },
    ],
    [
      { unsent: true, code: 'blocked' },
      { failure: 'configuration', spent: 'no' },
    ],
    [
      { unsent: false, code: 'timeout' },
      { failure: 'transient', spent: 'unknown' },
    ],
    [
      { unsent: false, code: 'redirect' },
      { failure: 'unreadable', spent: 'unknown' },
    ],
    [
      { unsent: false, code: 'too_large' },
      { failure: 'unreadable', spent: 'unknown' },
    ],
  ])('the transport failure %o means %o', async (failure, meaning) => {
    const its = vms([{ request: `${VMS}/login`, failure }]);
    expect(await its.login()).toMatchObject({ ...meaning, code: failure.code });
  });
});

describe('tokens', () => {
  test.each([
    ['with a line break', 'aaaaaaaa\r\nX-Injected: yes'],
    ['with a blank', 'aaaaaaaa aaaaaaaa'],
    ['beyond ASCII', 'tökentökentöken'],
    ['of more than 16 KiB', 'a'.repeat(16_385)],
    ['that is empty', ''],
    ['that is a number', 42],
    ['that is an object', { a: 1 }],
  ])('%s are unreadable', async (_, access_token) => {
    const its = movingimage([discovered(), { request: TOKEN, body: { ...PAIR, access_token } }]);
    expect(await its.login()).toMatchObject({ failure: 'unreadable', spent: 'unknown' });
  });

  test('that are no bearer tokens are unreadable', async () => {
    const its = movingimage([discovered(), { request: TOKEN, body: { ...PAIR, token_type: 'DPoP' } }]);
    expect(await its.login()).toMatchObject({ failure: 'unreadable' });
  });

  test('of a refresh keep scope, facts and refresh token where the answer says nothing of them', async () => {
    const its = movingimage([discovered(), { request: TOKEN, body: { access_token: 'b'.repeat(40), expires_in: 300 } }]);
    const result = await its.refresh(previous({ scope: 'openid', facts: { user_id: 7 }, refreshExpiresAtMs: NOW + 5000 }));
    expect(result).toMatchObject({ tokens: { scope: 'openid', facts: { user_id: 7 }, refreshExpiresAtMs: NOW + 5000 } });
    expect(result.kind === 'ok' && result.tokens.refreshToken?.reveal()).toBe('r'.repeat(40));
  });

  test('have both clocks from every answer, and no end where the server says zero', async () => {
    const its = movingimage([
      discovered(),
      { request: TOKEN, body: { ...PAIR, refresh_expires_in: 3600 } },
      { request: TOKEN, body: { ...PAIR, expires_in: 240, refresh_expires_in: 1800 } },
      { request: TOKEN, body: { ...PAIR, refresh_expires_in: 0 } },
    ]);
    const clocks = { obtainedAtMs: NOW, expiresAtMs: NOW + 300_000, refreshExpiresAtMs: NOW + 3_600_000 };
    expect(await its.login()).toMatchObject({ tokens: clocks });
    its.move(1000);
    const later = { obtainedAtMs: NOW + 1000, expiresAtMs: NOW + 241_000, refreshExpiresAtMs: NOW + 1_801_000 };
    expect(await its.refresh(previous({ refreshExpiresAtMs: NOW + 3_600_000 }))).toMatchObject({ tokens: later });
    expect(await its.refresh(previous({ refreshExpiresAtMs: NOW + 3_600_000 }))).toMatchObject({
      tokens: { refreshExpiresAtMs: undefined },
    });
  });

  test('of a log-in carry nothing from before', async () => {
    const its = movingimage([discovered(), { request: TOKEN, body: { access_token: 'b'.repeat(40) } }]);
    const result = await its.login();
    expect(result).toMatchObject({ tokens: { facts: {}, obtainedAtMs: NOW, expiresAtMs: NOW + 300_000 } });
    expect(result.kind === 'ok' && result.tokens.refreshToken).toBeUndefined();
  });

  test('have the clock of the answer that brought them, and the facts of all answers', async () => {
    const list = [{ id: 17, name: 'seventeen' }];
    const its = vms(
      [
        {
          request: `${VMS}/login`,
          body: { accessToken: 'a'.repeat(40), refreshToken: 'r', validForVideoManager: 2, videoManagerList: list },
          meanwhile: () => its.move(2000),
        },
        {
          request: `${VMS}/refresh/17`,
          body: { accessToken: 'b'.repeat(40), refreshToken: 's', validForVideoManager: '17', videoManagerList: list },
        },
      ],
      { video_manager: 17 },
    );
    const result = await its.login();
    expect(result).toMatchObject({ tokens: { obtainedAtMs: NOW + 2000, expiresAtMs: NOW + 302_000, refreshExpiresAtMs: NOW + 3_602_000 } });
    expect(result).toMatchObject({ tokens: { facts: { video_manager: 17, video_managers: list } } });
    expect(result.kind === 'ok' && result.tokens.accessToken.reveal()).toBe('b'.repeat(40));
  });

  test('of another VideoManager than the one asked for are unreadable', async () => {
    const answer = { accessToken: 'a'.repeat(40), refreshToken: 'r', validForVideoManager: 2 };
    const its = vms([{ request: `${VMS}/refresh/17`, body: answer }], { video_manager: 17 });
    expect(await its.refresh(previous({ origin: 'https://vms.example' }))).toMatchObject({ failure: 'unreadable' });
  });

  test('without a known VideoManager cannot be refreshed, and nothing is sent', async () => {
    const result = await vms([]).refresh(previous({ origin: 'https://vms.example', facts: {} }));
    expect(result).toMatchObject({ failure: 'refresh_refused', spent: 'no' });
  });
});

describe('facts', () => {
  test('that an answer leaves out are kept from before', async () => {
    const attributes = { access_token: 'b'.repeat(40), user_profile_id: 'p' };
    const its = engine(
      [{ request: 'POST https://tv.example/api/auth/v1/access_tokens', status: 201, body: { data: { attributes } } }],
      'amino',
      {
        ...user,
        base_url: 'https://tv.example',
      },
    );
    const result = await its.refresh(previous({ origin: 'https://tv.example', facts: { user_id: 1234, user_profile_id: 'old' } }));
    expect(result).toMatchObject({ tokens: { facts: { user_id: 1234, user_profile_id: 'p' } } });
  });
});

describe('refusals', () => {
  const refusals: [string, number, string, string][] = [
    ['invalid_grant', 401, 'credentials_refused', 'yes'],
    ['invalid_grant', 400, 'credentials_refused', 'yes'],
    ['invalid_client', 401, 'client_refused', 'no'],
    ['invalid_client', 400, 'client_refused', 'no'],
    ['unauthorized_client', 400, 'configuration', 'no'],
    ['unauthorized_client', 401, 'client_refused', 'no'],
    ['invalid_scope', 400, 'configuration', 'no'],
    ['invalid_request', 401, 'configuration', 'no'],
    ['temporarily_unavailable', 400, 'transient', 'unknown'],
    ['never_seen', 418, 'credentials_refused', 'yes'],
    ['constructor', 400, 'credentials_refused', 'yes'],
    ['invalid_grant', 503, 'transient', 'unknown'],
    ['invalid_grant', 500, 'transient', 'unknown'],
    ['invalid_grant', 408, 'transient', 'unknown'],
    ['invalid_grant', 425, 'transient', 'no'],
    ['invalid_grant', 429, 'transient', 'no'],
  ];

  test.each(refusals)('%s with status %i means %s, spent: %s', async (error, status, failure, spent) => {
    const its = movingimage([discovered(), { request: TOKEN, status, body: { error, error_description: 'prose' } }]);
    expect(await its.login()).toMatchObject({ failure, spent, providerError: error });
    expect(its.telemetry.text()).not.toContain('prose');
  });

  test.each([200, 401])('that the older log-in words as a message, with status %i, are refusals and no nonsense', async (status) => {
    const refused = { status, body: { message: 'Login failed' } };
    const its = vms([
      { request: `${VMS}/login`, ...refused },
      { request: `${VMS}/refresh/2`, ...refused },
    ]);
    expect(await its.login()).toMatchObject({ failure: 'credentials_refused', spent: 'yes' });
    expect(await its.refresh(previous({ origin: 'https://vms.example' }))).toMatchObject({ failure: 'refresh_refused', spent: 'yes' });
  });

  test.each([
    ['the password', user.password],
    ['the encoded user', encodeURIComponent(user.username)],
    ['prose', 'the password pass:word-of-jo is wrong'],
    ['a line break', 'code\nInjected: yes'],
    ['more than 64 characters', 'x'.repeat(65)],
    ['a number', 7],
  ])('a code that is %s is left out', async (_, error) => {
    const its = movingimage([discovered(), { request: TOKEN, status: 400, body: { error } }]);
    const result = await its.login();
    expect(result).toMatchObject({ failure: 'credentials_refused' });
    expect(result.kind === 'failed' && result.providerError).toBeUndefined();
  });

  test.each([
    ['120', 120_000],
    ['0', 1000],
    ['999999', 3_600_000],
    [new Date(NOW - 123 + 90_000).toUTCString(), 90_000],
    [new Date(NOW - 99_000).toUTCString(), 1000],
  ])('Retry-After %s is obeyed between a second and an hour', async (value, delayMs) => {
    const headers = { 'retry-after': value, date: new Date(NOW).toUTCString() };
    const its = movingimage([discovered(), { request: TOKEN, status: 503, headers }]);
    expect(await its.login()).toMatchObject({ retryAtMs: NOW + delayMs });
  });

  test('a Retry-After that is neither is no time', async () => {
    const its = movingimage([discovered(), { request: TOKEN, status: 503, headers: { 'retry-after': 'soon' } }]);
    const result = await its.login();
    expect(result.kind === 'failed' && result.retryAtMs).toBeUndefined();
  });
});
