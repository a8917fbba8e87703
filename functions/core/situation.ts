import { identityOf, updateAccount, withSecret, type SecretFacts } from './account-item.ts';
import type { AccountItem } from './account.ts';
import { personNeeded } from './give-up.ts';
import { usable } from './judge.ts';
import type { ProviderSecret } from './ports.ts';
import type { CommonCredentials, Provider } from './provider.ts';
import type { RenewalDeps, Situation } from './renewal-deps.ts';
import type { Refusal } from './renewal.ts';
import { accountOf, keyOf, type AccountRef, type TokenParameters, type TokenSetItem, type TokenSetKey } from './token-set.ts';

/** An account with its secret read: either usable credentials, or why not. */
export type AccountReading =
  | { account: AccountItem; provider: Provider; credentials: CommonCredentials; secretIsFresh: boolean }
  | { refusal: Refusal; account?: AccountItem | undefined };

/**
 * Step 2, the account's half: the account item first, then the secret. A new version of the secret, believed only when it was
 * read past the cache, is written to the account item with fresh counts. A missing secret takes version and identity from an
 * existing item, never creates one, and forgets the account's token sets.
 *
 * @param fresh reads the secret past the cache
 * @throws store_unavailable, secrets_unavailable
 */
export async function readAccount(deps: RenewalDeps, ref: AccountRef, deadlineMs: number, fresh: boolean): Promise<AccountReading> {
  const provider = deps.providers.get(ref.provider);
  if (!provider) return { refusal: { reason: 'no_account' } };
  const before = await deps.store.readAccount(ref);
  const first = await deps.secrets.read(ref, fresh);
  const secretIsFresh = fresh || (first?.version ?? '') !== (before?.secretVersion ?? '');
  const secret = secretIsFresh && !fresh ? await deps.secrets.read(ref, true) : first;
  if (!secret) return takeAbsence(deps, ref, before, { deadlineMs, fresh });

  const parsed = provider.credentials.safeParse(secret.value);
  const facts = factsOf(deps, provider, secret, parsed);
  const account = await updateAccount(deps, ref, deadlineMs, (present) => takeSecret(deps, ref, before, present, facts), before);
  if (!account || account.secretVersion !== facts.version) return readAccount(deps, ref, deadlineMs, true);
  if (parsed.success) return { account, provider, credentials: parsed.data, secretIsFresh };
  if (before?.failure?.code !== 'misconfigured') personNeeded(deps);
  const { field, rule } = facts.failure ?? {};
  return { account, refusal: { reason: 'misconfigured', retryAtMs: deps.clock.nowMs() + deps.timing.absenceMs, field, rule } };
}

function factsOf(
  { clock }: RenewalDeps,
  provider: Provider,
  secret: ProviderSecret,
  parsed: ReturnType<Provider['credentials']['safeParse']>,
): SecretFacts {
  if (parsed.success) {
    return { version: secret.version, identity: identityOf(provider, parsed.data), keep: parsed.data.keep === 'always' };
  }
  const issue = parsed.error.issues[0];
  const field = issue?.path.map(String).join('.') || '(the secret itself)';
  // The message of a schema names rules and members, never a value.
  const rule = secret.value === undefined ? 'must be a JSON object' : (issue?.message ?? 'does not fit');
  return { version: secret.version, identity: '', keep: false, failure: { code: 'misconfigured', atMs: clock.nowMs(), field, rule } };
}

/** @returns what to write; only over the item that was read before the secret, or over nothing */
function takeSecret(
  { clock, timing }: RenewalDeps,
  ref: AccountRef,
  before: AccountItem | undefined,
  present: AccountItem | undefined,
  facts: SecretFacts,
): AccountItem | undefined {
  if (present?.secretVersion === facts.version) {
    const known = present.failure?.code === 'misconfigured' ? present.failure : undefined;
    // A newer deployment may understand what an older one refused; the counts stay, because the credentials are the same.
    if (known && !facts.failure) return { ...present, ...mended(facts), revision: present.revision + 1 };
    const stale = facts.failure !== undefined && (known === undefined || clock.nowMs() >= known.atMs + timing.absenceMs);
    return stale ? { ...present, revision: present.revision + 1, failure: facts.failure } : undefined;
  }
  // Somebody wrote another version after this one was read; theirs may be the newer one.
  if (present?.secretVersion !== before?.secretVersion) return undefined;
  return withSecret(ref, present, facts);
}

