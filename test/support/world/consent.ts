import { Secret } from '../../../functions/core/secret.ts';
import { createSealer } from '../../../functions/core/seal.ts';
import { groupOf, keyOf, type AccountRef, type TokenParameters, type TokenSet } from '../../../functions/core/token-set.ts';
import { Instance } from './instance.ts';
import { ghostKeys } from './instance-ports.ts';
import { instanceStore } from './instance-store.ts';
import { DEPLOYMENT } from './world-options.ts';
import type { World } from './world.ts';

/** A person consents at the provider, and what it gives is stored: the first token set of an account that cannot log in. */
export async function giveConsent(world: World, ref: AccountRef, parameters: TokenParameters): Promise<void> {
  const key = keyOf(ref, parameters);
  await world.invoke({ command: 'secret_changed', ref });
  const account = world.raw.accountAt(ref);
  const secret = world.secretOf(ref);
  if (!account || !secret) throw new Error('An account without a secret has no token set.');
  const obtainedAtMs = world.nowMs();
  const lifeMs = world.provider.behaviour.lifeSeconds * 1000;
  const body = world.provider.tokenBody(world.provider.open(secret.host, secret.user, parameters, obtainedAtMs), obtainedAtMs);
  const tokenSet: TokenSet = {
    accessToken: new Secret(body.access),
    refreshToken: new Secret(body.refresh ?? ''),
    facts: { ...body.facts },
    parameters,
    origin: `https://${secret.host}`,
    identity: account.identity,
    refreshEndsOldToken: world.traits.refreshEndsOldToken,
    obtainedAtMs,
    expiresAtMs: obtainedAtMs + lifeMs,
  };
  const table = instanceStore(world, world.raw, new Instance(0, 0, world.time, world.faults));
  const { leaseMs, skewMs } = world.timing;
  const lease = {
    judged: undefined,
    attempt: 'consent',
    nowMs: obtainedAtMs,
    leaseUntilMs: obtainedAtMs + leaseMs,
    skewMs,
    respectNotBefore: false,
  };
  const acquired = await table.acquire(key, lease);
  if (!acquired) throw new Error('There is a token set already.');
  const { generation } = acquired;
  const sealed = await createSealer({ keys: ghostKeys, deployment: DEPLOYMENT }).seal(key, generation + 1, tokenSet, obtainedAtMs);
  const { expiresAtMs } = tokenSet;
  const { secretVersion } = account;
  const dueAt = { shard: 0, atMs: obtainedAtMs + lifeMs / 2, group: groupOf(tokenSet.origin) };
  const times = { obtainedAtMs, expiresAtMs, refreshExpiresAtMs: undefined, lifeMs, warmUntilMs: obtainedAtMs + lifeMs * 2, due: dueAt };
  await table.commit(key, generation, { attempt: 'consent', sealed, secretVersion, ...times });
}
