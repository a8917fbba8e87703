import { describe, expect, test } from '@jest/globals';
import { chooseCall } from '../../../functions/core/choose-call.ts';
import { judge, livingToken, type Case } from '../../../functions/core/judge.ts';
import type { Traits } from '../../../functions/core/provider.ts';
import { Secret } from '../../../functions/core/secret.ts';
import { spacingMs, timing } from '../../../functions/core/timing.ts';
import { fingerprintOf, type TokenSet, type TokenSetItem } from '../../../functions/core/token-set.ts';
import { anAccount } from '../../support/account.ts';

const now = 1_763_012_347_891;
const MINUTE = 60_000;
const LIFE = 10 * MINUTE;

const traits: Traits = {
  rotation: { kind: 'strict' },
  revocationEnds: 'session',
  refreshEndsOldToken: false,
  returnsSameToken: false,
  sessionCap: false,
  refreshWith: 'refresh_token',
  loginNeedsPerson: false,
  defaultLifeSeconds: 300,
};

const account = anAccount({ ref: { provider: 'movingimage', account: 'main' } });

function someSet(more: Partial<TokenSet> = {}): TokenSet {
  return {
    accessToken: new Secret('some-access-token'),
    refreshToken: new Secret('some-refresh-token'),
    facts: {},
    parameters: {},
    origin: 'https://provider.example',
    identity: 'somebody',
    refreshEndsOldToken: false,
    obtainedAtMs: now - 5 * MINUTE,
    expiresAtMs: now + 5 * MINUTE,
    ...more,
  };
}

function someItem(set: TokenSet, more: Partial<TokenSetItem> = {}): TokenSetItem {
  const { obtainedAtMs, expiresAtMs } = set;
  return { generation: 7, sealed: new Uint8Array(1), obtainedAtMs, expiresAtMs, secretVersion: 'v1', lifeMs: LIFE, ...more };
}

function aCase(set: TokenSet | undefined, item: Partial<TokenSetItem> = {}, more: Partial<Case> = {}): Case {
  const view = set ? { item: someItem(set, item), opened: set } : {};
  return { view, account, request: { kind: 'vend', minTtlMs: 0 }, nowMs: now, traits, timing, ...more };
}

const vend = (minTtlMs: number, rejected?: string) => ({ request: { kind: 'vend', minTtlMs, rejected } as const });

describe('a vend is answered', () => {
  test('with a token that has more than the must-renew margin left', () => {
    expect(judge(aCase(someSet()))).toMatchObject({ verdict: 'answer' });
  });

  test('not with one inside the margin: it is renewed', () => {
    expect(judge(aCase(someSet({ expiresAtMs: now + MINUTE })))).toEqual({ verdict: 'renew' });
  });

  test('not with less than min_ttl left', () => {
    expect(judge(aCase(someSet({ expiresAtMs: now + 3 * MINUTE }), {}, vend(4 * MINUTE)))).toEqual({ verdict: 'renew' });
  });

  test('with whatever was obtained within this very request', () => {
    const theCase = aCase(someSet({ expiresAtMs: now + 1_000 }), {}, { ...vend(MINUTE), obtained: 7 });
    expect(judge(theCase)).toMatchObject({ verdict: 'answer' });
  });

  test('never with the token that it reports as rejected', () => {
    const set = someSet();
    const rejected = fingerprintOf(set.accessToken);
    expect(judge(aCase(set, {}, vend(0, rejected)))).toEqual({ verdict: 'renew' });
    expect(judge(aCase(set, {}, { ...vend(0, rejected), obtained: 7 })).verdict).not.toBe('answer');
    expect(livingToken(aCase(set, {}, vend(0, rejected)))).toBeUndefined();
  });

  test('not with a set of another identity, which counts as absent', () => {
    expect(judge(aCase(someSet({ identity: 'somebody else' })))).toEqual({ verdict: 'renew' });
  });

  test('not while the account is unknown', () => {
    expect(judge(aCase(someSet(), {}, { account: undefined }))).toEqual({ verdict: 'renew' });
  });
});

test('min_ttl above 60 % of the life is a bad request that names the maximum', () => {
  expect(judge(aCase(someSet(), {}, vend(6 * MINUTE + 1)))).toEqual({ verdict: 'bad_request', maximumSeconds: 360 });
});

