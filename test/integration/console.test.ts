import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { consoleResponse } from '../../functions/handlers/console.ts';
import { startConsoleProxy, type ConsoleProxy } from '../../infra/console/proxy.ts';
import { viewLines } from '../../infra/local/log-view.ts';
import { startLocalStack, type LocalStack } from '../../infra/local/stack.ts';
import { region } from '../../infra/local/aws/protocol.ts';

// What a browser does with the page is tested in test/console/, in Chromium.

let stack: LocalStack;
let showLines: () => void;
let proxy: ConsoleProxy;

beforeAll(async () => {
  showLines = viewLines(() => undefined);
  stack = await startLocalStack({ callers: 'iam' });
  const { accessKeyId, secretAccessKey } = stack.callers.developer;
  proxy = await startConsoleProxy({ url: stack.url, region, credentials: { accessKeyId, secretAccessKey }, port: 0 });
});
afterAll(async () => {
  await proxy.close();
  await stack.stop();
  showLines();
});

const origin = () => new URL(proxy.url).origin;
const withKey = () => ({ authorization: `Bearer ${proxy.key}` });

describe('the console page', () => {
  test('is served by the deployed routes to anybody, holds no data and loads nothing', async () => {
    const answer = await fetch(`${stack.url}/console`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+';/,
    );
    const page = await answer.text();
    expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    expect(page).not.toContain('vidizmo');
  });

  test('writes nothing as markup', () => {
    expect(consoleResponse().body).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
  });
});

describe("the console's proxy", () => {
  test('serves the same page, and asks for its key before anything else', async () => {
    expect(await (await fetch(proxy.url)).text()).toBe(consoleResponse().body);
    const refused = await fetch(`${origin()}/v1/accounts`);
    expect([refused.status, await refused.json()]).toEqual([401, { message: 'Unauthorized' }]);
    expect((await fetch(`${origin()}/v1/accounts`, { headers: { authorization: 'Bearer guess' } })).status).toBe(401);
  });

  test('signs what the page asks, so that an IAM deployment answers', async () => {
    const answer = await fetch(`${origin()}/v1/accounts`, { headers: withKey() });
    expect(await answer.json()).toMatchObject({ accounts: expect.arrayContaining([expect.objectContaining({ provider: 'vidizmo' })]) });
    const rest = await fetch(`${origin()}/v1/accounts?after=${encodeURIComponent('movingimage/main')}`, { headers: withKey() });
    expect(await rest.json()).toMatchObject({ accounts: [{ provider: 'movingimage-vms' }, { provider: 'vidizmo' }] });
    const reset = await fetch(`${origin()}/v1/accounts/vidizmo/main/reset`, { method: 'POST', headers: withKey(), body: '{}' });
    expect(reset.status).toBe(204);
  });

  test('tells the page of a vend everything but the token', async () => {
    const answer = await fetch(`${origin()}/v1/tokens/vidizmo/main`, { method: 'POST', headers: withKey(), body: '{}' });
    const vended: unknown = await answer.json();
    expect(vended).toMatchObject({ provider: 'vidizmo', fingerprint: expect.any(String), expires_at: expect.any(String) });
    expect(vended).not.toHaveProperty('access_token');
  });

  test('gives problems on as they are', async () => {
    const answer = await fetch(`${origin()}/v1/tokens/vidizmo/nowhere`, { method: 'POST', headers: withKey(), body: '{}' });
    expect([answer.status, await answer.json()]).toEqual([403, expect.objectContaining({ code: 'no_grant' })]);
  });

  test.each(['/v1/openapi.json', '/v1/../console', '/', '/v1/accounts?x=1', '/v2/accounts'])('knows no %s', async (path) => {
    expect((await rawGet(path, new URL(proxy.url).host)).status).toBe(404);
  });

  test('answers nobody who calls it by another name', async () => {
    expect((await rawGet('/console', 'attacker.example')).status).toBe(421);
  });
});

/** As a browser would not: any path, any `Host`. */
function rawGet(path: string, host: string): Promise<{ status: number | undefined; body: string }> {
  const { hostname, port } = new URL(proxy.url);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, headers: { host, ...withKey() } }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    asked.on('error', reject).end();
  });
}
