import { awsAccount, region } from '../aws/protocol.ts';
import type { SignedRequest } from './sigv4.ts';

/** What routing found out about a request. */
export interface Routed {
  routeKey: string;
  pathParameters: Readonly<Record<string, string>>;
}

/** The API's made-up id. */
export const apiId = 'local00000';

const TEXT = /^(text\/|application\/(.*[+/])?(json|javascript|xml|x-www-form-urlencoded)\b)/i;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * The event that API Gateway makes of a request: HTTP API, payload format 2.0.
 *
 * @param sent the call's id, which its answer has as well, and the address that it came from
 * @param authorizer `requestContext.authorizer`; undefined on an open route
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function eventOf(
  request: SignedRequest,
  routed: Routed,
  { requestId, sourceIp }: { requestId: string; sourceIp: string },
  authorizer: object | undefined,
) {
  const { cookie, ...headers } = request.headers;
  const path = decoded(request.path);
  const isText = TEXT.test(headers['content-type'] ?? 'text/plain');
  return {
    version: '2.0',
    routeKey: routed.routeKey,
    rawPath: path,
    rawQueryString: request.query,
    ...(cookie === undefined ? {} : { cookies: cookie.split(/; */) }),
    headers: { ...headers, 'x-forwarded-for': sourceIp, 'x-forwarded-proto': 'https', 'x-forwarded-port': '443' },
    ...(request.query === '' ? {} : { queryStringParameters: parametersOf(request.query) }),
    ...(Object.keys(routed.pathParameters).length === 0 ? {} : { pathParameters: routed.pathParameters }),
    requestContext: {
      accountId: awsAccount,
      apiId,
      ...(authorizer === undefined ? {} : { authorizer }),
      domainName: `${apiId}.execute-api.${region}.amazonaws.com`,
      domainPrefix: apiId,
      http: { method: request.method, path, protocol: 'HTTP/1.1', sourceIp, userAgent: headers['user-agent'] ?? '' },
      requestId,
      routeKey: routed.routeKey,
      stage: '$default',
      ...clock(new Date()),
    },
    ...(request.body.length === 0 ? {} : { body: request.body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: request.body.length > 0 && !isText,
  };
}

/** @returns the text with its percent signs resolved, or as it is where they make no sense */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A name that comes more than once keeps all its values, with commas. */
function parametersOf(query: string): Readonly<Record<string, string>> {
  // No object yet: in one, a parameter `__proto__` would be set without a trace.
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const before = parameters.get(name);
    parameters.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(parameters);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function clock(now: Date) {
  const day = `${two(now.getUTCDate())}/${MONTHS[now.getUTCMonth()]}/${now.getUTCFullYear()}`;
  const time = `${day}:${two(now.getUTCHours())}:${two(now.getUTCMinutes())}:${two(now.getUTCSeconds())} +0000`;
  return { time, timeEpoch: now.getTime() };
}
