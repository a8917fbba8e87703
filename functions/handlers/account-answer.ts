import type { AccountView, TokenSetView } from '../core/manage-accounts.ts';
import { time } from './respond.ts';

/** @returns an account in wire names and RFC 3339 times; what is not known is absent */
export function accountAnswer({ ref, ...view }: AccountView) {
  const { failure } = view;
  return {
    provider: ref.provider,
    account: ref.account,
    state: view.state,
    secret_version: view.secretVersion === '' ? undefined : view.secretVersion,
    proven: view.proven,
    refused_logins: view.refusedLogins,
    next_try_at: time(view.nextTryAtMs),
    failure: failure && {
      code: failure.code,
      at: time(failure.atMs),
      provider_error: failure.providerError,
      field: failure.field,
      rule: failure.rule,
    },
    token_sets: view.tokenSets.map(tokenSetAnswer),
  };
}

function tokenSetAnswer({ failure, ...view }: TokenSetView) {
  return {
    set: view.set,
    state: view.state,
    generation: view.generation,
    obtained_at: time(view.obtainedAtMs),
    expires_at: time(view.expiresAtMs),
    refresh_expires_at: time(view.refreshExpiresAtMs),
    due_at: time(view.dueAtMs),
    warm_until: time(view.warmUntilMs),
    renewing: view.renewing,
    failure: failure && {
      code: failure.code,
      at: time(failure.atMs),
      next_try_at: time(failure.notBeforeMs),
      provider_error: failure.providerError,
    },
  };
}
