import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { bearer, createTokenSource } from '../../functions/client/index.ts';
import type { TokenSource } from '../../functions/client/index.ts';
import { fingerprintOf } from '../../functions/core/token-set.ts';
import { Secret } from '../../functions/core/secret.ts';
import { close, listen } from '../../infra/local/listen.ts';
import { viewLines } from '../../infra/local/log-view.ts';
import { startLocalStack, type LocalStack } from '../../infra/local/stack.ts';

// An app that uses a video platform through the client, the real gateway and the real functions.

/** The platform's API: takes every token but those that it has been told to refuse. */
async function startPlatform() {
  const refused = new Set<string>();
  const seen: string[] = [];
  let answer = { status: 401, body: '' };
  const server: Server = createServer((request, response) => {
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    seen.push(token);
    request.resume().on('end', () => {
      if (!refused.has(token)) return response.end('{"videos":[]}');
      return response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
  });
  const url = `http://127.0.0.1:${await listen(server)}/videos`;
  return { url, seen, refuse: (token: string, how = answer) => void (refused.add(token), (answer = how)), close: () => close(server) };
}

let stack: LocalStack;
let platform: Awaited<ReturnType<typeof startPlatform>>;
let showLines: () => void;
const now = Date.now;
const clock = { aheadMs: 0 };

beforeAll(async () => {
  Date.now = () => now() + clock.aheadMs;
  showLines = viewLines(() => undefined);
  stack = await startLocalStack({ lifeSeconds: 300 });
  platform = await startPlatform();
});
afterAll(async () => {
  await platform.close();
  await stack.stop();
  showLines();
  Date.now = now;
});

function app(account: string, jwt: string = stack.callers.developer.jwt): TokenSource {
  return createTokenSource({ endpoint: stack.url, account, authenticate: bearer(jwt) });
}

describe('an app with the client', () => {
  test('asks the service once for a hundred requests at the same time, and then works from memory', async () => {
    const tokens = app('vidizmo/main');
    const before = stack.aws.counters()['lambda.Invoke'] ?? 0;
    const videoFetch = tokens.withToken();
    const answers = await Promise.all(Array.from({ length: 100 }, () => videoFetch(platform.url)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(new Set(platform.seen).size).toBe(1);
    await tokens.getToken({ minTtlSeconds: 60 });
    expect((stack.aws.counters()['lambda.Invoke'] ?? 0) - before).toBe(1);
  });

  test('names a token as everybody names it', async () => {
    const { accessToken, fingerprint } = await app('vidizmo/main').getToken();
    expect(fingerprint).toBe(fingerprintOf(new Secret(accessToken)));
  });

  test.each([
    ['a 401', 'movingimage/main', { status: 401, body: '' }],
    ["VIDIZMO's 400", 'vidizmo/main', { status: 400, body: '{"name":"ExpiredAccessTokenException"}' }],
  ])('replaces a token that the platform refuses with %s, and nobody notices', async (_, account, how) => {
    const tokens = app(account);
    const first = await tokens.getToken();
    // Within the spacing a renewal would be refused.
    clock.aheadMs += 30_000;
    platform.refuse(first.accessToken, how);
    const answer = await tokens.withToken()(platform.url, { method: 'POST', body: 'a title' });
    expect(answer.status).toBe(200);
    const second = await tokens.getToken();
    expect(second.fingerprint).not.toBe(first.fingerprint);
    expect(platform.seen.at(-1)).toBe(second.accessToken);
  });

  test("gives the platform's refusal where another token is refused as well, after one renewal", async () => {
    const tokens = app('amino/main');
    const { accessToken } = await tokens.getToken();
    platform.refuse(accessToken, { status: 401, body: 'no' });
    // Obtained a moment ago: the service does not renew it again yet.
    const answer = await tokens.withToken()(platform.url);
    expect([answer.status, await answer.text()]).toEqual([401, 'no']);
  });

  test('gets another token when a tenth of the life is left', async () => {
    const tokens = app('movingimage-vms/main');
    const first = await tokens.getToken();
    clock.aheadMs += 0.95 * (first.expiresAtMs - first.obtainedAtMs);
    const second = await tokens.getToken();
    expect(second.fingerprint).not.toBe(first.fingerprint);
  });

  test('is told in fields what was wrong', async () => {
    const stranger = await stack.callers.issuer.sign('stranger');
    await expect(app('vidizmo/main', stranger).getToken()).rejects.toMatchObject({ status: 403, code: 'no_grant', isTransient: false });
    const tooLong = app('vidizmo/main').getToken({ minTtlSeconds: 299 });
    await expect(tooLong).rejects.toMatchObject({ code: 'bad_request', problem: { field: 'min_ttl', maximumSeconds: 180 } });
    await expect(app('vidizmo/main', 'x.y.z').getToken()).rejects.toMatchObject({ status: 401, code: 'gateway_401' });
  });
});
