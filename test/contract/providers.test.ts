import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SettledTokens } from '../../functions/core/call-provider.ts';
import type { TokenParameters } from '../../functions/core/token-set.ts';
import { createAuthority } from '../../infra/local/authority.ts';
import { aminoUser } from '../../infra/local/simulators/amino.ts';
import { startSimulators } from '../../infra/local/simulators/index.ts';
import type { SimulatedProvider, Simulators } from '../../infra/local/simulators/index.ts';
import type { Control, Simulator } from '../../infra/local/simulators/simulator.ts';
import { createBench, tokensOf } from '../support/provider-bench.ts';

interface Case {
  provider: SimulatedProvider;
  lifeSeconds: number;
  /** absent: the provider tells none */
  refreshLifeSeconds?: number;
  /** life where an answer has none */
  defaultLifeSeconds: number;
  /** other ways in which right answers come */
  variants: readonly number[];
  givesRefreshTokens: boolean;
  revokes: boolean;
  narrowed?: { parameters: TokenParameters; facts: Record<string, unknown>; wrong: TokenParameters };
}

const cases: readonly Case[] = [
  {
    provider: 'amino',
    lifeSeconds: 1200,
    refreshLifeSeconds: 7200,
    defaultLifeSeconds: 900,
    variants: [0, 1, 2],
    givesRefreshTokens: true,
    revokes: true,
    narrowed: {
      parameters: { login_user_profile: aminoUser.profiles[1] ?? '' },
      facts: { user_profile_id: aminoUser.profiles[1] },
      wrong: { login_user_profile: '00000000-0000-4000-8000-000000000000' },
    },
  },
  {
    provider: 'movingimage',
    lifeSeconds: 1200,
    refreshLifeSeconds: 7200,
    defaultLifeSeconds: 300,
    variants: [0, 1, 2],
    givesRefreshTokens: true,
    revokes: true,
  },
  {
    provider: 'movingimage-vms',
    lifeSeconds: 1200,
    refreshLifeSeconds: 7200,
    defaultLifeSeconds: 300,
    variants: [0, 1],
    givesRefreshTokens: true,
    revokes: false,
    narrowed: { parameters: { video_manager: 17 }, facts: { video_manager: 17 }, wrong: { video_manager: 99 } },
  },
  // Its life stands in the account's secret, so there is no answer without one.
  { provider: 'vidizmo', lifeSeconds: 1200, defaultLifeSeconds: 1200, variants: [0, 1], givesRefreshTokens: false, revokes: true },
];

let simulators: Simulators;
let bench: ReturnType<typeof createBench>;
let pristine: string;

beforeAll(async () => {
  const authority = await createAuthority();
  simulators = await startSimulators({ authority, settings: { lifeSeconds: 1200, refreshLifeSeconds: 7200 } });
  pristine = JSON.stringify(Object.fromEntries(Object.entries(simulators.byProvider).map(([id, { control }]) => [id, control])));
  const authorities = Object.fromEntries(simulators.origins.map((origin) => [origin, authority.caPem]));
  bench = createBench({ privateOrigins: simulators.origins, authorities });
});

afterAll(() => simulators.close());

beforeEach(() => {
  const controls: Record<string, Control> = JSON.parse(pristine);
  for (const [id, { control, counters }] of Object.entries(simulators.byProvider)) {
    Object.assign(control, controls[id]);
    for (const name of Object.keys(counters)) Object.assign(counters, { [name]: 0 });
  }
});

// Whatever a test brought about: no credential and no token may be readable in any result, log line or metric.
afterEach(() => {
  if (bench.leaks().length > 0) throw new Error(`${bench.leaks().length} secrets can be read`);
});

function secretOf(provider: string, over: object = {}): Readonly<Record<string, unknown>> {
  return { ...simulators.accounts.find((account) => account.provider === provider)?.secret, ...over };
}

