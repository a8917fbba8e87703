import { accountNameRules, brokenAccountName } from '../core/account-name.ts';
import { brokenRule } from '../core/broken-rule.ts';
import { TokenVendingError } from '../core/errors.ts';
import type { Provider, Schema } from '../core/provider.ts';
import type { AccountRef, TokenParameters } from '../core/token-set.ts';
import type { HttpEvent } from './http-event.ts';

/** Far above any honest request, far below what costs anything. */
const LONGEST_BODY_BYTES = 8 * 1024;

/** @throws TokenVendingError `bad_request` */
export function badRequest(field: string, rule: string): TokenVendingError {
  return new TokenVendingError('bad_request', { field, rule });
}

/**
 * @returns the account that the path names
 * @throws TokenVendingError `bad_request` where it can be no account's name
 */
export function accountOfPath(event: HttpEvent): AccountRef {
  const ref = { provider: event.pathParameters?.['provider'] ?? '', account: event.pathParameters?.['account'] ?? '' };
  const broken = brokenAccountName(ref);
  if (broken !== undefined) throw badRequest(broken, accountNameRules[broken]);
  return ref;
}

/**
 * @returns where the page before ended, from the query; undefined: this is the first page
 * @throws TokenVendingError `bad_request` where it can be no account
 */
export function afterOf(event: HttpEvent): AccountRef | undefined {
  refuseQuery(event, 'after');
  const after = event.queryStringParameters?.['after'];
  if (after === undefined) return undefined;
  const [provider = '', account = '', ...more] = after.split('/');
  if (more.length > 0 || brokenAccountName({ provider, account }) !== undefined) {
    throw badRequest('after', 'must be the "next" of the page before');
  }
  return { provider, account };
}

/**
 * Nothing that says something of a request is read from query strings: they end in logs of every proxy on the way.
 *
 * @param known the one parameter that the call takes
 * @throws TokenVendingError `bad_request` where there is another
 */
export function refuseQuery(event: HttpEvent, known?: string): void {
  const name = Object.keys(event.queryStringParameters ?? {}).find((given) => given !== known);
  if (name !== undefined) throw badRequest(clip(name), 'must not stand in the query string');
}

/**
 * @returns the body's JSON object; an absent or empty body is `{}`
 * @throws TokenVendingError `bad_request` where it is too long, of another type, or no JSON object
 */
export function jsonOf(event: HttpEvent): Readonly<Record<string, unknown>> {
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded === true ? 'base64' : 'utf8');
  if (body.length === 0) return {};
  if (body.length > LONGEST_BODY_BYTES) throw badRequest('body', `must be at most ${LONGEST_BODY_BYTES} bytes long`);
  const type = event.headers?.['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) throw badRequest('content-type', 'must be application/json');
  const value = parsed(body.toString('utf8'));
  if (!isObject(value)) throw badRequest('body', 'must be a JSON object');
  return value;
}

/**
 * @param whole what to call the value itself
 * @throws TokenVendingError `bad_request` that names the first broken rule
 */
export function checked<T>(schema: Schema<T>, value: unknown, whole = 'body'): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new TokenVendingError('bad_request', issue === undefined ? {} : brokenRule(issue, whole));
}

/**
 * @returns the provider, and the token parameters as its schema reads them
 * @throws TokenVendingError `no_grant` for a provider that does not exist: it has no accounts that anybody could be granted
 */
export function parametersOf(providers: ReadonlyMap<string, Provider>, ref: AccountRef, value: unknown): TokenParameters {
  const provider = providers.get(ref.provider);
  if (provider === undefined) throw new TokenVendingError('no_grant');
  return checked(provider.parameters, value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function clip(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 64);
}
