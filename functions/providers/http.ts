import type { ProviderAnswer, ProviderRequest } from '../core/provider.ts';
import { Secret } from '../core/secret.ts';

/** @returns a GET of JSON */
export function getJson(url: string): ProviderRequest {
  return { method: 'GET', url, headers: { accept: 'application/json' } };
}

/** @returns a POST of JSON; members that are undefined are left out */
export function postJson(url: string, body: object | undefined, headers: Readonly<Record<string, string>> = {}): ProviderRequest {
  if (body === undefined) return { method: 'POST', url, headers: { accept: 'application/json', ...headers } };
  return {
    method: 'POST',
    url,
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

/** @returns a POST of a form; fields that are undefined are left out */
export function postForm(url: string, fields: Readonly<Record<string, string | undefined>>): ProviderRequest {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, value);
  return {
    method: 'POST',
    url,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  };
}

/** @returns the header of RFC 6750 section 2.1 */
export function bearer(token: Secret): { authorization: string } {
  return { authorization: `Bearer ${token.reveal()}` };
}

/** Reads JSON whatever the content type says, because two providers label it wrongly. @returns undefined where it is none */
export function jsonOf(answer: ProviderAnswer): unknown {
  try {
    return JSON.parse(answer.text);
  } catch {
    return undefined;
  }
}

/** @returns the member at the path, or undefined; only own members count */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value;
  for (const name of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = Object.getOwnPropertyDescriptor(here, name)?.value;
  }
  return here;
}

/** @returns a string with something in it, or undefined */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** @returns a string as a secret; undefined where it is missing or empty */
export function secretOf(value: unknown): Secret | undefined {
  const text = textOf(value);
  return text === undefined ? undefined : new Secret(text);
}

/** @returns a number, also one that came as a string of digits */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** @returns a number or a string as it came: an id, which one deployment writes this way and another that way */
export function idOf(value: unknown): string | number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : textOf(value);
}

/** Reads `exp` of a JWT without verifying it: only a hint for a clock. @returns ms since the epoch, or undefined */
export function jwtExpiry(token: Secret | undefined): number | undefined {
  const payload = token?.reveal().split('.')[1];
  if (payload === undefined) return undefined;
  try {
    const seconds = numberOf(at(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')), 'exp'));
    return seconds === undefined ? undefined : seconds * 1000;
  } catch {
    return undefined;
  }
}

/** @returns the first of the times that is after the answer; an expiry in the past is a mistake of the provider's */
export function firstAfter(answer: ProviderAnswer, ...times: readonly (number | undefined)[]): number | undefined {
  return times.find((time) => time !== undefined && time > (answer.dateMs ?? answer.sentAtMs));
}
