import type { AccountItem } from '../../functions/core/account.ts';

/** @returns the item of an account whose secret is proven and which has no trouble, but for what is given */
export function anAccount(given: Partial<AccountItem> = {}): AccountItem {
  return {
    ref: { provider: 'demo', account: 'main' },
    revision: 4,
    secretVersion: 'v1',
    identity: 'somebody',
    proven: true,
    refused: 0,
    unanswered: {},
    outages: 0,
    clientRefused: false,
    keep: false,
    ...given,
  };
}
