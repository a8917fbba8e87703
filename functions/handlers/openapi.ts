import * as z from 'zod/mini';
import type { CallerRules } from '../core/caller.ts';
import type { Provider } from '../core/provider.ts';
import { anyCall, routes } from '../routes.ts';
import type { Route } from '../routes.ts';
import { answerSchemas } from './answer-schemas.ts';
import { problems } from './problem.ts';
import { vendOptions } from './schemas.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * The interface as OpenAPI 3.1, built from the schemas that requests are read with. Loaded only when somebody asks for it.
 *
 * @param providers whose token parameters the requests take
 * @param callers how callers prove who they are
 * @see https://spec.openapis.org/oas/v3.1.1.html
 */
export function openApiDocument(providers: ReadonlyMap<string, Provider>, callers: CallerRules): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    if (route.method === '$default') continue;
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route, [...providers.keys()], callers) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Token vending',
      version: '1.0.0',
      description: 'Short-lived access tokens of video platforms, for apps that never hold a credential.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: { schemas: componentSchemas([...providers.values()]), securitySchemes: { caller: securityScheme(callers) } },
  };
}

function operation(route: Route, providerIds: readonly string[], callers: CallerRules): Json {
  return {
    operationId: route.id,
    summary: route.summary,
    security: route.auth === 'none' ? [] : [{ caller: [] }],
    ...(route.path.includes('{') ? { parameters: pathParameters(providerIds) } : {}),
    ...(route.query === undefined ? {} : { parameters: [queryParameter(route.query)] }),
    ...(route.request === undefined
      ? {}
      : { requestBody: { required: false, content: { 'application/json': { schema: reference(route.request) } } } }),
    responses: { ...problemResponses(route, callers), [route.success.status]: success(route) },
  };
}

function pathParameters(providerIds: readonly string[]): readonly Json[] {
  return [
    { name: 'provider', in: 'path', required: true, schema: { type: 'string', enum: providerIds } },
    { name: 'account', in: 'path', required: true, schema: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' } },
  ];
}

function queryParameter(name: NonNullable<Route['query']>): Json {
  return { name, in: 'query', required: false, description: 'The "next" of the page before', schema: { type: 'string' } };
}

function success({ success: { status, schema, page } }: Route): Json {
  const headers = { 'Cache-Control': { schema: { type: 'string', const: 'no-store' } } };
  if (page) return { description: 'The page', headers, content: { 'text/html': { schema: { type: 'string' } } } };
  if (schema === undefined) return { description: 'Done', headers };
  return { description: status === 200 ? 'The answer' : 'Done', headers, content: { 'application/json': { schema: reference(schema) } } };
}

/** Several codes share a status; each is named in the description and is the body's `code`. */
function problemResponses(route: Route, callers: CallerRules): Json {
  const codes = [...route.errors, ...anyCall];
  const gateway = gatewayStatuses(route, callers);
  const statuses = new Set([...codes.map((code) => problems[code].status), ...gateway]);
  return Object.fromEntries(
    [...statuses].map((status) => {
      const ours = codes.filter((code) => problems[code].status === status);
      const theirs = gateway.includes(status) ? ['API Gateway itself'] : [];
      return [
        status,
        { description: [...ours, ...theirs].join(', '), ...retryAfter(ours), content: contentOf(ours.length > 0, theirs.length > 0) },
      ];
    }),
  );
}

function retryAfter(codes: readonly (keyof typeof problems)[]): Json {
  const told = codes.some((code) => problems[code].retryAfterSeconds !== undefined);
  return told ? { headers: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } } } : {};
}

function contentOf(ours: boolean, theirs: boolean): Json {
  return {
    ...(ours ? { 'application/problem+json': { schema: reference('Problem') } } : {}),
    ...(theirs ? { 'application/json': { schema: reference('GatewayMessage') } } : {}),
  };
}

/** A JWT that is missing or wrong is 401, one without the scope 403; whatever is wrong with a signature is 403. */
function gatewayStatuses({ auth }: Route, { kind }: CallerRules): readonly number[] {
  const everywhere = [413, 429, 500, 503];
  if (auth === 'none') return everywhere;
  return kind === 'jwt' ? [401, 403, ...everywhere] : [403, ...everywhere];
}

function securityScheme({ kind }: CallerRules): Json {
  if (kind === 'jwt') return { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' };
  return {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: 'AWS Signature Version 4, service execute-api',
    'x-amazon-apigateway-authtype': 'awsSigv4',
  };
}

function componentSchemas(providers: readonly Provider[]): Json {
  const options = objectOf(schemaOf(vendOptions)['properties']);
  const anyOf = (extra: Json) => ({ anyOf: providers.map((provider) => requestSchema(provider, extra)) });
  return {
    ...Object.fromEntries(Object.entries(answerSchemas).map(([name, schema]) => [name, schemaOf(schema)])),
    VendRequest: anyOf(options),
    RevokeRequest: anyOf({}),
    ResetRequest: anyOf({}),
  };
}

/** The provider's token parameters and what every provider's requests take besides. */
function requestSchema({ id, parameters }: Provider, extra: Json): Json {
  if (!isZod(parameters)) throw new Error(`the parameters of ${id} are no zod schema`);
  const schema = schemaOf(parameters);
  return { title: id, ...schema, properties: { ...objectOf(schema['properties']), ...extra } };
}

/** By its mark: naming the class would put all of zod's languages into the bundle. */
function isZod(schema: object): schema is z.core.$ZodType {
  return '_zod' in schema;
}

function schemaOf(schema: z.core.$ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function reference(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}
