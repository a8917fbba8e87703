import { createServer } from 'node:http';
import { close, listen } from '../../infra/local/listen.ts';

/** Stands before the local DynamoDB and counts. */
export interface CountingProxy {
  readonly origin: string;
  /** @returns operations since the last call of this, in order */
  taken(): readonly string[];
  connect(endpoint: string): void;
  close(): Promise<void>;
}

/** Starts a pass-through that notes each operation by its name, without the service's. */
export async function startCountingProxy(): Promise<CountingProxy> {
  const connected = Promise.withResolvers<string>();
  let operations: string[] = [];
  const server = createServer((request, response) => {
    const pass = async (): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(Buffer.from(chunk));
      const target = String(request.headers['x-amz-target']);
      operations.push(target.slice(target.indexOf('.') + 1));
      const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers;
      const sent = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
      const answer = await fetch(await connected.promise, { method: 'POST', headers: sent, body: Buffer.concat(chunks) });
      const type = answer.headers.get('content-type') ?? '';
      response.writeHead(answer.status, { 'content-type': type }).end(Buffer.from(await answer.arrayBuffer()));
    };
    pass().catch(() => response.destroy());
  });
  const origin = `http://127.0.0.1:${await listen(server)}`;
  return {
    origin,
    taken() {
      const seen = operations;
      operations = [];
      return seen;
    },
    connect: connected.resolve,
    close: () => close(server),
  };
}