describe.each(cases)('$provider', ({ provider, lifeSeconds, refreshLifeSeconds, defaultLifeSeconds, ...its }) => {
  let simulator: Simulator;
  let account: ReturnType<typeof bench.account>;

  beforeEach(() => {
    simulator = simulators.byProvider[provider];
    account = bench.account(provider, secretOf(provider));
  });

  const lives = ({ accessToken }: SettledTokens): boolean => simulator.lives(accessToken.reveal());

  describe('an answer as it should be', () => {
    test.each(its.variants)('gives a living token with its clocks, variant %i', async (variant) => {
      simulator.control.variant = variant;
      const tokens = tokensOf(await account.login());
      expect(lives(tokens)).toBe(true);
      expect(tokens.origin).toBe(simulator.origin);
      expect(closeTo(tokens.expiresAtMs - tokens.obtainedAtMs, lifeSeconds)).toBe(true);
      expect(tokens.refreshToken !== undefined).toBe(its.givesRefreshTokens);
      expect(refreshLifeSeconds === undefined || closeTo((tokens.refreshExpiresAtMs ?? 0) - tokens.obtainedAtMs, refreshLifeSeconds)).toBe(
        true,
      );
    });

    test.each(its.variants)('renews by refresh, without the credentials, variant %i', async (variant) => {
      simulator.control.variant = variant;
      const first = tokensOf(await account.login());
      const second = tokensOf(await account.refresh(first));
      const third = tokensOf(await account.refresh(second));
      expect(lives(third)).toBe(true);
      expect(third.accessToken.reveal()).not.toBe(first.accessToken.reveal());
      expect(simulator.counters).toMatchObject({ logins: 1, refreshes: 2, reused: 0 });
    });

    test('is read whatever content type it claims', async () => {
      simulator.control.fault = { answer: 'wrong_type' };
      expect(await account.login()).toMatchObject({ kind: 'ok' });
    });

    test('without a life counts as the documented default', async () => {
      simulator.control.omit = ['life'];
      const { obtainedAtMs, expiresAtMs } = tokensOf(await account.login());
      expect(expiresAtMs - obtainedAtMs).toBe(defaultLifeSeconds * 1000);
    });

    test('without a refresh token keeps the old one on a refresh, and has none after a log-in', async () => {
      const first = tokensOf(await account.login());
      simulator.control.omit = ['refresh_token'];
      const second = tokensOf(await account.refresh(first));
      expect(second.refreshToken?.reveal()).toBe(first.refreshToken?.reveal());
      expect(second.refreshExpiresAtMs).toBe(first.refreshExpiresAtMs);
      expect(tokensOf(await account.login()).refreshToken).toBeUndefined();
    });

    test('to a revocation ends the token, where the provider has one', async () => {
      const tokens = tokensOf(await account.login());
      const result = await account.revoke(tokens);
      expect(result.kind).toBe(its.revokes ? 'ok' : 'failed');
      expect(lives(tokens)).toBe(!its.revokes);
    });
  });

  describe.each([false, true])('a refusal, with codes that nobody has seen: %s', (unseen) => {
    beforeEach(() => {
      simulator.control.unseen = unseen;
    });

    // Seven, so that every shape of an unseen answer comes by.
    test.each([1, 2, 3, 4, 5, 6, 7])('of a password is one refused log-in, try %i', async (skip) => {
      simulator.counters.refused = skip;
      Object.values(simulator.control.users).forEach((user) => Object.assign(user, { password: 'another-password-than-this' }));
      expect(await account.login()).toMatchObject({ kind: 'failed', failure: 'credentials_refused', spent: 'yes' });
      expect(simulator.counters.logins).toBe(0);
    });

    test.each([1, 2, 3, 4, 5, 6, 7])('of a refresh leaves the log-in to try, try %i', async (skip) => {
      const tokens = tokensOf(await account.login());
      simulator.control.era += 1;
      simulator.counters.refused = skip;
      expect(await account.refresh(tokens)).toMatchObject({ kind: 'failed', failure: 'refresh_refused', spent: 'yes' });
      expect(await account.login()).toMatchObject({ kind: 'ok' });
    });

    test('of a replayed refresh token is a refused refresh', async () => {
      const tokens = tokensOf(await account.login());
      await account.refresh(tokens);
      expect(await account.refresh(tokens)).toMatchObject({ failure: 'refresh_refused' });
      expect(simulator.counters.reused).toBe(1);
    });

    test('while the account is locked is a refused log-in, also with the right password', async () => {
      Object.values(simulator.control.users).forEach((user) => Object.assign(user, { failures: 1000 }));
      expect(await account.login()).toMatchObject({ failure: 'credentials_refused' });
      expect(simulator.counters.locked).toBe(1);
    });

    test('comes with the code of the provider, or with none, and never with anything else', async () => {
      Object.values(simulator.control.users).forEach((user) => Object.assign(user, { password: 'another-password-than-this' }));
      for (let n = 0; n < 7; n += 1) {
        const result = await account.login();
        const code = result.kind === 'failed' ? (result.providerError ?? 'none') : 'no failure';
        expect(code).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/);
      }
    });
  });

  describe('trouble', () => {
    const during = ['login', 'refresh'] as const;

    async function call(kind: (typeof during)[number], timeoutMs = 5000) {
      const patient = bench.account(provider, secretOf(provider), {}, timeoutMs);
      if (kind === 'login') return patient.login();
      const { fault } = simulator.control;
      simulator.control.fault = null;
      const tokens = tokensOf(await account.login());
      simulator.control.fault = fault;
      return patient.refresh(tokens);
    }

    describe.each(during)('during a %s', (kind) => {
      const on = [kind];

      test.each(['html', 'broken_json', 'no_token', 'bad_token'] as const)(
        '%s with status 200 is unreadable, never a success',
        async (answer) => {
          simulator.control.fault = { answer, on };
          expect(await call(kind)).toMatchObject({ kind: 'failed', failure: 'unreadable', spent: 'unknown' });
        },
      );

      test.each([
        ['redirect', 'redirect'],
        ['oversized', 'too_large'],
      ] as const)('%s is refused', async (answer, code) => {
        simulator.control.fault = { answer, on };
        expect(await call(kind)).toMatchObject({ kind: 'failed', failure: 'unreadable', spent: 'unknown', code });
      });

      test.each(['reset', 'reset_after'] as const)('a connection that breaks (%s) has an unknown outcome', async (answer) => {
        simulator.control.fault = { answer, on };
        expect(await call(kind)).toMatchObject({ kind: 'failed', failure: 'transient', spent: 'unknown', code: 'reset' });
      });

      test.each([
        [408, 'unknown'],
        [425, 'no'],
        [429, 'no'],
        [500, 'unknown'],
        [502, 'unknown'],
        [503, 'unknown'],
        [504, 'unknown'],
      ])('status %i is for later, spent: %s', async (status, spent) => {
        simulator.control.fault = { answer: 'status', status, on };
        expect(await call(kind)).toMatchObject({ kind: 'failed', failure: 'transient', spent, code: `http_${status}` });
      });

      test('Retry-After is obeyed', async () => {
        simulator.control.fault = { answer: 'status', status: 429, retryAfter: '120', on };
        const result = await call(kind);
        const delay = result.kind === 'failed' ? (result.retryAtMs ?? 0) - Date.now() : 0;
        expect(delay).toBeGreaterThan(100_000);
        expect(delay).toBeLessThanOrEqual(120_000);
      });
    });

    test.each([
      ['login', 'slow_headers'],
      ['refresh', 'slow_body'],
    ] as const)('a %s with %s ends at the deadline, with an unknown outcome', async (kind, answer) => {
      simulator.control.fault = { answer, delayMs: 30_000, on: [kind] };
      expect(await call(kind, 1000)).toMatchObject({ kind: 'failed', failure: 'transient', spent: 'unknown', code: 'timeout' });
    });

    test('a provider that is not there has surely spent nothing', async () => {
      const tokens = tokensOf(await account.login());
      const gone = 'https://127.0.0.2:1';
      const elsewhere = bench.account(provider, secretOf(provider, { base_url: gone }));
      expect(await elsewhere.login()).toMatchObject({ kind: 'failed', failure: 'configuration', spent: 'no' });
      // A token never follows a secret to another host.
      expect(await elsewhere.refresh(tokens)).toMatchObject({ kind: 'failed', spent: 'no' });
      expect(await elsewhere.revoke(tokens)).toMatchObject({ kind: 'failed', spent: 'no' });
    });

    test('past the deadline nothing is sent', async () => {
      const late = bench.account(provider, secretOf(provider), {}, -1);
      expect(await late.login()).toMatchObject({ failure: 'transient', spent: 'no', code: 'deadline' });
      expect(simulator.counters.requests).toBe(0);
    });

    test('a caller may withhold the request after discovery', async () => {
      const result = await account.login({ beforeSend: () => Promise.resolve(false) });
      expect(result).toMatchObject({ failure: 'transient', spent: 'no', code: 'withheld' });
      expect(simulator.counters.logins).toBe(0);
    });
  });
});