describe('a due request', () => {
  const due = { request: { kind: 'due', dueAtMs: now - 1 } as const };

  test('is answered where the due time has moved on, or is gone', () => {
    expect(judge(aCase(someSet(), { dueAtMs: now + 1 }, due)).verdict).toBe('answer');
    expect(judge(aCase(someSet(), {}, due)).verdict).toBe('answer');
  });

  test('renews a living token that is due', () => {
    expect(judge(aCase(someSet(), { dueAtMs: now - 1 }, due))).toEqual({ verdict: 'renew' });
  });
});

describe('a vend waits', () => {
  const almostOver = someSet({ expiresAtMs: now + MINUTE });

  test('while somebody holds a lease, and is answered with the living token meanwhile', () => {
    const verdict = judge(aCase(almostOver, { lease: { by: 'x', untilMs: now - timing.skewMs } }));
    expect(verdict).toMatchObject({ verdict: 'wait', meanwhile: almostOver });
  });

  test('no longer once the lease and the skew are over', () => {
    expect(judge(aCase(almostOver, { lease: { by: 'x', untilMs: now - timing.skewMs - 1 } }))).toEqual({ verdict: 'renew' });
  });

  test('while only log-ins under way stand in the way of its own', () => {
    const busy = { ...account, proven: false, unanswered: { x: now - 1_000 } };
    expect(judge(aCase(undefined, {}, { account: busy }))).toMatchObject({ verdict: 'wait', meanwhile: undefined });
  });
});

describe('a vend is refused', () => {
  const over = someSet({ expiresAtMs: now - 1 });
  const renewed = (obtainedAtMs: number) => judge(aCase({ ...over, obtainedAtMs }));

  test.each([
    ['the account backs off', { notBeforeMs: now + 9 }, {}, { reason: 'backing_off', retryAtMs: now + 9 }],
    [
      'log-ins were refused twice',
      { refused: 2, nextLoginAtMs: now + 9 },
      { refreshRefused: true },
      { reason: 'credentials_refused', retryAtMs: now + 9 },
    ],
    ['the client was refused', { clientRefused: true, nextLoginAtMs: now + 9 }, {}, { reason: 'credentials_refused', retryAtMs: now + 9 }],
    ['a person must consent', {}, { failure: { code: 'needs_consent', atMs: now } }, { reason: 'needs_consent', retryAtMs: undefined }],
    [
      'the scope was refused',
      {},
      { failure: { code: 'configuration', atMs: now, notBeforeMs: now + 9 } },
      { reason: 'configuration', retryAtMs: now + 9 },
    ],
    ['the set was renewed a moment ago', {}, { obtainedAtMs: now - 1 }, { reason: 'too_soon' }],
  ] as const)('while %s', (_why, accountMore, itemMore, refusal) => {
    const set = 'obtainedAtMs' in itemMore ? { ...over, obtainedAtMs: itemMore.obtainedAtMs } : over;
    expect(judge(aCase(set, itemMore, { account: { ...account, ...accountMore } }))).toMatchObject({ verdict: 'refuse', refusal });
  });

  test('as too soon until the spacing is over', () => {
    const spacing = spacingMs(timing, LIFE);
    expect(renewed(now - spacing + 1)).toMatchObject({ verdict: 'refuse', refusal: { reason: 'too_soon', retryAtMs: now + 1 } });
    expect(renewed(now - spacing)).toEqual({ verdict: 'renew' });
  });

  test('as too soon for no longer than the spacing and the skew, however far its clock runs behind', () => {
    expect(renewed(now + timing.skewMs - 1)).toMatchObject({ verdict: 'refuse', refusal: { reason: 'too_soon' } });
    expect(renewed(now + timing.skewMs)).toEqual({ verdict: 'renew' });
  });

  test('but a living token is answered meanwhile, with min_ttl still kept', () => {
    const set = someSet({ expiresAtMs: now + MINUTE });
    const backingOff = { account: { ...account, notBeforeMs: now + 9 } };
    expect(judge(aCase(set, {}, backingOff))).toMatchObject({ verdict: 'refuse', meanwhile: set });
    expect(judge(aCase(set, {}, { ...backingOff, ...vend(2 * MINUTE) }))).toMatchObject({ verdict: 'refuse', meanwhile: undefined });
  });

  test('until both the back-off and the log-in slots allow it, so that who comes back then is served', () => {
    const unanswered = { a: now - 30_000, b: now - 20_000 };
    const backingOff = { ...account, notBeforeMs: now + 9, unanswered };
    expect(judge(aCase(over, { refreshRefused: true }, { account: backingOff }))).toMatchObject({
      verdict: 'refuse',
      refusal: { reason: 'backing_off', retryAtMs: now + 30_000 },
    });
  });

  test('no longer for a failure under a secret that has changed since', () => {
    const failure = { code: 'configuration', atMs: now, notBeforeMs: now + 9, secretVersion: 'v0' } as const;
    expect(judge(aCase(over, { failure }))).toEqual({ verdict: 'renew' });
  });

  test('for a secret that does not fit only as long as that is remembered', () => {
    const misfit = (agoMs: number) =>
      judge(aCase(over, {}, { account: { ...account, failure: { code: 'misconfigured', atMs: now - agoMs } } }));
    expect(misfit(timing.absenceMs - 1)).toMatchObject({ refusal: { reason: 'misconfigured', retryAtMs: now + 1 } });
    expect(misfit(timing.absenceMs)).toEqual({ verdict: 'renew' });
  });

  test('not for refused log-ins while a refresh token can still be used', () => {
    expect(judge(aCase(over, {}, { account: { ...account, refused: 2, nextLoginAtMs: now + 9 } }))).toEqual({ verdict: 'renew' });
  });
});

