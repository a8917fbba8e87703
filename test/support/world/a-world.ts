import { sample, scheduler } from 'fast-check';
import { keyOf, type AccountRef, type TokenParameters } from '../../../functions/core/token-set.ts';
import type { VendCommand } from '../../../functions/core/vend-token.ts';
import { strictRotation } from './fake-provider.ts';
import type { Call, Vend } from './history.ts';
import { World } from './world.ts';
import type { WorldOptions } from './world-options.ts';

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;

/** The account that the plain tests use. */
export const main: AccountRef = { provider: 'fake', account: 'main' };
export const mainKey = keyOf(main, {});

/** @returns a world with one account whose secret is good; its interleavings are drawn once and stay the same */
export function aWorld(options: Partial<WorldOptions> = {}): World {
  const [drawn] = sample(scheduler(), { numRuns: 1, seed: options.seed ?? 7 });
  if (!drawn) throw new Error('No scheduler was drawn.');
  const world = new World({ scheduler: drawn, behaviour: strictRotation, ...options });
  world.provider.setPassword(main.account, 'right');
  world.setSecret(main, { user: main.account, password: 'right' });
  return world;
}

/** What a caller may say besides the account. */
export type Asking = Partial<Pick<VendCommand, 'parameters' | 'minTtlSeconds' | 'rejected'>> & { vendor?: number };

/** One vend of the account. */
export function vend(world: World, { vendor = 0, parameters = {}, minTtlSeconds = 0, rejected }: Asking = {}): Promise<Vend['outcome']> {
  return world.time.run(start(world, { vendor, parameters, minTtlSeconds, rejected }));
}

/** A vend that begins now and runs when the world does. */
export function start(world: World, { vendor = 0, parameters = {}, minTtlSeconds = 0, rejected }: Asking = {}): Promise<Vend['outcome']> {
  return world.vend(vendor, { caller: `caller ${vendor}`, ref: main, parameters, minTtlSeconds, rejected });
}

/** Lets time pass. */
export function pass(world: World, ms: number): Promise<void> {
  return world.time.runUntil(world.nowMs() + ms);
}

/** @returns the requests of a kind that the provider has seen */
export function calls(world: World, sent: Call['sent']): Call[] {
  return world.history.filter((event): event is Call => event.kind === 'call' && event.sent === sent);
}

/** @returns the fingerprint that a caller would report of what is stored now */
export async function fingerprint(world: World, parameters: TokenParameters = {}): Promise<string> {
  const stored = await world.stored(main, parameters);
  if (!stored) throw new Error('Nothing is stored.');
  return stored.fingerprint;
}
