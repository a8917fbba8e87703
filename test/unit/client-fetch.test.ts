import { describe, expect, test } from '@jest/globals';
import { AccessToken, VendError } from '../../functions/client/index.ts';
import { fetchWithToken } from '../../functions/client/fetch-with-token.ts';
import type { Fetch } from '../../functions/client/index.ts';

function tokenOf(name: string): AccessToken {
  const fields = { obtainedAtMs: 0, expiresAtMs: 300_000, scope: undefined, facts: {} };
  return new AccessToken({ ...fields, accessToken: `token-${name}`, fingerprint: `print-${name}` });
}

/** A provider that takes one token alone, and answers others as told. */
function provider(taken: string, refusal: () => Response) {
  const seen: { authorization: string | null; body: string; url: string }[] = [];
  const fetch: Fetch = async (input, init) => {
    const request = new Request(input, init);
    const authorization = request.headers.get('authorization');
    seen.push({ authorization, body: await request.text(), url: request.url });
    return authorization === `Bearer token-${taken}` ? new Response('here you are') : refusal();
  };
  return { fetch, seen };
}

/** Tokens `a`, then `b` for who reports `a`. */
function tokens(other: () => AccessToken = () => tokenOf('b')) {
  const reported: string[] = [];
  const getToken = async ({ rejected }: { rejected?: string } = {}) => {
    if (rejected === undefined) return tokenOf('a');
    reported.push(rejected);
    return other();
  };
  return { getToken, reported };
}

const unauthorized = () => new Response('no', { status: 401 });
const url = 'https://api.video.example/v1/videos';

describe('a fetch with a token', () => {
  test('adds the header and keeps those of its caller', async () => {
    const { fetch, seen } = provider('a', unauthorized);
    const answer = await fetchWithToken(tokens().getToken, fetch, {})(url, { headers: { accept: 'text/plain' } });
    expect(answer.status).toBe(200);
    expect(seen).toEqual([{ authorization: 'Bearer token-a', body: '', url }]);
  });

  test.each([
    ['a 401', unauthorized],
    ["VIDIZMO's 400 by name", () => Response.json({ name: 'InvalidAccessTokenException' }, { status: 400 })],
    ["VIDIZMO's 400 by its other name", () => Response.json({ name: 'ExpiredAccessTokenException' }, { status: 400 })],
  ])('reports the token after %s and sends once more with another', async (_, refusal) => {
    const { fetch, seen } = provider('b', refusal);
    const { getToken, reported } = tokens();
    const answer = await fetchWithToken(getToken, fetch, {})(url, { method: 'POST', body: 'a video' });
    expect(await answer.text()).toBe('here you are');
    expect(reported).toEqual(['print-a']);
    expect(seen.map(({ authorization, body }) => [authorization, body])).toEqual([
      ['Bearer token-a', 'a video'],
      ['Bearer token-b', 'a video'],
    ]);
  });

  test('sends a second time once, and gives the second refusal as it is', async () => {
    const { fetch, seen } = provider('none', unauthorized);
    const { getToken, reported } = tokens();
    const answer = await fetchWithToken(getToken, fetch, {})(url);
    expect([answer.status, await answer.text()]).toEqual([401, 'no']);
    expect(seen).toHaveLength(2);
    expect(reported).toHaveLength(1);
  });

  test.each([
    ['another 400', () => Response.json({ name: 'ValidationException' }, { status: 400 })],
    ['a 400 that is no JSON', () => new Response('<html>', { status: 400 })],
    ['a 403', () => new Response('no', { status: 403 })],
    ['a 500', () => new Response('no', { status: 500 })],
  ])('takes %s for no refusal of the token, and leaves its body readable', async (_, answerOf) => {
    const { fetch, seen } = provider('none', answerOf);
    const { getToken, reported } = tokens();
    const answer = await fetchWithToken(getToken, fetch, {})(url);
    expect(await answer.text()).not.toBe('');
    expect(seen).toHaveLength(1);
    expect(reported).toEqual([]);
  });

  test("gives the provider's refusal where no other token is to be had", async () => {
    const { fetch } = provider('none', unauthorized);
    const { getToken } = tokens(() => {
      throw new VendError({ status: 429, code: 'too_soon', title: 'Too soon' });
    });
    const answer = await fetchWithToken(getToken, fetch, {})(url);
    expect([answer.status, await answer.text()]).toEqual([401, 'no']);
  });

  test("sends a Request's body again", async () => {
    const { fetch, seen } = provider('b', unauthorized);
    const request = new Request(url, { method: 'PUT', body: 'a title', headers: { 'x-kept': 'yes' } });
    const answer = await fetchWithToken(tokens().getToken, fetch, {})(request);
    expect(answer.status).toBe(200);
    expect(seen.map(({ body }) => body)).toEqual(['a title', 'a title']);
  });

  test('reports the token after a refused stream, and does not send the stream twice', async () => {
    const { fetch, seen } = provider('b', unauthorized);
    const { getToken, reported } = tokens();
    const body = new Blob(['a video']).stream();
    const init = { method: 'POST', body, duplex: 'half' } as const;
    const answer = await fetchWithToken(getToken, fetch, {})(url, init);
    expect(answer.status).toBe(401);
    expect(seen).toHaveLength(1);
    expect(reported).toEqual(['print-a']);
  });

  test('gives the token to no origin but those that are named', async () => {
    const { fetch, seen } = provider('a', unauthorized);
    const withToken = fetchWithToken(tokens().getToken, fetch, { origins: ['https://api.video.example'] });
    await withToken('https://elsewhere.example/');
    await withToken(url);
    expect(seen.map(({ authorization }) => authorization)).toEqual([null, 'Bearer token-a']);
  });
});
