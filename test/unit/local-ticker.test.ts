import { expect, test } from '@jest/globals';
import { startTicker } from '../../infra/local/ticker.ts';

test('the ticker never starts a tick while one is under way, and its stop waits for that one', async () => {
  const second = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  let begun = 0;
  let under = 0;
  let most = 0;
  const stop = startTicker(1, async () => {
    begun += 1;
    under += 1;
    most = Math.max(most, under);
    if (begun === 2) second.resolve();
    if (begun >= 2) await release.promise;
    under -= 1;
  });
  await second.promise;
  const stopped = stop();
  release.resolve();
  await stopped;
  expect({ begun, under, most }).toEqual({ begun: 2, under: 0, most: 1 });
});
