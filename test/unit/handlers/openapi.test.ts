import { describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { CallerRules } from '../../../functions/core/caller.ts';
import { openApiDocument } from '../../../functions/handlers/openapi.ts';
import { problems } from '../../../functions/handlers/problem.ts';
import { isReserved } from '../../../functions/handlers/schemas.ts';
import { providersById } from '../../../functions/providers/index.ts';
import { anyCall, routes } from '../../../functions/routes.ts';
import type { Route } from '../../../functions/routes.ts';
import { theProviders } from '../../support/http-calls.ts';

interface Operation {
  operationId: string;
  security: object[];
  requestBody?: object;
  responses: Record<string, { description: string }>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { anyOf?: { title: string; properties: object; additionalProperties: boolean }[] }> };
}

const jwt: CallerRules = { kind: 'jwt', issuer: 'https://login.example.com/', scope: 'tokens:vend' };
const iam: CallerRules = { kind: 'iam' };

function theDocument(callers: CallerRules = iam, providers = providersById()): Document {
  return JSON.parse(JSON.stringify(openApiDocument(providers, callers)));
}

function operationOf(route: Route): Operation | undefined {
  return theDocument().paths[route.path]?.[route.method.toLowerCase()];
}

const described = routes.filter((route) => route.method !== '$default');

describe('the OpenAPI document', () => {
  test.each([iam, jwt])('is valid OpenAPI 3.1 for callers by $kind', async (callers) => {
    const validator = new Validator();
    const result = await validator.validate({ ...theDocument(callers) });
    expect([result.errors, validator.version]).toEqual([undefined, '3.1']);
  });

  test('describes every route, and nothing that is none', () => {
    const documented = Object.entries(theDocument().paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.toSorted()).toEqual(described.map((route) => `${route.method} ${route.path}`).toSorted());
  });

  test.each(described.map((route) => [route.id, route] as const))('names every status of %s, and each code under it', (_, route) => {
    const responses = operationOf(route)?.responses ?? {};
    expect(Object.keys(responses)).toContain(String(route.success.status));
    const missing = [...route.errors, ...anyCall].filter((code) => !responses[problems[code].status]?.description.includes(code));
    expect(missing).toEqual([]);
  });

  test.each(described.map((route) => [route.id, route] as const))('asks for a caller where %s does', (_, route) => {
    expect(operationOf(route)?.security).toEqual(route.auth === 'caller' ? [{ caller: [] }] : []);
  });

  test('takes the parameters of every provider beside the reserved ones', () => {
    const { schemas } = theDocument(iam, theProviders).components;
    const [schema] = schemas['VendRequest']?.anyOf ?? [];
    expect(Object.keys(schema?.properties ?? {})).toEqual(['profile', 'team', 'min_ttl', 'rejected']);
    expect(schema).toMatchObject({ title: 'demo', additionalProperties: false });
  });
});

describe('the parameters of providers', () => {
  test('have no reserved names', () => {
    const offered = (theDocument().components.schemas['RevokeRequest']?.anyOf ?? []).flatMap(({ title, properties }) =>
      Object.keys(properties).map((name) => ({ title, name })),
    );
    expect(offered.filter(({ name }) => isReserved(name))).toEqual([]);
  });

  test.each(['min_ttl', 'rejected', 'grant_type', 'client_id', 'client_secret', 'client_assertion'])('may not be %s', (name) => {
    expect(isReserved(name)).toBe(true);
  });
});
