import * as fc from 'fast-check';
import type { Scheduler } from 'fast-check';
import { keyOf, type AccountRef, type TokenParameters } from '../../../functions/core/token-set.ts';
import { TokenVendingError } from '../../../functions/core/errors.ts';
import type { Fault } from './faults.ts';
import { InvariantBroken } from './invariant.ts';
import { invariants } from './invariants.ts';
import { timeline } from './timeline.ts';
import { World } from './world.ts';
import type { WorldOptions } from './world-options.ts';

/** One thing that somebody does, a while after what they did before. */
export interface Deed {
  afterMs: number;
  what:
    | 'vend'
    | 'due'
    | 'revoke'
    | 'reset'
    | 'check'
    | 'delete'
    | 'tell_secret_changed'
    | 'rotate_secret'
    | 'break_secret'
    | 'mend_secret'
    | 'change_user'
    | 'change_host'
    | 'delete_secret'
    | 'break_password';
  /** which token set, by its place in the scenario's list */
  set: number;
  minTtlSeconds?: number | undefined;
  /** report the token that is stored now, or the first one ever */
  report?: 'current' | 'older' | undefined;
}

/** One run: who does what when, and what goes wrong. */
export interface Scenario {
  seed: number;
  faults: readonly Fault[];
  /** one list for each actor; they act at the same time */
  program: readonly (readonly Deed[])[];
  options: Omit<WorldOptions, 'scheduler' | 'faults' | 'seed'>;
  sets: readonly { ref: AccountRef; parameters: TokenParameters }[];
  /** nothing is stored at first */
  fresh?: boolean | undefined;
  /** the password is wrong from the beginning */
  wrongPassword?: boolean | undefined;
  /** how long after the first log-in the program begins, ms */
  beginAfterMs: number;
}

const HOUR = 3_600_000;
const main: AccountRef = { provider: 'fake', account: 'main' };
const other: AccountRef = { provider: 'fake', account: 'other' };

/** The account's own token set. */
export const oneSet = [{ ref: main, parameters: {} }];
/** Several token sets, of two accounts. */
export const severalSets = [
  { ref: main, parameters: {} },
  { ref: main, parameters: { profile: 'a' } },
  { ref: main, parameters: { profile: 'b' } },
  { ref: other, parameters: { profile: 'a' } },
];

/** Which invariants are checked: all of them, or (for a negative control) the ones that must break. */
export type Checked = readonly number[] | 'all';

/**
 * Lives one scenario and checks the invariants; at its end all faults cease, and every account must vend again.
 *
 * @param broken options that break a step deliberately
 * @throws InvariantBroken
 */
export async function live(
  scheduler: Scheduler,
  scenario: Scenario,
  broken: Partial<WorldOptions> = {},
  checked: Checked = 'all',
): Promise<void> {
  const { seed, faults } = scenario;
  const world = new World({ scheduler, seed, faults, ...scenario.options, ...broken });
  const check = (when: 'before' | 'after') => {
    const chosen = invariants.filter(
      ({ number }) => (number === 14) === (when === 'before') && (checked === 'all' || checked.includes(number)),
    );
    for (const invariant of chosen) invariant.check(world);
  };
  try {
    await happen(world, scenario);
    check('before');
    await recover(world, scenario, checked === 'all' || checked.includes(15));
    check('after');
  } catch (error) {
    if (error instanceof InvariantBroken) error.message += `\n${timeline(world.history)}`;
    throw error;
  }
}

async function happen(world: World, scenario: Scenario): Promise<void> {
  const { sets, program } = scenario;
  for (const { ref } of sets) begin(world, ref, scenario);
  if (!scenario.fresh) for (const { ref, parameters } of sets) await world.time.run(world.seed(ref, parameters));
  await world.time.runUntil(world.nowMs() + scenario.beginAfterMs);
  const first = await Promise.all(sets.map(({ ref, parameters }) => world.stored(ref, parameters)));
  world.faults.start();
  await world.time.run(Promise.all(program.map((deeds, actor) => act(world, scenario, actor, deeds, first))));
  // Until whoever was frozen, perhaps more than once, has done what it held: only then can anything be called lost.
  const frozenMs = scenario.faults.reduce((sum, { ms }) => sum + ms, 0);
  await world.time.runUntil(world.nowMs() + HOUR / 2 + frozenMs);
  world.faults.stop();
}

function begin(world: World, ref: AccountRef, { wrongPassword }: Scenario): void {
  if (world.secretOf(ref)) return;
  world.provider.setPassword(ref.account, 'right');
  world.setSecret(ref, { user: ref.account, password: wrongPassword ? 'wrong' : 'right' });
}

type Reportable = { fingerprint: string; generation: number } | undefined;