test('a living token is handed out meanwhile with more than five seconds left, and no later', () => {
  expect(livingToken(aCase(someSet({ expiresAtMs: now + 5_001 })))).toBeDefined();
  expect(livingToken(aCase(someSet({ expiresAtMs: now + 5_000 })))).toBeUndefined();
});

describe('what is sent', () => {
  const facts = (more: Partial<Parameters<typeof chooseCall>[0]> = {}) => {
    const tokenSet = someSet();
    const item = someItem(tokenSet);
    return { item, tokenSet, doubtCount: 0, doubtSinceMs: undefined, secretVersion: 'v1', nowMs: now, traits, timing, ...more };
  };
  const grace = { ...traits, rotation: { kind: 'grace', ms: MINUTE } } as const;
  const person = { ...traits, loginNeedsPerson: true };

  test.each([
    ['a refresh, with a good refresh token', facts(), 'refresh'],
    ['a log-in, without a token set', facts({ tokenSet: undefined, item: undefined }), 'login'],
    ['a log-in, without a refresh token', facts({ tokenSet: someSet({ refreshToken: undefined }) }), 'login'],
    ['a log-in, with a refused refresh token', facts({ item: someItem(someSet(), { refreshRefused: true }) }), 'login'],
    ['a log-in, with a refresh token that is over', facts({ tokenSet: someSet({ refreshExpiresAtMs: now }) }), 'login'],
    ['a log-in, under a new version of the secret', facts({ secretVersion: 'v2' }), 'login'],
    ['a log-in, in doubt with a strict provider', facts({ doubtCount: 1, doubtSinceMs: now - 1 }), 'login'],
    [
      'a refresh, in doubt with a provider that does not rotate',
      facts({ doubtCount: 3, doubtSinceMs: 0, traits: { ...traits, rotation: { kind: 'none' } } }),
      'refresh',
    ],
    ['a refresh, in doubt within the grace', facts({ doubtCount: 1, doubtSinceMs: now - 47_999, traits: grace }), 'refresh'],
    [
      'a log-in, in doubt when the grace less budget and skew is over',
      facts({ doubtCount: 1, doubtSinceMs: now - 48_000, traits: grace }),
      'login',
    ],
    ['a refresh, once more in doubt where a log-in needs a person', facts({ doubtCount: 1, traits: person }), 'refresh'],
    ['nothing, in doubt twice where a log-in needs a person', facts({ doubtCount: 2, traits: person }), 'needs_consent'],
    [
      'a refresh with the access token, where the provider wants that',
      facts({ tokenSet: someSet({ refreshToken: undefined }), traits: { ...traits, refreshWith: 'access_token' } }),
      'refresh',
    ],
  ] as const)('is %s', (_what, given, call) => {
    expect(chooseCall(given)).toBe(call);
  });
});
