import { createServer } from 'node:http';
import { Sha256 } from '@aws-crypto/sha256-js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SignatureV4 } from '@smithy/signature-v4';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { startGateway, type Gateway, type GatewayOptions } from '../../infra/local/gateway/gateway.ts';
import { assumedRole, createIamAuthorizer } from '../../infra/local/gateway/iam-authorizer.ts';
import { createJwtAuthorizer } from '../../infra/local/gateway/jwt-authorizer.ts';
import { close, listen } from '../../infra/local/listen.ts';
import { LocalFunctions, type Handler } from '../../infra/local/local-functions.ts';

const vendPath = '/v1/tokens/vidizmo/main';
const iam = assumedRole('ASIALOCALIMPORTER', '111122223333', 'importer', 'session-1');
const credentials = { accessKeyId: iam.accessKey, secretAccessKey: 'only an example', sessionToken: 'a session' };
const signed = createIamAuthorizer(new Map([[iam.accessKey, { ...credentials, iam }]]));

function soon(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

describe('the local gateway', () => {
  let functions: LocalFunctions;
  let events: unknown[];
  let gateway: Gateway;
  let handle: Handler;
  const start = async (options: Partial<GatewayOptions> = {}) => {
    gateway = await startGateway({ functions, nameOf: (stem) => stem, authorizer: async () => ({ authorizer: { iam } }), ...options });
  };
  const call = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${gateway.port}${path}`, init);
  const vend = (bearer: string) => call(vendPath, { method: 'POST', headers: { authorization: `Bearer ${bearer}` } });

  beforeEach(() => {
    functions = new LocalFunctions();
    events = [];
    handle = () => ({ statusCode: 200, headers: { 'Content-Type': 'application/json' }, body: '{"ok":true}' });
    for (const name of ['vend-token', 'manage-accounts']) {
      functions.add(name, {
        timeoutMs: 1_000,
        handler: (event, context) => {
          events.push(event);
          return handle(event, context);
        },
      });
    }
  });
  afterEach(() => gateway.close());

  test('makes the event that API Gateway makes', async () => {
    await start();
    const answer = await call(`${vendPath}?a=1&b=%20x&a=2`, {
      method: 'POST',
      headers: [
        ['X-Twice', 'one'],
        ['X-Twice', 'two'],
        ['Cookie', 'c=1; d=2'],
        ['Content-Type', 'application/json'],
      ],
      body: '{}',
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ ok: true });
    expect(events).toEqual([
      expect.objectContaining({
        version: '2.0',
        routeKey: 'POST /v1/tokens/{provider}/{account}',
        rawPath: vendPath,
        rawQueryString: 'a=1&b=%20x&a=2',
        queryStringParameters: { a: '1,2', b: ' x' },
        pathParameters: { provider: 'vidizmo', account: 'main' },
        cookies: ['c=1', 'd=2'],
        headers: expect.objectContaining({ 'x-twice': expect.stringMatching(/^one, ?two$/), 'content-type': 'application/json' }),
        body: '{}',
        isBase64Encoded: false,
        requestContext: expect.objectContaining({
          accountId: '111122223333',
          stage: '$default',
          authorizer: { iam },
          http: expect.objectContaining({ method: 'POST', path: vendPath, sourceIp: '127.0.0.1' }),
        }),
      }),
    ]);
    expect(events[0]).not.toHaveProperty('headers.cookie');
  });

  test('gives event and answer one id, and each call another', async () => {
    await start();
    const answers = [await call(vendPath, { method: 'POST' }), await call(vendPath, { method: 'POST' })];
    const ids = answers.map(({ headers }) => headers.get('apigw-requestid'));
    expect(events).toEqual(ids.map((requestId) => expect.objectContaining({ requestContext: expect.objectContaining({ requestId }) })));
    expect(new Set(ids).size).toBe(2);
    expect((await call(vendPath, { method: 'POST', body: Buffer.alloc(10 * 1024 * 1024 + 1) })).headers.get('apigw-requestid')).toMatch(
      /./,
    );
  });

  test.each(['__proto__', 'constructor', 'toString'])('hands over a query parameter that is named %s', async (name) => {
    await start();
    await call(`${vendPath}?${name}=1&${name}=2`, { method: 'POST' });
    expect(events).toEqual([expect.objectContaining({ queryStringParameters: Object.fromEntries([[name, '1,2']]) })]);
  });

  test('hands over a body that is no text as base64, and none as nothing', async () => {
    await start();
    await call(vendPath, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: new Uint8Array([0, 255]) });
    await call(vendPath, { method: 'POST' });
    expect(events[0]).toMatchObject({ body: 'AP8=', isBase64Encoded: true });
    expect(events[1]).toMatchObject({ isBase64Encoded: false });
    expect(events[1]).not.toHaveProperty('body');
  });

  test('leaves unknown paths and other methods of known ones to the default route, without asking who calls', async () => {
    await start({ authorizer: async () => ({ status: 403, message: 'Forbidden' }) });
    await call('/nowhere');
    await call(vendPath);
    await call('/v1/openapi.json');
    expect(events).toEqual([
      expect.objectContaining({ routeKey: '$default' }),
      expect.objectContaining({ routeKey: '$default' }),
      expect.objectContaining({ routeKey: 'GET /v1/openapi.json' }),
    ]);
  });

  test('answers 500 for a function that throws', async () => {
    await start();
    handle = () => {
      throw new Error('no');
    };
    const thrown = await call(vendPath, { method: 'POST' });
    expect([thrown.status, await thrown.json()]).toEqual([500, { message: 'Internal Server Error' }]);
  });

  test('answers 503 for a function that takes too long', async () => {
    await start({ integrationTimeoutMs: 30 });
    const never = Promise.withResolvers<unknown>();
    handle = () => never.promise;
    const late = await call(vendPath, { method: 'POST' });
    expect([late.status, await late.json()]).toEqual([503, { message: 'Service Unavailable' }]);
    never.resolve({});
  });

  test('answers 413 above 10 MB and 429 above the throttle, and no function hears of it', async () => {
    await start({ throttle: { ratePerSecond: 0.001, burst: 1 } });
    const long = await call(vendPath, { method: 'POST', body: Buffer.alloc(10 * 1024 * 1024 + 1) });
    expect([long.status, await long.json()]).toEqual([413, { message: 'Request Too Long' }]);
    expect((await call(vendPath, { method: 'POST' })).status).toBe(200);
    const many = await call(vendPath, { method: 'POST' });
    expect([many.status, await many.json()]).toEqual([429, { message: 'Too Many Requests' }]);
    expect(events).toHaveLength(1);
  });

  test('sends headers, cookies and a body in base64 as the function gave them', async () => {
    await start();
    handle = () => ({ statusCode: 201, headers: { 'X-A': 'b' }, cookies: ['a=1', 'b=2'], body: 'AP8=', isBase64Encoded: true });
    const answer = await call(vendPath, { method: 'POST' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('x-a')).toBe('b');
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(Buffer.from(await answer.arrayBuffer()).toString('base64')).toBe('AP8=');
  });

  test('knows who signed with @smithy/signature-v4, and refuses whoever did not', async () => {
    await start({ authorizer: signed });
    const signer = new SignatureV4({ service: 'execute-api', region: 'eu-central-1', credentials, sha256: Sha256 });
    const body = '{"min_ttl":60}';
    const request = await signer.sign({
      method: 'POST',
      protocol: 'http:',
      hostname: '127.0.0.1',
      port: gateway.port,
      path: vendPath,
      headers: { host: `127.0.0.1:${gateway.port}`, 'content-type': 'application/json' },
      body,
    });
    expect((await call(vendPath, { method: 'POST', headers: request.headers, body })).status).toBe(200);
    expect(events[0]).toMatchObject({ requestContext: { authorizer: { iam } } });
    const other = await call(vendPath, { method: 'POST', headers: request.headers, body: `${body} ` });
    expect([other.status, await other.json()]).toEqual([403, { message: 'Forbidden' }]);
    expect((await call(vendPath, { method: 'POST' })).status).toBe(403);
  });

  describe('with a JWT issuer', () => {
    const rules = { audience: 'token-vending', scope: 'vend' };
    let issuer: string;
    let stopIssuer: () => Promise<void>;
    let published: object[];
    let fetches: number;
    let key: CryptoKey;
    const publish = async (kid: string) => {
      const pair = await generateKeyPair('RS256', { extractable: true });
      published = [{ ...(await exportJWK(pair.publicKey)), kid, alg: 'RS256', use: 'sig' }];
      key = pair.privateKey;
    };
    const token = (claims: Record<string, unknown> = {}, header: { alg: string; kid: string } = { alg: 'RS256', kid: 'one' }, by = key) =>
      new SignJWT({ iss: issuer, aud: rules.audience, sub: 'importer', scope: 'openid vend', exp: soon(60), ...claims })
        .setProtectedHeader(header)
        .sign(by);

    beforeEach(async () => {
      fetches = 0;
      const server = createServer((request, response) => {
        fetches += 1;
        response.end(JSON.stringify(request.url === '/jwks' ? { keys: published } : { issuer, jwks_uri: `${issuer}/jwks` }));
      });
      issuer = `http://127.0.0.1:${await listen(server)}`;
      stopIssuer = () => close(server);
      await publish('one');
      await start({ authorizer: createJwtAuthorizer({ issuer, ...rules }) });
    });
    afterEach(() => stopIssuer());

    test('gives claims as strings and the scopes as a list', async () => {
      const answer = await vend(await token({ groups: ['a', 'b'], admin: true, nothing: null }));
      expect(answer.status).toBe(200);
      expect(events[0]).toMatchObject({
        requestContext: {
          authorizer: {
            jwt: {
              claims: { iss: issuer, sub: 'importer', scope: 'openid vend', groups: '[a b]', admin: 'true' },
              scopes: ['openid', 'vend'],
            },
          },
        },
      });
      expect(events[0]).not.toHaveProperty('requestContext.authorizer.jwt.claims.nothing');
    });

    test.each<[string, Record<string, unknown>]>([
      ['another issuer', { iss: 'https://other.example' }],
      ['another audience', { aud: 'other' }],
      ['no audience', { aud: undefined }],
      ['an end in the past', { exp: 1_600_000_000 }],
      ['no end', { exp: undefined }],
      ['a beginning in the future', { nbf: 4_000_000_000 }],
      ['a birth in the future', { iat: 4_000_000_000 }],
    ])('answers 401 to a token with %s', async (_, claims) => {
      const answer = await vend(await token(claims));
      expect([answer.status, await answer.json()]).toEqual([401, { message: 'Unauthorized' }]);
      expect(answer.headers.get('www-authenticate')).toContain('invalid_token');
      expect(events).toEqual([]);
    });

    test('answers 403 to a token without the scope, as an ID token is', async () => {
      const answer = await vend(await token({ scope: undefined }));
      expect([answer.status, await answer.json()]).toEqual([403, { message: 'Forbidden' }]);
    });

    test('answers 401 without a token, to one that is none, to one by a foreign key and to one signed with ES256', async () => {
      const foreign = await generateKeyPair('RS256');
      const elliptic = await generateKeyPair('ES256', { extractable: true });
      published.push({ ...(await exportJWK(elliptic.publicKey)), kid: 'ec', alg: 'ES256', use: 'sig' });
      const statuses = [
        (await call(vendPath, { method: 'POST' })).status,
        (await vend('not-a-token')).status,
        (await vend(await token({}, { alg: 'RS256', kid: 'one' }, foreign.privateKey))).status,
        (await vend(await token({}, { alg: 'ES256', kid: 'ec' }, elliptic.privateKey))).status,
      ];
      expect(statuses).toEqual([401, 401, 401, 401]);
    });

    test('follows a new key of the issuer, and fetches the keys no more often than that', async () => {
      await vend(await token());
      await vend(await token());
      expect(fetches).toBe(2);
      await publish('two');
      expect((await vend(await token({}, { alg: 'RS256', kid: 'two' }))).status).toBe(200);
      expect(fetches).toBe(3);
    });
  });
});
