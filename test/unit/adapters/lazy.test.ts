import { expect, test } from '@jest/globals';
import { lazy } from '../../../functions/adapters/lazy.ts';

test('what is made at the first need is made once for all', async () => {
  let made = 0;
  const client = lazy(async () => ++made);
  expect(made).toBe(0);
  expect(await Promise.all([client(), client()])).toEqual([1, 1]);
  expect(await client()).toBe(1);
});

test('what could not be made is made at the next need', async () => {
  let made = 0;
  const client = lazy(async () => {
    if (++made === 1) throw new Error('not now');
    return made;
  });
  await expect(client()).rejects.toThrow('not now');
  expect(await client()).toBe(2);
});
