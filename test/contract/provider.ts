import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SettledTokens } from '../../functions/core/call-provider.ts';
import type { FailureKind, Provider } from '../../functions/core/provider.ts';
import type { TokenParameters } from '../../functions/core/token-set.ts';
import { createAuthority } from '../../infra/local/authority.ts';
import type { Simulated } from '../../infra/local/simulators/index.ts';
import type { Control, Simulator } from '../../infra/local/simulators/simulator.ts';
import { createBench, credentialsOf, tokensOf } from '../support/provider-bench.ts';
import { parameterTests } from './provider-parameters.ts';
import { refusalTests, refusedRefreshTests } from './provider-refusals.ts';
import { troubleTests } from './provider-trouble.ts';

/** What is expected of a provider; the suite asks its simulator, whose tokens live {@link lifeSeconds}. */
export interface Expected {
  /** what the provider makes of a credential that is refused with its own words; where those are unknown it is a refused log-in */
  refused: Extract<FailureKind, 'credentials_refused' | 'client_refused'>;
  /** false: there is no refresh, and a token is renewed by log-in alone */
  refreshes: boolean;
  /** a log-in gives a refresh token */
  givesRefreshTokens: boolean;
  /** told by answers; absent: the provider tells none */
  refreshLifeSeconds?: number;
  /** life where an answer has none */
  defaultLifeSeconds: number;
  /** other ways in which right answers come */
  variants: readonly number[];
  revokes: boolean;
  narrowed?: Narrowed;
}

/** Token parameters that the simulator's user may ask for, what a token then tells, and some that nobody may ask for. */
export interface Narrowed {
  parameters: TokenParameters;
  facts: Record<string, unknown>;
  wrong: TokenParameters;
}

/** What the parts of the suite work with. */
export interface Suite {
  readonly simulator: Simulator;
  /** @returns an account of the provider, with the demo secret unless it is changed */
  account(over?: {
    secret?: object;
    parameters?: TokenParameters;
    timeoutMs?: number;
  }): ReturnType<ReturnType<typeof createBench>['account']>;
}

export const lifeSeconds = 1200;
/** of a refresh token, where the provider tells one */
export const refreshLifeSeconds = 7200;

/**
 * The contract of a provider, run over every one against its simulator: what its answers and refusals mean, and that trouble of
 * any kind is told apart from both.
 */
export function describeProvider(provider: Provider, simulated: Simulated, its: Expected): void {
  describe(`the provider contract, kept by ${provider.id}`, () => {
    let simulator: Simulator;
    let bench: ReturnType<typeof createBench>;
    let pristine: string;

    beforeAll(async () => {
      const authority = await createAuthority();
      simulator = await simulated.start({ authority, lifeSeconds, refreshLifeSeconds });
      pristine = JSON.stringify(simulator.control);
      bench = createBench({ privateOrigins: [simulator.origin], authorities: { [simulator.origin]: authority.caPem } });
    });
    afterAll(() => simulator.close());

    beforeEach(() => {
      const control: Control = JSON.parse(pristine);
      Object.assign(simulator.control, control);
      for (const name of Object.keys(simulator.counters)) Object.assign(simulator.counters, { [name]: 0 });
    });

    // Whatever a test brought about: no credential and no token may be readable in any result, log line or metric.
    afterEach(() => {
      if (bench.leaks().length > 0) throw new Error(`${bench.leaks().length} secrets can be read`);
    });

    const secret = () => simulated.secret({ origin: simulator.origin, lifeSeconds });
    const suite: Suite = {
      get simulator() {
        return simulator;
      },
      account: ({ secret: changed, parameters, timeoutMs } = {}) =>
        bench.account(provider, { ...secret(), ...changed }, parameters, timeoutMs),
    };

    test('says of itself what is so: whether it refreshes and revokes', () => {
      const { refreshWith, revocationEnds } = provider.traits(credentialsOf(provider, secret()));
      expect({ refreshes: refreshWith !== 'none', revokes: revocationEnds !== 'nothing' }).toEqual({
        refreshes: its.refreshes,
        revokes: its.revokes,
      });
    });

    describe('an answer as it should be', () => {
      answerTests(suite, its);
    });
    describe('a refresh', () => {
      if (its.refreshes) refreshTests(suite, its);
      else noRefreshTests(suite);
    });
    describe.each([false, true])('a refusal, with codes that nobody has seen: %s', (unseen) => {
      beforeEach(() => {
        simulator.control.unseen = unseen;
      });
      refusalTests(suite, unseen ? 'credentials_refused' : its.refused);
      if (its.refreshes) refusedRefreshTests(suite);
    });
    describe('trouble', () => {
      troubleTests(suite, its.refreshes ? ['login', 'refresh'] : ['login']);
    });
    const { narrowed } = its;
    if (narrowed === undefined) return;
    describe('token parameters', () => {
      parameterTests(suite, narrowed);
    });
  });
}

