import { expect, test } from '@jest/globals';
import { createDiscovery } from '../../../functions/core/discovery.ts';
import { handClock } from '../../support/ports.ts';
import { answerOf } from '../../support/planned-fetch.ts';
import { credentialsOf, providerOf } from '../../support/provider-bench.ts';

test('documents are kept of the five hundred issuers that were asked last, and the oldest is asked for again', async () => {
  const clock = handClock(1_769_904_307_123);
  const asked: string[] = [];
  const fetch = async ({ url }: { url: string }) => {
    asked.push(url);
    const { origin } = new URL(url);
    return { answer: answerOf({ body: { issuer: origin, token_endpoint: `${origin}/token` } }, clock.nowMs()) };
  };
  const provider = providerOf('movingimage');
  const find = createDiscovery({ fetch, clock });
  const look = (index: number) => {
    const credentials = credentialsOf(provider, { username: 'jo', password: 'secret', issuer: `https://issuer-${index}.example` });
    return find(provider, credentials, clock.nowMs() + 10_000);
  };
  for (let index = 0; index <= 500; index++) await look(index);
  await look(1);
  expect(asked).toHaveLength(501);
  expect(await look(0)).toEqual({ token: 'https://issuer-0.example/token' });
  expect(asked).toHaveLength(502);
});
