import { Agent, request } from 'node:http';
import type { LocalStack } from '../../infra/local/stack.ts';

/** One answer as its caller had it. */
export interface CallAnswer {
  status: number;
  body: string;
  /** ms */
  tookMs: number;
}

/** An app that asks the gateway for tokens, over kept connections. */
export interface LoadCaller {
  /** @param account `provider/account` */
  vend(account: string): Promise<CallAnswer>;
  close(): void;
}

/** @returns a caller who is the developer of that stack */
export function createLoadCaller({ url, callers }: Pick<LocalStack, 'url' | 'callers'>): LoadCaller {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const headers = { authorization: `Bearer ${callers.developer.jwt}`, 'content-type': 'application/json' };
  return {
    vend: (account) =>
      new Promise((resolve, reject) => {
        const startedMs = performance.now();
        const outgoing = request(`${url}/v1/tokens/${account}`, { method: 'POST', agent, headers }, (incoming) => {
          let body = '';
          incoming.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
          incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body, tookMs: performance.now() - startedMs }));
        });
        outgoing.on('error', reject);
        outgoing.end('{}');
      }),
    close: () => agent.destroy(),
  };
}
