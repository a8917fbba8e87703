import { expect, test } from '@jest/globals';
import { tokensOf } from '../support/provider-bench.ts';
import type { Narrowed, Suite } from './provider.ts';

/** The part of the provider contract about tokens that are narrowed to parameters. */
export function parameterTests(suite: Suite, { parameters, facts, wrong }: Narrowed): void {
  test('give a token of what was asked for, and a refresh keeps to it', async () => {
    const account = suite.account({ parameters });
    const first = tokensOf(await account.login());
    expect(first.facts).toMatchObject(facts);
    const second = tokensOf(await account.refresh(first));
    expect(second.facts).toMatchObject(facts);
  });

  test('without them a refresh keeps to the own one of the log-in', async () => {
    const account = suite.account();
    const first = tokensOf(await account.login());
    expect(tokensOf(await account.refresh(first)).facts).toEqual(first.facts);
  });

  test.each([false, true])('that are wrong never count as a wrong password, unseen codes: %s', async (unseen) => {
    suite.simulator.control.unseen = unseen;
    const account = suite.account({ parameters: wrong });
    expect(await account.login()).toMatchObject({ failure: 'configuration', spent: 'yes', taken: true });
  });

  test('trouble after the log-in says that the credentials were taken', async () => {
    suite.simulator.control.fault = { answer: 'status', status: 503, on: ['refresh', 'narrow'] };
    const account = suite.account({ parameters });
    expect(await account.login()).toMatchObject({ failure: 'transient', spent: 'yes', taken: true });
  });
}
