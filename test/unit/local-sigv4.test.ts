import { describe, expect, test } from '@jest/globals';
import { verifySignature, type SignedRequest } from '../../infra/local/gateway/sigv4.ts';

// Recorded from `curl --aws-sigv4 "aws:amz:eu-central-1:execute-api"`, version 7.88.1.
const fromCurl: SignedRequest = {
  method: 'POST',
  path: '/v1/tokens/vidizmo/main',
  query: '',
  headers: {
    host: '127.0.0.1:39871',
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIALOCALDEVELOPMENT/20261123/eu-central-1/execute-api/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=26e478f128e66e3f53b7b4f843b225434e06367243028bd2e1ff2ac3acc199fb',
    'x-amz-date': '20261123T014328Z',
    'user-agent': 'curl/7.88.1',
    accept: '*/*',
    'content-type': 'application/json',
    'content-length': '15',
  },
  body: Buffer.from('{"min_ttl": 60}'),
};
const signedAtMs = Date.parse('2026-11-23T01:43:28Z');
const rules = {
  region: 'eu-central-1',
  service: 'execute-api',
  credentialOf: (id: string) => (id === 'AKIALOCALDEVELOPMENT' ? { secretAccessKey: 'not-a-secret-only-an-example' } : undefined),
  nowMs: signedAtMs + 1_000,
};
const withHeaders = (headers: Record<string, string>): SignedRequest => ({ ...fromCurl, headers: { ...fromCurl.headers, ...headers } });
const authorization = fromCurl.headers['authorization'] ?? '';

describe('a signature of version 4', () => {
  test("that curl made names curl's access key", () => {
    expect(verifySignature(fromCurl, rules)).toBe('AKIALOCALDEVELOPMENT');
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-test-suite.html: get-vanilla and get-vanilla-query-order-key-case
  test.each([
    ['', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    ['Param2=value2&Param1=value1', 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500'],
  ])("of AWS's own test suite is right (query %j)", (query, signature) => {
    const request: SignedRequest = {
      method: 'GET',
      path: '/',
      query,
      headers: {
        host: 'example.amazonaws.com',
        'x-amz-date': '20150830T123600Z',
        authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
      },
      body: Buffer.alloc(0),
    };
    const suite = {
      region: 'us-east-1',
      service: 'service',
      credentialOf: () => ({ secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }),
      nowMs: Date.parse('2015-08-30T12:36:00Z'),
    };
    expect(verifySignature(request, suite)).toBe('AKIDEXAMPLE');
  });

  test.each<[string, SignedRequest]>([
    ['another method', { ...fromCurl, method: 'PUT' }],
    ['another path', { ...fromCurl, path: '/v1/tokens/vidizmo/other' }],
    ['a query', { ...fromCurl, query: 'a=1' }],
    ['another body', { ...fromCurl, body: Buffer.from('{"min_ttl": 61}') }],
    ['another host', withHeaders({ host: '127.0.0.1:39872' })],
    ['another signed header', withHeaders({ 'content-type': 'text/plain' })],
    ['another time', withHeaders({ 'x-amz-date': '20261123T014329Z' })],
    ['a body hash that says "unsigned"', withHeaders({ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' })],
    ['a session token that its key does not have', withHeaders({ 'x-amz-security-token': 'anything' })],
    ['an unknown access key', withHeaders({ authorization: authorization.replace('AKIALOCAL', 'AKIAOTHER') })],
    ['another region', withHeaders({ authorization: authorization.replace('eu-central-1', 'us-east-1') })],
    ['an unsigned host', withHeaders({ authorization: authorization.replace(';host;', ';') })],
    ['another signature', withHeaders({ authorization: authorization.replace('26e4', '26e5') })],
    ['no authorization', withHeaders({ authorization: '' })],
  ])('does not pass with %s', (_, request) => {
    expect(verifySignature(request, rules)).toBeUndefined();
  });

  test.each([
    [-5 * 60_000 - 2_000, undefined],
    [-5 * 60_000, 'AKIALOCALDEVELOPMENT'],
    [5 * 60_000, 'AKIALOCALDEVELOPMENT'],
    [5 * 60_000 + 2_000, undefined],
  ])('made %d ms before it is read gives %s', (ageMs, accessKey) => {
    expect(verifySignature(fromCurl, { ...rules, nowMs: signedAtMs + ageMs })).toBe(accessKey);
  });

  test('passes at any time and for any service where the rules name none, and not with another key', () => {
    const lax = { ...rules, service: undefined, nowMs: undefined };
    expect(verifySignature(fromCurl, lax)).toBe('AKIALOCALDEVELOPMENT');
    expect(verifySignature(fromCurl, { ...lax, credentialOf: () => ({ secretAccessKey: 'guessed' }) })).toBeUndefined();
    expect(verifySignature({ ...fromCurl, body: Buffer.from('{}') }, lax)).toBeUndefined();
  });

  test('passes with the session token that belongs to its key only', () => {
    const temporary = { secretAccessKey: 'not-a-secret-only-an-example', sessionToken: 'the session' };
    const withSession = { ...rules, credentialOf: () => temporary };
    expect(verifySignature(fromCurl, withSession)).toBeUndefined();
    expect(verifySignature(withHeaders({ 'x-amz-security-token': 'the session' }), withSession)).toBe('AKIALOCALDEVELOPMENT');
  });
});