const lives = ({ simulator }: Suite, { accessToken }: SettledTokens): boolean => simulator.lives(accessToken.reveal());

function answerTests(suite: Suite, its: Expected): void {
  test.each(its.variants)('gives a living token with its clocks, variant %i', async (variant) => {
    suite.simulator.control.variant = variant;
    const tokens = tokensOf(await suite.account().login());
    expect(lives(suite, tokens)).toBe(true);
    expect(tokens.origin).toBe(suite.simulator.origin);
    expect(closeTo(tokens.expiresAtMs - tokens.obtainedAtMs, lifeSeconds)).toBe(true);
    expect(tokens.refreshToken !== undefined).toBe(its.givesRefreshTokens);
    const refreshLifeMs = (tokens.refreshExpiresAtMs ?? 0) - tokens.obtainedAtMs;
    expect(its.refreshLifeSeconds === undefined || closeTo(refreshLifeMs, its.refreshLifeSeconds)).toBe(true);
  });

  test('is read whatever content type it claims', async () => {
    suite.simulator.control.fault = { answer: 'wrong_type' };
    expect(await suite.account().login()).toMatchObject({ kind: 'ok' });
  });

  test('without a life counts as the documented default', async () => {
    suite.simulator.control.omit = ['life'];
    const { obtainedAtMs, expiresAtMs } = tokensOf(await suite.account().login());
    expect(expiresAtMs - obtainedAtMs).toBe(its.defaultLifeSeconds * 1000);
  });

  test('to a revocation ends the token, where the provider has one', async () => {
    const tokens = tokensOf(await suite.account().login());
    const result = await suite.account().revoke(tokens);
    expect(result.kind).toBe(its.revokes ? 'ok' : 'failed');
    expect(lives(suite, tokens)).toBe(!its.revokes);
  });
}

function refreshTests(suite: Suite, its: Expected): void {
  test.each(its.variants)('renews without the credentials, variant %i', async (variant) => {
    suite.simulator.control.variant = variant;
    const account = suite.account();
    const first = tokensOf(await account.login());
    const second = tokensOf(await account.refresh(first));
    const third = tokensOf(await account.refresh(second));
    expect(lives(suite, third)).toBe(true);
    expect(third.accessToken.reveal()).not.toBe(first.accessToken.reveal());
    expect(suite.simulator.counters).toMatchObject({ logins: 1, refreshes: 2, reused: 0 });
  });

  test('answered without a refresh token keeps the old one, and a log-in so answered has none', async () => {
    const account = suite.account();
    const first = tokensOf(await account.login());
    suite.simulator.control.omit = ['refresh_token'];
    const second = tokensOf(await account.refresh(first));
    expect(second.refreshToken?.reveal()).toBe(first.refreshToken?.reveal());
    expect(second.refreshExpiresAtMs).toBe(first.refreshExpiresAtMs);
    expect(tokensOf(await account.login()).refreshToken).toBeUndefined();
  });
}

function noRefreshTests(suite: Suite): void {
  test('that the provider does not have sends nothing; a log-in gives another token', async () => {
    const account = suite.account();
    const first = tokensOf(await account.login());
    const { requests } = suite.simulator.counters;
    expect(await account.refresh(first)).toMatchObject({ failure: 'refresh_refused', spent: 'no', code: 'unsupported' });
    expect(suite.simulator.counters.requests).toBe(requests);
    expect(tokensOf(await account.login()).accessToken.reveal()).not.toBe(first.accessToken.reveal());
  });
}

/** An absolute expiry has whole seconds, and so has the `Date` that it is counted from. */
function closeTo(ms: number, seconds: number): boolean {
  return Math.abs(ms - seconds * 1000) <= 2000;
}