describe.each(cases.flatMap(({ provider, narrowed }) => (narrowed === undefined ? [] : [{ provider, ...narrowed }])))(
  'token parameters of $provider',
  ({ provider, parameters, facts, wrong }) => {
    test('give a token of what was asked for, and a refresh keeps to it', async () => {
      const account = bench.account(provider, secretOf(provider), parameters);
      const first = tokensOf(await account.login());
      expect(first.facts).toMatchObject(facts);
      const second = tokensOf(await account.refresh(first));
      expect(second.facts).toMatchObject(facts);
    });

    test('without them a refresh keeps to the own one of the log-in', async () => {
      const account = bench.account(provider, secretOf(provider));
      const first = tokensOf(await account.login());
      expect(tokensOf(await account.refresh(first)).facts).toEqual(first.facts);
    });

    test.each([false, true])('that are wrong never count as a wrong password, unseen codes: %s', async (unseen) => {
      simulators.byProvider[provider].control.unseen = unseen;
      const account = bench.account(provider, secretOf(provider), wrong);
      expect(await account.login()).toMatchObject({ failure: 'configuration', spent: 'yes', taken: true });
    });

    test('trouble after the log-in says that the credentials were taken', async () => {
      simulators.byProvider[provider].control.fault = { answer: 'status', status: 503, on: ['refresh', 'narrow'] };
      const account = bench.account(provider, secretOf(provider), parameters);
      expect(await account.login()).toMatchObject({ failure: 'transient', spent: 'yes', taken: true });
    });
  },
);

/** An absolute expiry has whole seconds, and so has the `Date` that it is counted from. */
function closeTo(ms: number, seconds: number): boolean {
  return Math.abs(ms - seconds * 1000) <= 2000;
}
