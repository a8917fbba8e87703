import { describe, expect, test } from '@jest/globals';
import { accountHealth, hostRule, tokenSetState } from '../../functions/core/account-health.ts';
import type { AccountItem } from '../../functions/core/account.ts';
import { createManageAccounts } from '../../functions/core/manage-accounts.ts';
import type { Outcome, RenewCommand } from '../../functions/core/renewal.ts';
import { timing } from '../../functions/core/timing.ts';
import { keyOf, type AccountRef, type SetFailure, type TokenSetItem } from '../../functions/core/token-set.ts';
import { anAccount } from '../support/account.ts';
import { theClock, theNowMs, theProviders } from '../support/http-calls.ts';
import { createMemoryStore } from '../support/memory-store.ts';

const ref = { provider: 'demo', account: 'main' };

const living: TokenSetItem = { generation: 7, sealed: new Uint8Array([1]), obtainedAtMs: theNowMs, expiresAtMs: theNowMs + 1, lifeMs: 1 };
const consent: TokenSetItem = { generation: 8, failure: { code: 'needs_consent', atMs: theNowMs, secretVersion: 'v1' } };
const later = theNowMs + 60_000;

/** The first set is the account's own, the others are of some parameters. */
const healthOf = (account: AccountItem, ...items: TokenSetItem[]) =>
  accountHealth(
    account,
    items.map((item, index) => ({ sort: keyOf(ref, index === 0 ? {} : { profile: index }).sort, item })),
    theNowMs,
  );
const stateOf = (account: AccountItem, ...items: TokenSetItem[]) => healthOf(account, ...items).state;
const failed = (code: SetFailure['code'], more: Partial<SetFailure> = {}): TokenSetItem => ({
  generation: 9,
  failure: { code, atMs: theNowMs, notBeforeMs: later, secretVersion: 'v1', ...more },
});

describe("an account's state", () => {
  test.each([
    ['well', anAccount()],
    ['well', anAccount({ notBeforeMs: theNowMs, failure: { code: 'backing_off', atMs: 0 } })],
    ['backing_off', anAccount({ notBeforeMs: later, failure: { code: 'backing_off', atMs: theNowMs } })],
    ['refused', anAccount({ refused: 1, failure: { code: 'credentials_refused', atMs: theNowMs } })],
    ['refused', anAccount({ refused: 2, nextLoginAtMs: later })],
    ['refused', anAccount({ clientRefused: true })],
    ['misconfigured', anAccount({ failure: { code: 'misconfigured', atMs: theNowMs, field: 'base_url', rule: 'must be an https URL' } })],
    ['gone', anAccount({ secretVersion: '', identity: '' })],
  ] as const)('is %s', (state, account) => {
    expect(stateOf(account, living)).toBe(state);
  });

  test('is needs_consent where one of its token sets does, under the secret as it is', () => {
    expect(stateOf(anAccount(), living, consent)).toBe('needs_consent');
    expect(stateOf(anAccount({ secretVersion: 'v2' }), living, consent)).toBe('well');
  });

  test('is misconfigured where its host may not be called, whatever set found out, and names the rule', () => {
    const { state, nextTryAtMs, failure } = healthOf(anAccount(), living, failed('misconfigured'));
    expect([state, nextTryAtMs, failure]).toEqual(['misconfigured', later, { code: 'misconfigured', atMs: theNowMs, ...hostRule }]);
    expect(stateOf(anAccount({ secretVersion: 'v2' }), living, failed('misconfigured'))).toBe('well');
  });

  test('is misconfigured where the provider refuses what is asked for its own token, with the code that it said', () => {
    const stale = anAccount({ failure: { code: 'backing_off', atMs: 0 } });
    const { state, nextTryAtMs, failure } = healthOf(stale, failed('configuration', { providerError: 'invalid_scope' }), living);
    expect([state, nextTryAtMs]).toEqual(['misconfigured', later]);
    expect(failure).toEqual({ code: 'misconfigured', atMs: theNowMs, providerError: 'invalid_scope' });
  });

  test('is not the fault of one set of parameters, unless no set lives', () => {
    expect(stateOf(anAccount(), living, failed('configuration'))).toBe('well');
    expect(stateOf(anAccount(), { generation: 7 }, failed('configuration'))).toBe('misconfigured');
  });

  test('tells what needs a person before what heals by itself', () => {
    expect(stateOf(anAccount({ refused: 2, notBeforeMs: later }), consent)).toBe('refused');
    expect(stateOf(anAccount({ notBeforeMs: later }), consent)).toBe('needs_consent');
  });

  test('comes with the time of the next try, while that is to come', () => {
    expect(healthOf(anAccount({ notBeforeMs: later, nextLoginAtMs: later + 1 })).nextTryAtMs).toBe(later + 1);
    expect(healthOf(anAccount({ notBeforeMs: theNowMs })).nextTryAtMs).toBeUndefined();
  });
});

describe("a token set's state", () => {
  test.each([
    ['living', living],
    ['expired', { ...living, expiresAtMs: theNowMs }],
    ['empty', { generation: 7 }],
  ] as const)('is %s', (state, item) => {
    expect(tokenSetState(item, theNowMs)).toBe(state);
  });
});

