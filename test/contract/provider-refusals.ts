import { expect, test } from '@jest/globals';
import type { FailureKind } from '../../functions/core/provider.ts';
import { tokensOf } from '../support/provider-bench.ts';
import type { Suite } from './provider.ts';

// Seven, so that every shape of an unseen answer comes by.
const tries = [1, 2, 3, 4, 5, 6, 7];

/**
 * The part of the provider contract about refused credentials.
 *
 * @param refused what such a refusal counts as
 */
export function refusalTests(suite: Suite, refused: FailureKind): void {
  const changeCredentials = () => {
    for (const user of Object.values(suite.simulator.control.users)) user.password = 'another-password-than-this';
  };

  test.each(tries)('of the credentials is one refused log-in, try %i', async (skip) => {
    suite.simulator.counters.refused = skip;
    changeCredentials();
    // A refused client spends no refresh token, should there be one.
    const spent = refused === 'client_refused' ? 'no' : 'yes';
    expect(await suite.account().login()).toMatchObject({ kind: 'failed', failure: refused, spent });
    expect(suite.simulator.counters.logins).toBe(0);
  });

  test('while the account is locked is a refused log-in, also with the right password', async () => {
    for (const user of Object.values(suite.simulator.control.users)) user.failures = 1000;
    expect(await suite.account().login()).toMatchObject({ failure: refused });
    expect(suite.simulator.counters.locked).toBe(1);
  });

  test('comes with the code of the provider, or with none, and never with anything else', async () => {
    changeCredentials();
    const account = suite.account();
    for (const _ of tries) {
      const result = await account.login();
      const code = result.kind === 'failed' ? (result.providerError ?? 'none') : 'no failure';
      expect(code).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/);
    }
  });
}

/** The part of the provider contract about refreshes that are refused. */
export function refusedRefreshTests(suite: Suite): void {
  test.each(tries)('of a refresh leaves the log-in to try, try %i', async (skip) => {
    const account = suite.account();
    const tokens = tokensOf(await account.login());
    suite.simulator.control.era += 1;
    suite.simulator.counters.refused = skip;
    expect(await account.refresh(tokens)).toMatchObject({ kind: 'failed', failure: 'refresh_refused', spent: 'yes' });
    expect(await account.login()).toMatchObject({ kind: 'ok' });
  });

  test('of a replayed refresh token is a refused refresh', async () => {
    const account = suite.account();
    const tokens = tokensOf(await account.login());
    await account.refresh(tokens);
    expect(await account.refresh(tokens)).toMatchObject({ failure: 'refresh_refused' });
    expect(suite.simulator.counters.reused).toBe(1);
  });
}
