import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createCallProvider } from '../../functions/core/call-provider.ts';
import { Secret } from '../../functions/core/secret.ts';
import { providersById } from '../../functions/providers/index.ts';
import { credentialsIn, demoSecret } from '../support/demo-secret.ts';
import { answerOf } from '../support/planned-fetch.ts';
import { credentialsOf, providerOf } from '../support/provider-bench.ts';
import { recordTelemetry } from '../support/recorded-telemetry.ts';

const NOW = 1_769_904_307_123;
const MARK = 'marked-secret-of-this-test';
const origin = 'https://portal.example';
/** What a provider's endpoints are found by, of whatever kind. */
const discovered = {
  issuer: origin,
  token_endpoint: `${origin}/token`,
  links: [{ rel: 'http://openid.net/specs/connect/1.0/issuer', href: origin }],
};

/** @returns a good secret whose every credential is the mark */
function markedSecret(id: string): object {
  const secret = demoSecret(id, origin);
  return { ...secret, ...Object.fromEntries(credentialsIn(id, secret).map(([name]) => [name, MARK])) };
}

/** Members that the readers look for, with anything in them, next to plain nonsense. */
const names = [
  'data',
  'attributes',
  'access_token',
  'accessToken',
  'refresh_token',
  'expires_in',
  'errors',
  'error',
  'name',
  'message',
  'links',
  '__proto__',
];
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.jsonValue(),
    fc.constantFrom(MARK, `Bearer ${MARK}`, 'a'.repeat(40), 0, -1, 1e300, '300', null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 5 }),
  ),
}));
const body = fc.oneof(
  fc.string({ unit: 'binary' }),
  json.value.map((value) => JSON.stringify(value) ?? ''),
  fc.constant(MARK),
);
const headers = fc.dictionary(fc.constantFrom('retry-after', 'cache-control', 'expires', 'age', 'date', 'content-type'), fc.string());
const answers = fc.record({ status: fc.oneof(fc.constantFrom(200, 201, 204), fc.integer({ min: 200, max: 599 })), headers, body });

describe.each([...providersById().keys()])('%s, whatever it answers', (id) => {
  test('never makes the engine throw, never gives a broken token, and no secret can be read', async () => {
    const provider = providerOf(id);
    const credentials = credentialsOf(provider, markedSecret(id));
    const previous = { accessToken: new Secret(MARK), refreshToken: new Secret(MARK), facts: { video_manager: 2 }, origin };
    await fc.assert(
      fc.asyncProperty(answers, fc.constantFrom('login' as const, 'refresh' as const), async (answer, kind) => {
        const telemetry = recordTelemetry();
        const fetch = async ({ url }: { url: string }) => ({
          answer: answerOf(url.includes('/.well-known/') ? { body: discovered } : answer, NOW),
        });
        const call = createCallProvider({ fetch, clock: { nowMs: () => NOW, sleep: () => Promise.resolve() }, telemetry });
        const input = { credentials, parameters: {}, deadlineMs: NOW + 10_000 };
        const result = await (kind === 'login' ? call(provider, kind, input) : call(provider, kind, { ...input, previous }));
        expect(telemetry.text() + JSON.stringify(result)).not.toContain(MARK);
        const token = result.kind === 'ok' ? result.tokens.accessToken.reveal() : 'none';
        expect(token).toMatch(/^[\x21-\x7e]{1,16384}$/);
        expect(result.kind === 'failed' || result.tokens.expiresAtMs > NOW).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
