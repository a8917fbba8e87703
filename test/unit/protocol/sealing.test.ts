import { describe, expect, test } from '@jest/globals';
import { keyOf, type TokenSetItem } from '../../../functions/core/token-set.ts';
import { aWorld, calls, main, mainKey, MINUTE, pass, SECOND, vend } from '../../support/world/a-world.ts';
import type { World } from '../../support/world/world.ts';

/** Vends once, alters the stored item behind everybody's back, and vends again after memory forgot. */
async function afterAltering(world: World, alter: (item: TokenSetItem) => TokenSetItem) {
  await vend(world);
  const item = world.raw.tokenSetAt(mainKey);
  if (!item) throw new Error('Nothing is stored.');
  world.raw.plant(mainKey, alter(item));
  await pass(world, 61 * SECOND);
  return vend(world);
}

describe('A sealed token set', () => {
  test.each<[string, (item: TokenSetItem) => TokenSetItem]>([
    ['an earlier life', (item) => ({ ...item, expiresAtMs: (item.expiresAtMs ?? 0) - 1 })],
    ['a longer life', (item) => ({ ...item, expiresAtMs: (item.expiresAtMs ?? 0) + MINUTE })],
    ['another moment of obtaining', (item) => ({ ...item, obtainedAtMs: (item.obtainedAtMs ?? 0) - MINUTE })],
    ['a refresh life that it never had', (item) => ({ ...item, refreshExpiresAtMs: (item.expiresAtMs ?? 0) + MINUTE })],
    ['another generation', (item) => ({ ...item, generation: item.generation + 5 })],
    ['one bit of the value changed', (item) => ({ ...item, sealed: item.sealed?.map((byte, index) => (index === 40 ? byte ^ 1 : byte)) })],
    ['a value that is too short', (item) => ({ ...item, sealed: item.sealed?.subarray(0, 20) })],
    ['another day of its key', (item) => ({ ...item, sealed: item.sealed?.map((byte, index) => (index === 4 ? byte ^ 1 : byte)) })],
  ])('with %s is refused, counted and renewed', async (_what, alter) => {
    const world = aWorld();

    expect(await afterAltering(world, alter)).toMatchObject({ kind: 'answered', from: 'renewal' });
    expect(world.counted).toContain('SealRefused');
    expect(calls(world, 'login')).toHaveLength(2);
  });

  test('that was moved to another item is refused, counted and renewed', async () => {
    const world = aWorld();
    const parameters = { profile: 'a' };
    await vend(world);
    const item = world.raw.tokenSetAt(mainKey);
    if (!item) throw new Error('Nothing is stored.');
    world.raw.plant(keyOf(main, parameters), item);

    const outcome = await vend(world, { parameters });

    expect(outcome.kind === 'answered' && outcome.tokenSet.facts['parameters']).toBe('[["profile","a"]]');
    expect(world.counted).toContain('SealRefused');
  });
});

describe('A disabled key', () => {
  test('fails closed within 5 minutes, for vending and for renewing', async () => {
    const world = aWorld();
    await vend(world);
    world.keysDisabled = true;
    await pass(world, 5 * MINUTE + SECOND);

    expect(await vend(world)).toEqual({ kind: 'failed', code: 'keys_unavailable' });
    expect(await vend(world, { vendor: 1 })).toEqual({ kind: 'failed', code: 'keys_unavailable' });
    expect(calls(world, 'login')).toHaveLength(1);
  });

  test('spends no refresh token and no log-in', async () => {
    const world = aWorld();
    await vend(world);
    await pass(world, 59 * MINUTE);
    world.keysDisabled = true;

    await vend(world);
    world.keysDisabled = false;

    expect(await vend(world)).toMatchObject({ kind: 'answered' });
    expect(calls(world, 'refresh')).toHaveLength(1);
    expect(calls(world, 'login')).toHaveLength(1);
  });
});
