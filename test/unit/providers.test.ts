import { describe, expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import { brokenRule } from '../../functions/core/broken-rule.ts';
import type { Step, StepInput } from '../../functions/core/provider.ts';
import { Secret } from '../../functions/core/secret.ts';
import type { TokenParameters } from '../../functions/core/token-set.ts';
import { numberOf } from '../../functions/providers/http.ts';
import { providersById } from '../../functions/providers/index.ts';
import { credentialsIn, demoSecret } from '../support/demo-secret.ts';
import { answerOf } from '../support/planned-fetch.ts';
import { credentialsOf, providerOf } from '../support/provider-bench.ts';

const SENT = 1_769_904_307_123;
const base_url = 'https://portal.example/prefix';
const user = { username: 'jo@example.com', password: 'pass word&of=jo' };
const email = { email: 'jo@example.com', password: 'pass word&of=jo' };
const previous = {
  accessToken: new Secret('the-access-token'),
  refreshToken: new Secret('the-refresh-token'),
  facts: { video_manager: 2 },
};

/** @returns what the first step that sends something sends */
function sent(id: string, kind: 'login' | 'refresh' | 'revoke', secret: object, over: Partial<StepInput> = {}) {
  const provider = providerOf(id);
  const credentials = credentialsOf(provider, secret);
  const input = { credentials, parameters: {}, endpoints: {}, soFar: {}, nowMs: SENT, ...(kind === 'login' ? {} : { previous }), ...over };
  const steps: readonly Step[] = provider[kind] ?? [];
  return steps.map((step) => step.request(input)).filter((request) => request !== undefined);
}

function sentJson(...args: Parameters<typeof sent>) {
  return sent(...args).map(({ method, url, headers, body }) => ({
    line: `${method} ${url}`,
    auth: headers?.['authorization'],
    body: JSON.parse(body ?? 'null'),
  }));
}

describe('amino sends', () => {
  const amino = { base_url, ...user };
  const tokens = `POST ${base_url}/api/auth/v1/access_tokens`;
  const profile = { login_user_profile: '84eb61a9-75d4-42c7-8c15-84c3d7776227' };

  test('nested credentials for a log-in, never with the profile', () => {
    expect(sentJson('amino', 'login', amino, { parameters: profile })).toEqual([
      { line: tokens, body: { grant_type: 'password', credentials: user } },
    ]);
  });

  test('the refresh token with the profile at the top level', () => {
    const body = { grant_type: 'refresh_token', credentials: { refresh_token: 'the-refresh-token' }, ...profile };
    expect(sentJson('amino', 'refresh', amino, { parameters: profile })).toEqual([{ line: tokens, body }]);
  });

  test('the refresh token alone, where the profile has a request of its own', () => {
    const [first] = sentJson('amino', 'refresh', { ...amino, profile_endpoint: 'legacy' }, { parameters: profile });
    expect(first?.body).toEqual({ grant_type: 'refresh_token', credentials: { refresh_token: 'the-refresh-token' } });
  });

  test('the older profile request with the fresh token, where the account says so', () => {
    const soFar = { accessToken: new Secret('fresh'), facts: { user_id: 1234, user_profile_id: 'another' } };
    const [, second] = sentJson('amino', 'login', { ...amino, profile_endpoint: 'legacy' }, { parameters: profile, soFar });
    expect(second).toEqual({
      line: `POST ${base_url}/api/users/v1/users/1234/profile/${profile.login_user_profile}/token`,
      auth: 'Bearer fresh',
      body: null,
    });
  });

  test('nothing more where the profile is the right one already', () => {
    const soFar = { accessToken: new Secret('fresh'), facts: { user_profile_id: profile.login_user_profile } };
    expect(sent('amino', 'login', amino, { parameters: profile, soFar })).toHaveLength(1);
  });

  test('is known to end a session only where the account names the service of the log-out', () => {
    const provider = providerOf('amino');
    expect(provider.traits(credentialsOf(provider, amino)).revocationEnds).toBe('nothing');
    expect(provider.traits(credentialsOf(provider, { ...amino, logout_service: 'tv' })).revocationEnds).toBe('session');
  });

  test('the older log-out with the token, only where the account names its service', () => {
    expect(sent('amino', 'revoke', amino)).toEqual([]);
    expect(sentJson('amino', 'revoke', { ...amino, logout_service: 'tv & more' })).toEqual([
      { line: `POST ${base_url}/api/user/jo%40example.com/logout?ajax=1&service=tv+%26+more`, auth: 'Bearer the-access-token', body: null },
    ]);
  });
});

describe('amino reads', () => {
  const provider = providerOf('amino');
  const attributes = { access_token: 'an-opaque-token', user_id: 1234, user_profile_id: 'one' };

  function read(over: object, parameters: TokenParameters = {}) {
    const [step] = provider.refresh;
    const body = { data: { attributes: { ...attributes, ...over } } };
    const input = { credentials: credentialsOf(provider, { base_url, ...user }), parameters, endpoints: {}, soFar: {}, nowMs: SENT };
    return step?.read(answerOf({ status: 201, body, headers: { date: new Date(SENT).toUTCString() } }, SENT), input);
  }

  test('an absolute expiry in seconds, also as digits', () => {
    const inAnHour = Math.floor(SENT / 1000) + 3600;
    expect(read({ expires_at_timestamp: inAnHour })?.expiresAtMs).toBe(inAnHour * 1000);
    expect(read({ expires_at_timestamp: String(inAnHour) })?.expiresAtMs).toBe(inAnHour * 1000);
  });

  test('an expiry at the time of the log-in, or before it, as none', () => {
    const soon = Math.floor(SENT / 1000) + 60;
    expect(read({ expires_at_timestamp: soon, login_timestamp: soon })?.expiresAtMs).toBeUndefined();
    expect(read({ expires_at_timestamp: soon, login_timestamp: soon - 1 })?.expiresAtMs).toBe(soon * 1000);
  });

  test('an expiry that is past by the clock of the answer as none', () => {
    const past = Math.floor(SENT / 1000);
    expect(read({ expires_at_timestamp: past })?.expiresAtMs).toBeUndefined();
    const soon = `e.${Buffer.from(JSON.stringify({ exp: past + 60 })).toString('base64url')}.s`;
    expect(read({ expires_at_timestamp: past, access_token: soon })?.expiresAtMs).toBe((past + 60) * 1000);
  });

  test('a token of another profile than the one asked for as none', () => {
    expect(read({}, { login_user_profile: 'another' })).toBeUndefined();
    expect(read({}, { login_user_profile: 'one' })).toBeDefined();
    expect(read({ user_profile_id: 7 }, { login_user_profile: '7' })).toBeDefined();
    expect(read({ user_profile_id: undefined }, { login_user_profile: 'one' })).toBeDefined();
  });

  test('the one code that is known as a mistake in what is asked, and any other by its status', () => {
    const answers = ['ec8e9588', 'ec8e9589'].map((code) => answerOf({ status: 400, body: { errors: [{ code }] } }, SENT));
    expect(answers.map((answer) => provider.classify(answer, 'login')?.kind)).toEqual(['configuration', undefined]);
  });

  test('the ids as they come', () => {
    expect(read({})?.facts).toEqual({ user_id: 1234, user_profile_id: 'one' });
    expect(read({ user_id: '1234' })?.facts).toEqual({ user_id: '1234', user_profile_id: 'one' });
  });
});

describe('movingimage sends', () => {
  const endpoints = {
    token: 'https://login.example/token',
    revocation: 'https://login.example/revoke',
    end_session: 'https://login.example/logout',
  };
  const form = (kind: 'login' | 'refresh' | 'revoke', secret: object = user) =>
    sent('movingimage', kind, secret, { endpoints }).map(({ method, url, body }) => [
      `${method} ${url}`,
      Object.fromEntries(new URLSearchParams(body)),
    ]);

  test('the six documented fields for a log-in', () => {
    const fields = { client_id: 'anonymous', grant_type: 'password', response_type: 'token', scope: 'openid', ...user };
    expect(form('login')).toEqual([['POST https://login.example/token', fields]]);
  });

  test('the three documented fields for a refresh', () => {
    const fields = { client_id: 'anonymous', grant_type: 'refresh_token', refresh_token: 'the-refresh-token' };
    expect(form('refresh')).toEqual([['POST https://login.example/token', fields]]);
  });

  test('the client secret along with everything where there is one', () => {
    const secret = { ...user, client_id: 'iqs', client_secret: 'not-a-real-secret', scope: 'openid offline_access' };
    for (const kind of ['login', 'refresh', 'revoke'] as const) {
      for (const [, fields] of form(kind, secret)) expect(fields).toMatchObject({ client_id: 'iqs', client_secret: 'not-a-real-secret' });
    }
    expect(form('login', secret)[0]?.[1]).toMatchObject({ scope: 'openid offline_access' });
  });

  test('a revocation and a log-out, as far as they were discovered', () => {
    expect(form('revoke')).toEqual([
      ['POST https://login.example/revoke', { client_id: 'anonymous', token: 'the-refresh-token', token_type_hint: 'refresh_token' }],
      ['POST https://login.example/logout', { client_id: 'anonymous', refresh_token: 'the-refresh-token' }],
    ]);
    expect(sent('movingimage', 'revoke', user, { endpoints: { token: endpoints.token } })).toEqual([]);
  });
});

describe('movingimage-vms sends', () => {
  test('flat credentials to the general host unless the secret names one', () => {
    expect(sentJson('movingimage-vms', 'login', user)).toEqual([{ line: 'POST https://api.video-cdn.net/v1/vms/auth/login', body: user }]);
    expect(sentJson('movingimage-vms', 'login', { ...user, base_url })[0]?.line).toBe(`POST ${base_url}/v1/vms/auth/login`);
  });

  test.each([
    [17, 1],
    [2, 2],
  ])('a second request only where the log-in gave a token of another VideoManager: %d', (manager, requests) => {
    const soFar = { refreshToken: new Secret('fresh'), facts: { video_manager: manager } };
    expect(sent('movingimage-vms', 'login', user, { parameters: { video_manager: 17 }, soFar })).toHaveLength(requests);
  });

  test.each([
    [{}, 2],
    [{ video_manager: 17 }, 17],
  ])('the refresh token for the VideoManager of %o', (parameters: TokenParameters, manager) => {
    expect(sentJson('movingimage-vms', 'refresh', user, { parameters })).toEqual([
      { line: `POST https://api.video-cdn.net/v1/vms/auth/refresh/${manager}`, body: { refreshToken: 'the-refresh-token' } },
    ]);
  });
});

describe('vidizmo sends', () => {
  test.each([{ password: 'pass word&of=jo' }, { clientSecret: 'a-client-secret' }])('the address with %o', (how) => {
    const secret = 'password' in how ? { password: how.password } : { client_secret: how.clientSecret };
    expect(sentJson('vidizmo', 'login', { base_url, email: email.email, ...secret })).toEqual([
      { line: `POST ${base_url}/api/v1/user/authenticate`, body: { emailAddress: 'jo@example.com', ...how } },
    ]);
  });

  test('the present token to refresh and to log out, without a body', () => {
    const lines = [...sentJson('vidizmo', 'refresh', { base_url, ...email }), ...sentJson('vidizmo', 'revoke', { base_url, ...email })];
    expect(lines).toEqual([
      { line: `POST ${base_url}/api/v1/user/refresh-access-token`, auth: 'Bearer the-access-token', body: null },
      { line: `POST ${base_url}/api/v1/user/logout`, auth: 'Bearer the-access-token', body: null },
    ]);
  });
});

function read(text: string) {
  const provider = providerOf('vidizmo');
  const credentials = credentialsOf(provider, { base_url, ...email, life_seconds: 1200 });
  const [step] = provider.login;
  return step?.read(answerOf({ body: text }, SENT), { credentials, parameters: {}, endpoints: {}, soFar: {}, nowMs: SENT });
}

describe('vidizmo reads', () => {
  const token = 'N2UCSNDDGI4NND5NMBZLV7ZBV2I3BZLUWQFXF6MGZKXTOCLHPH2SLPR2TMPM54M7CTG4DLFNE5KH';

  test.each([`"${token}"`, token, ` ${token}\r\n`, `"${token}"\n`])('%j as a token', (text) => {
    expect(read(text)?.accessToken?.reveal()).toBe(token);
    expect(read(text)?.expiresInSeconds).toBe(1200);
  });

  test.each(['', '""', 'null', 'true', 'OK', '{}', '[]', `{"token":"${token}"}`, '<html></html>', `${token} ${token}`, `"${token}`])(
    '%j as none',
    (text) => {
      expect(read(text)).toBeUndefined();
    },
  );
});

test.each([
  ['login', undefined],
  ['refresh', 'refresh_refused'],
  ['revoke', 'refresh_refused'],
] as const)('vidizmo says of a dead token what it says; of a log-in (%s) it says nothing of the token', (sending, kind) => {
  const answer = answerOf({ status: 400, body: { name: 'ExpiredAccessTokenException' } }, SENT);
  expect(providerOf('vidizmo').classify(answer, sending)?.kind).toBe(kind);
});

test.each([
  [7, 7],
  ['07', 7],
  ['7.5', undefined],
  ['1e3', undefined],
  [' 7', undefined],
  ['', undefined],
  ['9'.repeat(16), undefined],
  [Infinity, undefined],
  [null, undefined],
  [true, undefined],
])('%j in an answer is read as the number %j', (value, number) => {
  expect(numberOf(value)).toBe(number);
});

function broken(id: string, secret: unknown) {
  const parsed = providerOf(id).credentials.safeParse(secret);
  return parsed.success ? [] : parsed.error.issues.map((issue) => [issue.path.join('.'), issue.message]);
}

describe('the schema of a secret', () => {
  const all = [...providersById().keys()];
  test.each(all)('of %s takes a good one, and does not print what it read', (id) => {
    const secret = demoSecret(id, base_url);
    const credentials = credentialsOf(providerOf(id), secret);
    const printed = inspect(credentials, { showHidden: true, depth: null }) + JSON.stringify(credentials);
    const secrets = credentialsIn(id, secret).map(([, value]) => value.reveal());
    expect(secrets.length).toBeGreaterThan(0);
    expect(secrets.filter((secret) => printed.includes(secret))).toEqual([]);
  });

  test.each(all)('of %s takes `keep`, a base URL with a slash, and nothing that it does not know', (id) => {
    const good = { ...demoSecret(id, base_url), keep: 'always', base_url: `${base_url}/` };
    expect(credentialsOf(providerOf(id), good)).toMatchObject({ keep: 'always', base_url });
    expect(broken(id, { ...good, passwort: 'typo' })).toEqual([['', 'must not be there']]);
    expect(broken(id, undefined)).toEqual([['', 'must be a JSON object']]);
  });

  test.each([
    'http://portal.example',
    'https://user:pass@portal.example',
    'https://portal.example/?a=1',
    'https://portal.example/#a',
    'portal.example',
    7,
  ])('takes no %j as base URL', (wrong) => {
    for (const id of all) expect(broken(id, { ...demoSecret(id, base_url), base_url: wrong }).map(([path]) => path)).toEqual(['base_url']);
  });

  test.each(all)('of %s says which credential is empty or no text', (id) => {
    const good = demoSecret(id, base_url);
    for (const [name] of credentialsIn(id, good)) {
      expect(broken(id, { ...good, [name]: '' })).toEqual([[name, 'must not be empty']]);
      expect(broken(id, { ...good, [name]: 7 })).toEqual([[name, 'must be a string']]);
    }
  });

  test('of vidizmo wants a password or a client secret, not both', () => {
    const rule = [['password', 'must be there, or client_secret instead; not both']];
    expect(broken('vidizmo', { base_url, email: 'jo@example.com' })).toEqual(rule);
    expect(broken('vidizmo', { base_url, ...email, client_secret: 'too' })).toEqual(rule);
  });

  test('of movingimage wants a base URL or an issuer, or neither', () => {
    expect(broken('movingimage', { ...user, base_url, issuer: 'https://login.example' })).toEqual([
      ['issuer', 'must not be there together with base_url'],
    ]);
  });
});

function parse(id: string, value: unknown) {
  const parsed = providerOf(id).parameters.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

describe('token parameters', () => {
  test.each([17, '17', '017'])('a VideoManager given as %j is the number', (video_manager) => {
    expect(parse('movingimage-vms', { video_manager })).toEqual({ video_manager: 17 });
  });

  test.each([-1, 1.5, '', 'x', '17/../admin', null, 1e21, '9'.repeat(16)])('%j is no VideoManager', (video_manager) => {
    expect(parse('movingimage-vms', { video_manager })).toBeUndefined();
  });

  test.each(['abc', '', -1, 1.5, null])('%j as a VideoManager is answered with the rule in words', (video_manager) => {
    const parsed = providerOf('movingimage-vms').parameters.safeParse({ video_manager });
    const issues = parsed.success ? [] : parsed.error.issues;
    expect(issues.map((issue) => brokenRule(issue, 'parameters'))).toEqual([
      { field: 'video_manager', rule: 'must be the id of a VideoManager: a whole number' },
    ]);
  });

  test.each(['84eb61a9-75d4-42c7-8c15-84c3d7776227', '1234'])('%j is a profile', (login_user_profile) => {
    expect(parse('amino', { login_user_profile })).toEqual({ login_user_profile });
  });

  test.each(['', 'a/b', '../x', 'a b', 'x'.repeat(65), 7])('%j is no profile', (login_user_profile) => {
    expect(parse('amino', { login_user_profile })).toBeUndefined();
  });

  test.each([...providersById().keys()])('%s takes none, and none that it does not know', (id) => {
    expect(parse(id, {})).toEqual({});
    expect(parse(id, { unheard_of: 1 })).toBeUndefined();
  });
});
