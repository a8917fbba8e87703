import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAuthority } from '../../infra/local/authority.ts';
import { startOidcServer } from '../support/oidc-server.ts';
import type { OidcServer } from '../support/oidc-server.ts';
import { createBench, tokensOf } from '../support/provider-bench.ts';

let server: OidcServer;
let bench: ReturnType<typeof createBench>;

beforeAll(async () => {
  const authority = await createAuthority();
  server = await startOidcServer(authority);
  bench = createBench({ privateOrigins: [server.issuer], authorities: { [server.issuer]: authority.caPem } });
});

afterAll(() => server.close());

function account(over: object = {}) {
  return bench.account('movingimage', { issuer: server.issuer, ...server.user, ...over });
}

describe('movingimage against a real OpenID Connect server', () => {
  test('logs in at the discovered endpoint and gets a living token with the clock of the answer', async () => {
    const tokens = tokensOf(await account().login());
    expect(await server.lives(tokens.accessToken.reveal())).toBe(true);
    expect(tokens).toMatchObject({ origin: server.issuer, scope: 'openid', expiresAtMs: tokens.obtainedAtMs + 300_000 });
    expect(tokens.refreshExpiresAtMs).toBeUndefined();
  });

  test('renews by refresh over and over, with the newest refresh token', async () => {
    let tokens = tokensOf(await account().login());
    const first = tokens;
    for (let n = 0; n < 3; n += 1) tokens = tokensOf(await account().refresh(tokens));
    expect(tokens.refreshToken?.reveal()).not.toBe(first.refreshToken?.reveal());
    expect(await server.lives(tokens.accessToken.reveal())).toBe(true);
  });

  test('a replayed refresh token is refused and ends the whole grant, as the trait says', async () => {
    const first = tokensOf(await account().login());
    const second = tokensOf(await account().refresh(first));
    expect(await account().refresh(first)).toMatchObject({ failure: 'refresh_refused', providerError: 'invalid_grant' });
    expect(await account().refresh(second)).toMatchObject({ failure: 'refresh_refused' });
    expect(server.events).toContain('grant.revoked');
    expect(await account().login()).toMatchObject({ kind: 'ok' });
  });

  test('a revocation ends the access token too', async () => {
    const tokens = tokensOf(await account().login());
    expect(await account().revoke(tokens)).toEqual({ kind: 'ok' });
    expect(await server.lives(tokens.accessToken.reveal())).toBe(false);
    expect(await account().refresh(tokens)).toMatchObject({ failure: 'refresh_refused' });
  });

  test('a bad password is a refused log-in', async () => {
    expect(await account({ password: 'another' }).login()).toMatchObject({
      failure: 'credentials_refused',
      providerError: 'invalid_grant',
    });
  });

  test('an unknown client is a refused client, and spends nothing', async () => {
    const refused = { failure: 'client_refused', spent: 'no', providerError: 'invalid_client' };
    expect(await account({ client_id: 'nobody' }).login()).toMatchObject(refused);
    expect(await account({ client_id: 'confidential', client_secret: 'wrong' }).login()).toMatchObject(refused);
  });

  test('a confidential client sends its secret', async () => {
    const confidential = account({ client_id: 'confidential', client_secret: 'not-a-real-client-secret' });
    const tokens = tokensOf(await confidential.login());
    expect(await confidential.refresh(tokens)).toMatchObject({ kind: 'ok' });
  });

  test('an issuer without a configuration document is unreadable, and nothing is spent', async () => {
    const other = account({ issuer: `${server.issuer}/elsewhere` });
    expect(await other.login()).toMatchObject({ failure: 'unreadable', spent: 'no', code: 'discovery_http_404' });
  });

  test('no secret could be read anywhere in all of this', () => {
    expect(bench.leaks()).toEqual([]);
  });
});
