import { fingerprintOf } from '../../../functions/core/token-set.ts';
import { parametersText, type SetWrite, type Vend } from './history.ts';
import { answered, applied, clockError, InvariantBroken, of, type Invariant } from './invariant.ts';
import type { World } from './world.ts';

/** 6: nothing vended is expired or promises more than its true rest, within the skew. */
export const nothingExpired: Invariant = (world) => {
  const error = clockError(world);
  for (const vend of answered(world)) {
    const promised = vend.outcome.tokenSet.expiresAtMs;
    // Where a refresh ends the old token, its end is another caller's renewal and no clock's matter.
    if (vend.trueEndMs === undefined || wasFrozen(world, vend)) continue;
    if (promised > vend.trueEndMs + error) throw new InvariantBroken(6, `promises ${promised - vend.trueEndMs} ms too much`, vend);
    if (vend.trueEndMs + error < vend.atMs) throw new InvariantBroken(6, `expired ${vend.atMs - vend.trueEndMs} ms ago`, vend);
  }
};

/** A function that was frozen in the middle of an answer is heard by nobody, or late: no judgement can help that. */
function wasFrozen(world: World, { atMs, startedAtMs }: Vend): boolean {
  return world.faults.has('freeze_before', 'freeze_after') && atMs - startedAtMs >= 3_000;
}

/** 7: the fields of a vended set come from one generation. */
export const oneGeneration: Invariant = (world) => {
  const stored = new Map<string, SetWrite>();
  for (const write of applied(world, 'commit')) stored.set(`${write.key} ${write.after?.generation}`, write);
  for (const vend of answered(world)) {
    const { tokenSet, generation } = vend.outcome;
    const told = world.provider.read(tokenSet.accessToken.reveal());
    const facts = tokenSet.facts['session'] === told?.session.id && tokenSet.facts['serial'] === told?.serial;
    const commit = stored.get(`${vend.key} ${generation}`)?.stored?.tokenSet;
    const same =
      commit && fingerprintOf(commit.accessToken) === fingerprintOf(tokenSet.accessToken) && commit.expiresAtMs === tokenSet.expiresAtMs;
    if (!facts || !same) throw new InvariantBroken(7, 'a vended set mixes generations', { vend, facts, commit });
  }
};

/** 8: who reports generation n is never given n or less, and never the token that it reports. */
export const reportedStaysAway: Invariant = (world) => {
  for (const vend of answered(world)) {
    if (vend.command.rejected === undefined) continue;
    const given = fingerprintOf(vend.outcome.tokenSet.accessToken);
    if (given === vend.command.rejected) throw new InvariantBroken(8, 'the reported token was given back', vend);
    if (vend.reported !== undefined && vend.outcome.generation <= vend.reported)
      throw new InvariantBroken(8, 'an older generation was given', vend);
  }
};

/** 18: two parameter sets or accounts never share a token. */
export const noSharedToken: Invariant = (world) => {
  for (const vend of answered(world)) {
    const told = world.provider.read(vend.outcome.tokenSet.accessToken.reveal());
    const wanted = parametersText(vend.command.parameters);
    if (told?.session.parameters !== wanted) throw new InvariantBroken(18, `asked for ${wanted} and got ${told?.session.parameters}`, vend);
  }
  const keys = new Map<string, string>();
  for (const write of applied(world, 'commit')) {
    const session = String(write.stored?.tokenSet.facts['session']);
    if ((keys.get(session) ?? write.key) !== write.key) throw new InvariantBroken(18, 'one session in two items', write);
    keys.set(session, write.key);
  }
};

/** 19: a set of another identity or host is never vended once the account item shows the change; nor is its token sent there. */
export const identityHolds: Invariant = (world) => {
  for (const call of of(world, 'call')) {
    if (call.sent === 'refresh' && call.session && call.session.host !== call.host)
      throw new InvariantBroken(19, 'a token went to another host', call);
  }
  if (world.faults.has('stale')) return;
  for (const vend of answered(world)) {
    const account = vend.key.slice(0, vend.key.indexOf(' '));
    // Memory may answer for as long as it keeps a set.
    const shownBefore = vend.startedAtMs - world.timing.memoryMs;
    const shown = of(world, 'account').findLast((write) => write.applied && write.account === account && write.atMs < shownBefore);
    const since = world.secrets.filter((secret) => secret.account === account);
    const first = since.findIndex(({ now }) => now?.version === shown?.item.secretVersion);
    const told = world.provider.read(vend.outcome.tokenSet.accessToken.reveal())?.session;
    const fits = since.slice(Math.max(first, 0)).some(({ now }) => now?.user === told?.user && now?.host === told?.host);
    if (!fits) throw new InvariantBroken(19, 'a token of another identity', { vend, since });
  }
};
