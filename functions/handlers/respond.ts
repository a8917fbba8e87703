/** An answer in API Gateway's payload format 2.0. */
export interface HttpResponse {
  statusCode: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/**
 * Every answer of this service may be about a token, so none of them is ever stored on the way (RFC 6749 section 5.1).
 *
 * @param body becomes JSON; undefined: no body
 * @param headers besides, lower-case names
 */
export function respond(statusCode: number, body?: unknown, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return {
    statusCode,
    headers: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...type, ...headers },
    body: body === undefined ? '' : JSON.stringify(body),
  };
}

/**
 * One form of time in every answer: RFC 3339, UTC, whole seconds, rounded down.
 *
 * @param ms since the epoch
 */
export function time(ms: number): string;
export function time(ms: number | undefined): string | undefined;
export function time(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
