import type { AccountRef } from './token-set.ts';

const PROVIDER = /^[a-z0-9][a-z0-9-]{0,31}$/;
/** What a secret's name may hold (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html), less the slash. */
const ACCOUNT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The rules in words, for a problem's `rule`. */
export const accountNameRules = {
  provider: 'must be 1 to 32 lower-case letters, digits and hyphens',
  account: 'must be 1 to 64 letters, digits, dots, underscores and hyphens, beginning with a letter or digit',
} as const;

/** @returns which part of an account's name breaks its rule, if one does */
export function brokenAccountName(ref: AccountRef): 'provider' | 'account' | undefined {
  if (!PROVIDER.test(ref.provider)) return 'provider';
  return ACCOUNT.test(ref.account) ? undefined : 'account';
}

/**
 * @param prefix of every account's secret, without a trailing slash
 * @param name of a secret: `{prefix}/{provider}/{account}`
 * @returns the account, or undefined where the secret is none of ours
 */
export function accountOfSecretName(prefix: string, name: string): AccountRef | undefined {
  if (!name.startsWith(`${prefix}/`)) return undefined;
  const [provider = '', account = '', ...rest] = name.slice(prefix.length + 1).split('/');
  const ref = { provider, account };
  return rest.length === 0 && brokenAccountName(ref) === undefined ? ref : undefined;
}
