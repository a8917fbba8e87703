import { describe, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { AccessToken, VendError } from '../../functions/client/index.ts';
import { fetchWithToken } from '../../functions/client/fetch-with-token.ts';
import type { Fetch } from '../../functions/client/index.ts';
import { close, listen } from '../../infra/local/listen.ts';

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

async function* generated() {
  yield new TextEncoder().encode('a video');
}

function formOf(title: string): FormData {
  const form = new FormData();
  form.append('title', title);
  return form;
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

  test.each([
    ['text', 'a video'],
    ['bytes', new TextEncoder().encode('a video')],
    ['a view', new DataView(new TextEncoder().encode('a video').buffer)],
    ['a buffer', new TextEncoder().encode('a video').buffer],
    ['a blob', new Blob(['a video'])],
    ['a form', formOf('a video')],
    ['fields', new URLSearchParams({ title: 'a video' })],
  ])('sends %s a second time', async (_, body) => {
    const { fetch, seen } = provider('b', unauthorized);
    const answer = await fetchWithToken(tokens().getToken, fetch, {})(url, { method: 'POST', body });
    expect(answer.status).toBe(200);
    expect(seen.map((sent) => sent.body.replace('+', ' ').includes('a video'))).toEqual([true, true]);
  });

  test.each([
    ['a stream', () => new Blob(['a video']).stream()],
    ['a generator', () => generated()],
    ["a stream of Node's", () => Readable.from([Buffer.from('a video')])],
    ['another iterable', () => ({ [Symbol.asyncIterator]: generated })],
  ])('reports the token after refused %s, and does not send it twice', async (_, bodyOf) => {
    const { fetch, seen } = provider('b', unauthorized);
    const { getToken, reported } = tokens();
    const init = { method: 'POST', body: bodyOf(), duplex: 'half' } as const;
    const answer = await fetchWithToken(getToken, fetch, {})(url, init);
    expect([answer.status, await answer.text()]).toEqual([401, 'no']);
    expect(seen.map(({ body }) => body)).toEqual(['a video']);
    expect(reported).toEqual(['print-a']);
  });

  test("sends a Request's body again where it was made from a generator", async () => {
    const { fetch, seen } = provider('b', unauthorized);
    const answer = await fetchWithToken(
      tokens().getToken,
      fetch,
      {},
    )(new Request(url, { method: 'PUT', body: generated(), duplex: 'half' }));
    expect(answer.status).toBe(200);
    expect(seen.map(({ body }) => body)).toEqual(['a video', 'a video']);
  });

  test("sends a second time although the refusal's body broke off", async () => {
    const { fetch, seen } = provider('b', () => {
      return new Response(new ReadableStream({ start: (body) => body.error(new Error('reset')) }), { status: 401 });
    });
    const answer = await fetchWithToken(tokens().getToken, fetch, {})(url);
    expect(answer.status).toBe(200);
    expect(seen).toHaveLength(2);
  });

  test('gives a 400 that does not end without having read all of it', async () => {
    let chunks = 0;
    const endless = () =>
      new ReadableStream({
        pull: (body) => ((chunks += 1) < 1_000 ? body.enqueue(new Uint8Array(1_024)) : body.error(new Error('read all'))),
      });
    const { fetch } = provider('none', () => new Response(endless(), { status: 400 }));
    const answer = await fetchWithToken(tokens().getToken, fetch, {})(url);
    expect(answer.status).toBe(400);
    expect(chunks).toBeLessThan(100);
    await answer.body?.cancel();
  });

  test.each([
    ['its options', (signal: AbortSignal) => ({ input: url, init: { signal } })],
    ['its Request', (signal: AbortSignal) => ({ input: new Request(url, { signal }), init: {} })],
  ])('heeds the signal of %s while it waits for a token', async (_, sentWith) => {
    const { fetch, seen } = provider('a', unauthorized);
    const abort = new AbortController();
    const { input, init } = sentWith(abort.signal);
    const sent = fetchWithToken(async () => new Promise(() => undefined), fetch, {})(input, init);
    abort.abort(new Error('enough'));
    await expect(sent).rejects.toThrow('enough');
    expect(seen).toEqual([]);
  });

  test('heeds its signal while it waits for another token', async () => {
    const { fetch, seen } = provider('none', unauthorized);
    const abort = new AbortController();
    const getToken = async ({ rejected }: { rejected?: string } = {}) => {
      if (rejected === undefined) return tokenOf('a');
      abort.abort(new Error('enough'));
      return new Promise<never>(() => undefined);
    };
    await expect(fetchWithToken(getToken, fetch, {})(url, { signal: abort.signal })).rejects.toThrow('enough');
    expect(seen).toHaveLength(1);
  });

  test('asks for no token when it was aborted before', async () => {
    let asked = 0;
    const getToken = async () => ((asked += 1), tokenOf('a'));
    const sent = fetchWithToken(getToken, provider('a', unauthorized).fetch, {})(url, { signal: AbortSignal.abort(new Error('enough')) });
    await expect(sent).rejects.toThrow('enough');
    expect(asked).toBe(0);
  });

  test("takes another origin's 401 after a redirect for no refusal, because the token was not sent there", async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401).end('no');
    });
    const location = `http://127.0.0.1:${await listen(elsewhere)}/file`;
    const platform = createServer((_, response) => void response.writeHead(302, { location }).end());
    const platformUrl = `http://127.0.0.1:${await listen(platform)}/`;
    const { getToken, reported } = tokens();
    const answer = await fetchWithToken(getToken, fetch, {})(platformUrl);
    expect([answer.status, await answer.text()]).toEqual([401, 'no']);
    expect(seen).toEqual([undefined]);
    expect(reported).toEqual([]);
    await Promise.all([close(elsewhere), close(platform)]);
  });

  test('gives the token to no origin but those that are named', async () => {
    const { fetch, seen } = provider('a', unauthorized);
    const withToken = fetchWithToken(tokens().getToken, fetch, { origins: ['https://api.video.example'] });
    await withToken('https://elsewhere.example/');
    await withToken(url);
    expect(seen.map(({ authorization }) => authorization)).toEqual([null, 'Bearer token-a']);
  });
});