/** The use cases over a store with accounts, and renewals that answer as told. */
async function managing(accounts: readonly AccountItem[], outcome: Outcome = { outcome: 'done', revokedAtProvider: true }) {
  const store = createMemoryStore({ pageSize: 2 });
  for (const account of accounts) await store.writeAccount({ ...account, revision: 1 });
  const invoked: { command: RenewCommand; timeoutMs: number }[] = [];
  const renewals = {
    invoke: async (command: RenewCommand, timeoutMs: number) => {
      invoked.push({ command, timeoutMs });
      return outcome;
    },
  };
  const manage = createManageAccounts({ store, renewals, clock: theClock(), timing, providers: theProviders });
  return { manage, store, invoked };
}

describe('managing accounts', () => {
  test('shows an account with its token sets, and neither token nor credential', async () => {
    const { manage, store } = await managing([anAccount()]);
    const key = keyOf(ref, {});
    store.plant(key, { ...living, dueAtMs: later, dueShard: 0, lease: { by: 'somebody', untilMs: later } });
    const view = await manage.show(ref);
    expect(view).toEqual({
      ref,
      state: 'well',
      secretVersion: 'v1',
      proven: true,
      refusedLogins: 0,
      nextTryAtMs: undefined,
      failure: undefined,
      tokenSets: [
        {
          set: key.sort,
          state: 'living',
          generation: 7,
          obtainedAtMs: theNowMs,
          expiresAtMs: theNowMs + 1,
          refreshExpiresAtMs: undefined,
          dueAtMs: later,
          warmUntilMs: undefined,
          renewing: true,
          failure: undefined,
        },
      ],
    });
  });

  test.each([
    ['until the end of its lease', theNowMs, true],
    ['no longer than its lease', theNowMs - 1, false],
  ])('shows that a token set is being renewed %s', async (_until, untilMs, renewing) => {
    const { manage, store } = await managing([anAccount()]);
    store.plant(keyOf(ref, {}), { ...living, lease: { by: 'somebody', untilMs } });
    expect(await manage.show(ref)).toMatchObject({ tokenSets: [{ renewing }] });
  });

  test('shows nothing of an account that was never asked for', async () => {
    const { manage } = await managing([]);
    expect(await manage.show(ref)).toBeUndefined();
  });

  test('lists what is allowed, over pages, and reads nothing else', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const { manage } = await managing(names.map((account) => anAccount({ ref: { provider: 'demo', account } })));
    const { accounts, next } = await manage.list((partition) => partition !== 'demo/c');
    expect(accounts.map((view) => view.ref.account)).toEqual(['a', 'b', 'd', 'e']);
    expect(next).toBeUndefined();
  });

  test('lists a hundred accounts a page, in the order of their names, each of them once', async () => {
    const names = Array.from({ length: 230 }, (_none, index) => `account-${String(index).padStart(3, '0')}`);
    const { manage } = await managing(names.map((account) => anAccount({ ref: { provider: 'demo', account } })));
    const sizes: number[] = [];
    const seen: string[] = [];
    let after: AccountRef | undefined;
    do {
      const page = await manage.list((partition) => partition !== 'demo/account-100', after);
      sizes.push(page.accounts.length);
      seen.push(...page.accounts.map((view) => view.ref.account));
      after = page.next;
    } while (after !== undefined);
    // Accounts are read ten together at most, so a page may have up to nine more.
    expect(sizes).toEqual([100, 101, 28]);
    expect(seen).toEqual(names.filter((name) => name !== 'account-100'));
  });

  test('ends a page sooner where its accounts have many token sets', async () => {
    const names = Array.from({ length: 15 }, (_none, index) => `account-${index + 10}`);
    const { manage, store } = await managing(names.map((account) => anAccount({ ref: { provider: 'demo', account } })));
    for (const account of names) {
      for (let profile = 0; profile < 200; profile++) store.plant(keyOf({ provider: 'demo', account }, { profile }), living);
    }
    const { accounts, next } = await manage.list(() => true);
    expect([accounts.length, next]).toEqual([10, { provider: 'demo', account: 'account-19' }]);
  });

  test('never names an account as the end of a page that the caller may not see', async () => {
    const names = Array.from({ length: 120 }, (_none, index) => `account-${String(index).padStart(3, '0')}`);
    const { manage } = await managing(names.map((account) => anAccount({ ref: { provider: 'demo', account } })));
    const { accounts, next } = await manage.list((partition) => partition < 'demo/account-100');
    expect([accounts.length, next?.account]).toEqual([100, 'account-099']);
  });

  test('leaves revoking and resetting to the renewing function', async () => {
    const { manage, invoked } = await managing([anAccount()]);
    expect(await manage.revoke(ref, { profile: 'kids' })).toEqual({ kind: 'done', revokedAtProvider: true });
    await manage.reset(ref);
    await manage.reset(ref, { profile: 'kids' });
    expect(invoked.map(({ command }) => command)).toEqual([
      { command: 'revoke', ref, parameters: { profile: 'kids' } },
      { command: 'reset', ref },
      { command: 'reset', ref, parameters: { profile: 'kids' } },
    ]);
  });

  test.each([
    [
      { outcome: 'wait', retryAtMs: later },
      { kind: 'renewing', retryAtMs: later },
    ],
    [
      { outcome: 'refused', refusal: { reason: 'no_account' } },
      { kind: 'refused', refusal: { reason: 'no_account' } },
    ],
  ] satisfies [Outcome, unknown][])('tells why it could not: %j', async (outcome, told) => {
    const { manage } = await managing([anAccount()], outcome);
    expect(await manage.revoke(ref, {})).toEqual(told);
  });

  test('calls an outcome that makes no sense a mistake', async () => {
    const { manage } = await managing([anAccount()], { outcome: 'current', item: undefined });
    await expect(manage.reset(ref)).rejects.toMatchObject({ code: 'internal' });
  });
});
