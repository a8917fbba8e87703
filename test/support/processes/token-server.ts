import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { listen } from '../../../infra/local/listen.ts';
import { FakeProvider, type Behaviour, type Wire } from '../world/fake-provider.ts';
import { endWithParent, settingsOf, tellParent } from './child.ts';
import { attemptHeader } from './provider-messages.ts';
import { createRequestGate } from './request-gate.ts';

/** What {@link Behaviour} leaves open for a server of its own. */
export interface TokenServerSettings {
  behaviour: Behaviour;
  users: readonly string[];
  /** each answer takes this long, ms, and up to half as much more */
  latencyMs: number;
}

/** The fake provider behind HTTP: `POST /token`, and `GET /use` to see whether an access token is worth anything. */
async function serve({ behaviour, users, latencyMs }: TokenServerSettings): Promise<string> {
  const provider = new FakeProvider(behaviour);
  for (const user of users) provider.setPassword(user, 'correct');
  const gate = createRequestGate();
  let url = '';

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/use') {
      const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
      const lives = (provider.endOf(token) ?? 0) > Date.now() && provider.read(token)?.session.fate === 'well';
      return void response.writeHead(lives ? 204 : 401).end();
    }
    const body = await text(request);
    const wire: Wire = JSON.parse(body);
    const user = wire.user ?? (wire.token === undefined ? undefined : provider.read(wire.token)?.session.user);
    const id = gate.arrived(String(request.headers[attemptHeader] ?? ''), wire.grant, user, response);
    await wait(latencyMs * (1 + Math.random() / 2));
    const before = wire.token === undefined ? undefined : provider.stateOf(wire.token);
    const { answer: given, handled } = provider.handle({ method: 'POST', url: `${url}/token`, body }, Date.now());
    const session = handled.session?.id.toString();
    if (before === 'spent' && session !== undefined) tellParent({ kind: 'session_died', session });
    await gate.handled(id, handled.good, session, user);
    response.writeHead(given.status, { ...given.headers, 'content-type': 'application/json' }).end(given.text);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  url = `http://127.0.0.1:${await listen(server)}`;
  return url;
}

if (import.meta.main) {
  endWithParent();
  tellParent({ kind: 'ready', url: await serve(settingsOf<TokenServerSettings>()) });
}