async function act(world: World, scenario: Scenario, actor: number, deeds: readonly Deed[], first: readonly Reportable[]): Promise<void> {
  for (const deed of deeds) {
    await world.time.sleepUntil(world.nowMs() + deed.afterMs);
    try {
      await perform(world, scenario, actor, deed, first);
    } catch (error) {
      // An outage is an answer like any other; a mistake is not.
      if (!(error instanceof TokenVendingError) || error.code === 'internal') throw error;
    }
  }
}

async function perform(world: World, { sets }: Scenario, actor: number, deed: Deed, first: readonly Reportable[]): Promise<void> {
  const wanted = sets[deed.set % sets.length];
  if (!wanted) return;
  const { ref, parameters } = wanted;
  const key = keyOf(ref, parameters);
  const secret = world.secretOf(ref);
  const user = secret?.user ?? ref.account;
  switch (deed.what) {
    case 'vend': {
      const reported = deed.report === 'older' ? first[deed.set % sets.length] : deed.report && (await world.stored(ref, parameters));
      const { fingerprint: rejected, generation } = reported ?? {};
      await world.vend(actor, { caller: `caller ${actor}`, ref, parameters, minTtlSeconds: deed.minTtlSeconds ?? 0, rejected }, generation);
      return;
    }
    case 'due': {
      const dueAtMs = world.raw.tokenSetAt(key)?.dueAtMs;
      if (dueAtMs !== undefined) await world.invoke({ command: 'renew_due', key, dueAtMs });
      return;
    }
    case 'revoke':
      await world.invoke({ command: 'revoke', ref, parameters });
      return;
    case 'reset':
      await world.invoke({ command: 'reset', ref, parameters });
      return;
    case 'check':
      await world.invoke({ command: 'check', ref });
      return;
    case 'tell_secret_changed':
      await world.invoke({ command: 'secret_changed', ref });
      return;
    case 'delete':
      return world.deleteItem(key);
    case 'rotate_secret':
      return world.setSecret(ref, { user, password: 'right', host: secret?.host ?? 'idp.example' });
    case 'break_secret':
      return world.setSecret(ref, { user, password: 'wrong', host: secret?.host ?? 'idp.example' });
    case 'mend_secret':
      return mend(world, ref);
    case 'change_user':
      world.provider.setPassword(`${ref.account} two`, 'right');
      return world.setSecret(ref, { user: `${ref.account} two`, password: 'right', host: secret?.host ?? 'idp.example' });
    case 'change_host':
      return world.setSecret(ref, { user, password: 'right', host: 'elsewhere.example' });
    case 'delete_secret':
      return world.deleteSecret(ref);
    case 'break_password':
      return world.provider.setPassword(user, 'changed at the provider');
  }
}

function mend(world: World, ref: AccountRef): void {
  const secret = world.secretOf(ref);
  const user = secret?.user ?? ref.account;
  world.provider.setPassword(user, 'right');
  world.setSecret(ref, { user, password: 'right', host: secret?.host ?? 'idp.example' });
}

/** 15, and "bricks no account": a day after the last fault every account with good credentials vends again, at the first call. */
async function recover(world: World, { sets }: Scenario, mustVend: boolean): Promise<void> {
  for (const { ref } of sets) mend(world, ref);
  await world.time.runUntil(world.nowMs() + 25 * HOUR);
  for (const { ref, parameters } of sets) {
    const outcome = await world.time.run(world.vend(0, { caller: 'the last one', ref, parameters, minTtlSeconds: 0 }));
    const mayNeedPerson = mayBeLost(world) && outcome.kind === 'refused' && outcome.refusal.reason === 'needs_consent';
    if (mustVend && outcome.kind !== 'answered' && !mayNeedPerson)
      throw new InvariantBroken(15, 'an account does not recover', { outcome, ref, parameters });
  }
}

/** Where only a person can log in, a session that the provider ended, or a rotated token whose answer was lost, is gone. */
function mayBeLost({ traits, faults }: World): boolean {
  return traits.loginNeedsPerson && (traits.rotation.kind !== 'none' || faults.has('session_ended', 'unknown_code'));
}

/** @returns deeds of one kind or another, close together or far apart */
export function someDeeds(kinds: readonly Partial<Deed>[], waitsMs: readonly number[], most: number): fc.Arbitrary<Deed[]> {
  const one = fc.record({ afterMs: fc.constantFrom(...waitsMs), kind: fc.constantFrom(...kinds), set: fc.nat(3) });
  return fc.array(
    one.map(({ afterMs, kind, set }): Deed => Object.assign({ afterMs, set, what: 'vend' as const }, kind)),
    { minLength: 1, maxLength: most },
  );
}
