/** An answer of the service as a caller sees it. */
export interface Answer {
  status: number;
  type: string | null;
  body: Readonly<Record<string, unknown>>;
}

/** Calls the service over HTTP, with a token of the issuer or without. */
export function createCaller(issuer: string) {
  async function tokenFor(subject: string, scope = 'tokens:use'): Promise<string> {
    const claims = JSON.stringify({ sub: subject, aud: 'tokens', scope });
    const response = await fetch(`${issuer}/token`, { method: 'POST', body: claims });
    const { token } = (await response.json()) as { token: string };
    return token;
  }

  return {
    tokenFor,
    get: (url: string, bearer?: string) => call('GET', url, bearer),
    post: (url: string, bearer?: string, body: object = {}) => call('POST', url, bearer, body),
  };
}

export type Caller = ReturnType<typeof createCaller>;

async function call(method: 'GET' | 'POST', url: string, bearer?: string, body?: object): Promise<Answer> {
  const headers = {
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
  };
  const init = { method, headers, signal: AbortSignal.timeout(35_000), ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await fetch(url, init);
  const text = await response.text();
  const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : { text };
  return { status: response.status, type: response.headers.get('content-type'), body: parsed as Answer['body'] };
}