function mended({ identity, keep }: SecretFacts): Pick<AccountItem, 'identity' | 'keep' | 'failure'> {
  return { identity, keep, failure: undefined };
}

async function takeAbsence(
  deps: RenewalDeps,
  ref: AccountRef,
  before: AccountItem | undefined,
  { deadlineMs, fresh }: { deadlineMs: number; fresh: boolean },
): Promise<AccountReading> {
  const refusal: Refusal = { reason: 'no_account' };
  if (!before) return { refusal };
  if (before.secretVersion === '') {
    // Who looks past the cache makes good what a crash left between this item and the token sets.
    if (fresh) await forgetSets(deps, ref);
    return { refusal, account: before };
  }
  const gone: SecretFacts = { version: '', identity: '', keep: false };
  const account = await updateAccount(
    deps,
    ref,
    deadlineMs,
    (present) => (present && present.secretVersion === before.secretVersion ? withSecret(ref, present, gone) : undefined),
    before,
  );
  if (account?.secretVersion === '') await forgetSets(deps, ref);
  return { refusal, account };
}

/** Forgets every token set of an account: step 11's write, never a delete. */
async function forgetSets(deps: RenewalDeps, ref: AccountRef): Promise<void> {
  for await (const page of deps.store.listTokenSets(ref)) {
    for (const { key, item } of page) await forgetSet(deps, key, item);
  }
}

/** A renewal under way is fenced off by the new generation; one that has committed since the listing is forgotten with its own. */
async function forgetSet({ store, random, telemetry }: RenewalDeps, key: TokenSetKey, listed: TokenSetItem): Promise<void> {
  let item: TokenSetItem | undefined = listed;
  while (item && (item.sealed || item.lease)) {
    const { generation } = item;
    if (await store.forget(key, generation, random.attemptId())) {
      telemetry.audit({ event: 'forget', outcome: 'success', account: key.partition, set: key.sort, generation });
      return;
    }
    item = await store.readTokenSet(key);
  }
}

/** Which token set is asked for: by its parameters, or by its key (from the queue, where its seal holds the parameters). */
export type Wanted = { ref: AccountRef; parameters: TokenParameters } | { key: TokenSetKey };

/**
 * Step 2, whole: reads strongly, the account item first, then the token set, then the secret.
 *
 * @returns undefined where a set is wanted by key and there is nothing (left) to renew under that key
 * @throws store_unavailable, secrets_unavailable, keys_unavailable
 */
export async function readSituation(
  deps: RenewalDeps,
  wanted: Wanted,
  deadlineMs: number,
  fresh: boolean,
): Promise<Situation | { refusal: Refusal; account?: AccountItem | undefined } | undefined> {
  const ref = 'ref' in wanted ? wanted.ref : accountOf(wanted.key.partition);
  const key = 'ref' in wanted ? keyOf(wanted.ref, wanted.parameters) : wanted.key;
  const reading = await readAccount(deps, ref, deadlineMs, fresh);
  if ('refusal' in reading) return reading;
  const item = await deps.store.readTokenSet(key);
  const opened = await openItem(deps, key, item);
  const parameters = 'ref' in wanted ? wanted.parameters : opened?.parameters;
  // A sealed set that says another key than its own would be renewed with somebody else's parameters.
  if (!parameters || keyOf(ref, parameters).sort !== key.sort) return undefined;
  const { account, provider, credentials, secretIsFresh } = reading;
  const view = { item, opened };
  const traits = provider.traits(credentials);
  const { timing, clock } = deps;
  const tokenSet = usable({ view, account, request: { kind: 'vend', minTtlMs: 0 }, nowMs: clock.nowMs(), traits, timing });
  return { ref, key, parameters, account, view, tokenSet, provider, credentials, secretIsFresh, traits };
}

/** Opens what is stored. A seal that was moved, renumbered or altered is counted and treated as absent, so the set is renewed. */
export async function openItem(
  { sealer, telemetry }: Pick<RenewalDeps, 'sealer' | 'telemetry'>,
  key: TokenSetKey,
  item: TokenSetItem | undefined,
): Promise<Situation['view']['opened']> {
  const opened = item && (await sealer.open(key, item));
  if (opened !== 'refused') return opened;
  telemetry.metric('SealRefused', 1, 'Count', accountOf(key.partition).provider);
  telemetry.log('error', 'A sealed token set does not belong to its item and is renewed', { account: key.partition, set: key.sort });
  return undefined;
}
