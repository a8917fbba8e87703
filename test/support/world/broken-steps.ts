import { chooseCall } from '../../../functions/core/choose-call.ts';
import type { Provider } from '../../../functions/core/provider.ts';
import type { Rules } from '../../../functions/core/renewal-deps.ts';
import type { AccountRef } from '../../../functions/core/token-set.ts';
import type { Scenario } from './scenario.ts';
import type { Breaking } from './world-options.ts';

// Each of these breaks one step of the protocol deliberately: the negative controls, which the suite must catch every time.

/** Step 4 broken: a doubtful refresh token is sent again, whatever the provider makes of it. */
export const replayInDoubt: Partial<Rules> = { chooseCall: (facts) => chooseCall({ ...facts, doubtCount: 0 }) };

/** Step 4 broken: grace is counted from now, so it never ends. */
export const endlessGrace: Partial<Rules> = { chooseCall: (facts) => chooseCall({ ...facts, doubtSinceMs: facts.nowMs }) };

/** Step 4 broken: a person is never asked, the doubtful token is sent again and again. */
export const neverAPerson: Partial<Rules> = { chooseCall: (facts) => chooseCall({ ...facts, doubtCount: Math.min(facts.doubtCount, 1) }) };

/** Step 4 broken: a person is asked as soon as there is any doubt. */
export const alwaysAPerson: Partial<Rules> = { chooseCall: (facts) => (facts.doubtCount > 0 ? 'needs_consent' : chooseCall(facts)) };

/** Step 4 broken: what a provider that keeps its token has is forgotten, and it is logged in again each time. */
export const alwaysLogIn: Partial<Rules> = { chooseCall: () => 'login' };

/** Step 7 broken: a spare is revoked always, whatever stands in the table. */
export const revokeEverySpare: Partial<Rules> = { mayRevokeSpare: () => true };

/** Step 6 broken: the commit does not ask for the generation. */
export const commitWithoutGeneration: Breaking = (table, { raw }) => ({
  ...table,
  commit: (key, generation, request) => table.commit(key, raw.tokenSetAt(key)?.generation ?? generation, request),
});

/** Step 6 broken: the commit asks for the lease. */
export const commitOnlyWhileLeased: Breaking = (table, { raw }) => ({
  ...table,
  commit: async (key, generation, request) => raw.tokenSetAt(key)?.lease?.by === request.attempt && table.commit(key, generation, request),
});

/** Step 8 broken: a failure is written without lease and generation. */
export const unfencedFailure: Breaking = (table, { raw }) => ({
  ...table,
  release: async (key, generation, attempt, request) => {
    const item = raw.tokenSetAt(key);
    if (!item) return false;
    if (item.lease?.by === attempt && item.generation === generation) return table.release(key, generation, attempt, request);
    raw.plant(key, { ...item, failure: request.failure ?? item.failure, doubt: request.doubt === 'keep' ? item.doubt : request.doubt });
    return true;
  },
});

/** Step 8 broken: doubt is cleared on every release, an unknown outcome included. */
export const forgetDoubt: Breaking = (table) => ({
  ...table,
  release: (key, generation, attempt, request) => table.release(key, generation, attempt, { ...request, doubt: undefined }),
});

/** Step 8 broken: a set whose session was ended before a log-in that failed is not forgotten. */
export const keepEnded: Breaking = (table) => ({
  ...table,
  release: (key, generation, attempt, request) => table.release(key, generation, attempt, { ...request, forget: undefined }),
});

/** Step 3 broken: an item that is re-created starts at generation 0. */
export const recreateAtZero: Breaking = (table, { raw }) => ({
  ...table,
  acquire: async (key, request) => {
    const isNew = raw.tokenSetAt(key) === undefined;
    const acquired = await table.acquire(key, request);
    const item = raw.tokenSetAt(key);
    if (!acquired || !isNew || !item) return acquired;
    raw.plant(key, { ...item, generation: 0 });
    return { ...acquired, generation: 0 };
  },
});

/** Step 3 broken: a lease counts as lapsed at once. */
export const leaseNobodyRespects: Breaking = (table) => ({
  ...table,
  acquire: (key, request) => table.acquire(key, { ...request, skewMs: -3_600_000 * 48 }),
});

/** Step 3 broken: whatever generation stands there is taken, not the one that was judged. */
export const acquireUnjudged: Breaking = (table, { raw }) => ({
  ...table,
  acquire: (key, request) => table.acquire(key, { ...request, judged: raw.tokenSetAt(key)?.generation }),
});

/** Step 11 broken: a revocation does not raise the generation. */
export const revokeFlat: Breaking = (table, { raw }) => ({
  ...table,
  forget: async (key, generation, attempt) => {
    const done = await table.forget(key, generation, attempt);
    if (done) raw.plant(key, { ...raw.tokenSetAt(key), generation });
    return done;
  },
});

/** Step 12 broken: back-off never reaches the account item. */
export const dropBackOff: Breaking = (table) => ({
  ...table,
  writeAccount: (item) => table.writeAccount({ ...item, notBeforeMs: undefined }),
});

/** Step 5 broken: a probe's next time is never written. */
export const probeAtOnce: Breaking = (table) => ({
  ...table,
  writeAccount: (item) => table.writeAccount({ ...item, nextLoginAtMs: undefined }),
});

/** Step 1 broken: the strong reads of a vend are eventual, one write late. */
export const neverStrong: Breaking = (table, { instance, stale }) => ({
  ...table,
  readTokenSet: async (key) => (instance.command ? undefined : stale(key)) ?? table.readTokenSet(key),
});

/** Step 5 broken: log-ins are counted on the token set, each of which has its own account item. */
export const budgetOnTheSet: Breaking = (table, { instance }) => {
  const apart = (ref: AccountRef): AccountRef => ({ ...ref, account: `${ref.account}${instance.key?.sort ?? ''}` });
  return {
    ...table,
    readAccount: async (ref) => renamed(await table.readAccount(apart(ref)), ref),
    writeAccount: (item) => table.writeAccount({ ...item, ref: apart(item.ref) }),
    peek: async (key) => {
      const [provider = '', account = ''] = key.partition.split('/');
      const ref = { provider, account };
      const own = { provider, account: `${account}${key.sort}` };
      return { account: renamed(await table.readAccount(own), ref), tokenSet: await table.readTokenSet(key) };
    },
  };
};

function renamed<T extends { ref: AccountRef } | undefined>(item: T, ref: AccountRef): T {
  return item && { ...item, ref };
}

/** The key broken: a parameter that its hash does not see. */
export function hideParameter(scenario: Scenario): Scenario {
  const sets = scenario.sets.map(({ ref, parameters }) => ({
    ref,
    parameters: Object.defineProperties({}, Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, { value }]))),
  }));
  return { ...scenario, sets };
}

/** Step 2 broken: the identity does not see the user. */
export const identityWithoutUser = (provider: Provider): Provider => ({ ...provider, identity: () => [] });

/** A provider file that believes a missing lifetime to be a long one. */
export const trustMissingLifetime = (provider: Provider): Provider => ({
  ...provider,
  traits: (credentials) => ({ ...provider.traits(credentials), defaultLifeSeconds: 86_400 }),
});
