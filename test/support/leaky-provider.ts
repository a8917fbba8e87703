import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createAuthority } from '../../infra/local/authority.ts';
import { trustAuthority } from '../../infra/local/environment.ts';
import { close, listen } from '../../infra/local/listen.ts';

/** How it answers a request for a token; whatever it is, everything that it was sent stands in the answer. */
const manners = {
  well: (leaky, sent) => ({ status: 200, body: JSON.stringify({ ...leaky.tokens(), echo: sent }) }),
  refusal: (_, sent) => ({ status: 400, body: JSON.stringify({ error: 'invalid_grant', error_description: sent }) }),
  odd_refusal: (_, sent) => ({ status: 418, body: JSON.stringify({ error: sent, message: sent, code: sent }) }),
  error_page: (_, sent) => ({ status: 500, body: `<html><title>${sent}</title></html>` }),
  too_many: (_, sent) => ({ status: 429, body: sent, headers: { 'retry-after': sent.replaceAll(/[^\x20-\x7e]/g, '') } }),
  no_token: (leaky, sent) => ({ status: 200, body: JSON.stringify({ tokens: leaky.tokens(), sent }) }),
  broken_json: (leaky, sent) => ({ status: 200, body: JSON.stringify({ ...leaky.tokens(), sent }).slice(0, -3) }),
  odd_token: (leaky, sent) => ({ status: 200, body: JSON.stringify({ ...leaky.tokens(), access_token: { nested: sent } }) }),
  redirect: (leaky) => ({
    status: 302,
    body: '',
    headers: { location: `https://elsewhere.invalid/?token=${leaky.tokens().access_token}` },
  }),
} satisfies Record<string, (leaky: { tokens(): Record<string, string | number> }, sent: string) => Reply>;

interface Reply {
  status: number;
  body: string;
  headers?: Record<string, string>;
}

export type Manner = keyof typeof manners;

/** An OpenID provider whose every token is marked, and which repeats what it hears. */
export interface LeakyProvider {
  readonly origin: string;
  manner: Manner;
  /** every token that it gave */
  readonly given: Set<string>;
  /** everything that it was sent */
  readonly heard: string[];
  close(): Promise<void>;
}

/** Starts it on loopback, trusted by this process. Its tokens live for `lifeSeconds`. */
export async function startLeakyProvider(lifeSeconds: number): Promise<LeakyProvider> {
  const authority = await createAuthority();
  const host = '127.0.0.1';
  const { certPem, keyPem } = await authority.issue([host]);
  const forget = trustAuthority(authority.caPem);
  let origin = '';
  let count = 0;
  const tokens = () => {
    count += 1;
    const marked = (kind: string) => `canary-${kind}-token-${String(count).padStart(20, '0')}`;
    const fresh = { access_token: marked('access'), refresh_token: marked('refresh'), id_token: marked('id') };
    for (const token of Object.values(fresh)) leaky.given.add(token);
    return { ...fresh, token_type: 'Bearer', expires_in: lifeSeconds, refresh_expires_in: 3_600, scope: 'openid' };
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const sent = decodeURIComponent(`${JSON.stringify(request.headers)} ${Buffer.concat(chunks).toString()}`.replaceAll('+', ' '));
    if (request.url?.endsWith('/openid-configuration') === true) {
      const endpoints = {
        token_endpoint: `${origin}/token`,
        revocation_endpoint: `${origin}/revoke`,
        end_session_endpoint: `${origin}/end`,
      };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ issuer: origin, ...endpoints }));
      return;
    }
    leaky.heard.push(sent);
    const reply: Reply = manners[leaky.manner]({ tokens }, sent);
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers }).end(reply.body);
  };
  const server: Server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const leaky: LeakyProvider = {
    get origin() {
      return origin;
    },
    manner: 'well',
    given: new Set(),
    heard: [],
    async close() {
      forget();
      await close(server);
    },
  };
  origin = `https://${host}:${await listen(server, 0, host)}`;
  return leaky;
}
