import type { AccessToken } from './access-token.ts';
import { isObject, VendError } from './vend-error.ts';

/** The platform's `fetch`. */
export type Fetch = typeof globalThis.fetch;

/** How tokens are added to requests. */
export interface WithTokenOptions {
  /** origins that get the token, such as `https://api.video-cdn.net`; requests elsewhere go out without. @default all of them */
  origins?: readonly string[];
}

type GetToken = (ask?: { rejected?: string }) => Promise<AccessToken>;
type Input = Parameters<Fetch>[0];
type Init = Parameters<Fetch>[1];

/** VIDIZMO answers 400 where others answer 401, and says it by these names. */
const DEAD_TOKEN_NAMES: ReadonlySet<unknown> = new Set(['InvalidAccessTokenException', 'ExpiredAccessTokenException']);
/** No provider's refusal is longer. */
const LONGEST_REFUSAL_BYTES = 65_536;

/** @returns a `fetch` that adds the token; a body that can be read only once (a stream) is not sent a second time */
export function fetchWithToken(getToken: GetToken, fetch: Fetch, { origins }: WithTokenOptions): Fetch {
  return async (input, init) => {
    if (origins !== undefined && !origins.includes(originOf(input))) return fetch(input, init);
    const token = await getToken();
    const spare = spareOf(input, init);
    const answer = await send(fetch, input, init, token);
    if (!(await isRefusal(answer))) return answer;
    const other = await renewed(getToken, token);
    if (other === undefined || spare === undefined) return answer;
    await answer.body?.cancel();
    return send(fetch, spare.input, init, other);
  };
}

function send(fetch: Fetch, input: Input, init: Init, token: AccessToken): Promise<Response> {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
  headers.set('authorization', token.authorization);
  return fetch(input, { ...init, headers });
}

/** @returns what the second try is sent from; undefined: it cannot be sent twice */
function spareOf(input: Input, init: Init): { input: Input } | undefined {
  if (init?.body instanceof ReadableStream) return undefined;
  const readsBody = input instanceof Request && input.body !== null && (init?.body ?? undefined) === undefined;
  return { input: readsBody ? input.clone() : input };
}

async function isRefusal(answer: Response): Promise<boolean> {
  if (answer.status === 401) return true;
  if (answer.status !== 400 || Number(answer.headers.get('content-length') ?? 0) > LONGEST_REFUSAL_BYTES) return false;
  const body: unknown = await answer
    .clone()
    .json()
    .catch(() => undefined);
  return isObject(body) && DEAD_TOKEN_NAMES.has(body['name']);
}

/** @returns undefined where no other token is to be had: then the provider's own words say more than ours */
async function renewed(getToken: GetToken, token: AccessToken): Promise<AccessToken | undefined> {
  try {
    return await getToken({ rejected: token.fingerprint });
  } catch (error) {
    if (error instanceof VendError) return undefined;
    throw error;
  }
}

function originOf(input: Input): string {
  return new URL(input instanceof Request ? input.url : input).origin;
}
