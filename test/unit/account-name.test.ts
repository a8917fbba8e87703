import { describe, expect, test } from '@jest/globals';
import { accountOfSecretName, brokenAccountName } from '../../functions/core/account-name.ts';

describe("an account's name", () => {
  test.each([
    ['vidizmo', 'main'],
    ['movingimage-vms', 'Team_A.eu-1'],
    ['a', '0'],
  ])('may be %s/%s', (provider, account) => {
    expect(brokenAccountName({ provider, account })).toBeUndefined();
  });

  test.each(['', 'Vidizmo', 'a/b', '../x', 'a b', '-a', 'x'.repeat(33)])('has no provider %p', (provider) => {
    expect(brokenAccountName({ provider, account: 'main' })).toBe('provider');
  });

  test.each(['', '.hidden', 'a/b', '..', 'a b', 'a*', 'a\n', 'x'.repeat(65)])('has no account %p', (account) => {
    expect(brokenAccountName({ provider: 'vidizmo', account })).toBe('account');
  });
});

describe('the name of a secret', () => {
  test('is prefix, provider and account', () => {
    expect(accountOfSecretName('tokens/prod', 'tokens/prod/vidizmo/main')).toEqual({ provider: 'vidizmo', account: 'main' });
  });

  test.each(['vidizmo/main', 'tokens/prod2/vidizmo/main', 'tokens/prod/vidizmo', 'tokens/prod/vidizmo/main/old', 'tokens/prod//main'])(
    'names no account when it is %s',
    (name) => {
      expect(accountOfSecretName('tokens/prod', name)).toBeUndefined();
    },
  );
});
