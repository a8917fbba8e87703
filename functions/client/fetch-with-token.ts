import type { AccessToken } from './access-token.ts';
import { unlessAborted } from './unless-aborted.ts';
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

/** @returns a `fetch` that adds the token; a body that can be read only once (a stream, an iterable) is not sent a second time */
export function fetchWithToken(getToken: GetToken, fetch: Fetch, { origins }: WithTokenOptions): Fetch {
  return async (input, init) => {
    if (origins !== undefined && !origins.includes(originOf(input))) return fetch(input, init);
    const signal = signalOf(input, init);
    signal?.throwIfAborted();
    const token = await unlessAborted(getToken(), signal);
    const spare = spareOf(input, init);
    const answer = await send(fetch, input, init, token);
    if (hasLeft(input, answer) || !(await isRefusal(answer))) return answer;
    const other = await unlessAborted(renewed(getToken, token), signal);
    if (other === undefined || spare === undefined) return answer;
    // A body that broke off says so when it is cancelled; nobody wants it any more.
    await answer.body?.cancel().catch(() => undefined);
    return send(fetch, spare.input, init, other);
  };
}

function send(fetch: Fetch, input: Input, init: Init, token: AccessToken): Promise<Response> {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
  headers.set('authorization', token.authorization);
  return fetch(input, { ...init, headers });
}

/** As `fetch` has it: null in the options takes away the signal of the Request. */
function signalOf(input: Input, init: Init): AbortSignal | null | undefined {
  return init?.signal === undefined && input instanceof Request ? input.signal : init?.signal;
}

/** @returns what the second try is sent from; undefined: it cannot be sent twice */
function spareOf(input: Input, init: Init): { input: Input } | undefined {
  const body = init?.body ?? undefined;
  if (!isReadAgain(body)) return undefined;
  const readsBody = input instanceof Request && input.body !== null && body === undefined;
  return { input: readsBody ? input.clone() : input };
}

/** Named are those that can be: streams are not the only ones that cannot, since Node's `fetch` takes every asynchronous iterable. */
function isReadAgain(body: unknown): boolean {
  if (typeof body !== 'object' || ArrayBuffer.isView(body)) return true;
  return [ArrayBuffer, Blob, FormData, URLSearchParams].some((kind) => body instanceof kind);
}

/** Whether a redirect led to another origin: `fetch` does not send the token there, so what is said there is not about it. */
function hasLeft(input: Input, { redirected, url }: Response): boolean {
  return redirected && new URL(input instanceof Request ? input.url : input, url).origin !== new URL(url).origin;
}

async function isRefusal(answer: Response): Promise<boolean> {
  if (answer.status === 401) return true;
  if (answer.status !== 400 || Number(answer.headers.get('content-length') ?? 0) > LONGEST_REFUSAL_BYTES) return false;
  const body = await shortJson(answer.clone()).catch(() => undefined);
  return isObject(body) && DEAD_TOKEN_NAMES.has(body['name']);
}

/** @returns undefined where it is longer than any refusal; the rest is not read then */
async function shortJson({ body }: Response): Promise<unknown> {
  if (body === null) return undefined;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (text.length <= LONGEST_REFUSAL_BYTES) {
    const { done, value } = await reader.read();
    if (done) return JSON.parse(text);
    text += decoder.decode(value, { stream: true });
  }
  // Not awaited: a copy is cancelled only when its original is.
  reader.cancel().catch(() => undefined);
  return undefined;
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
