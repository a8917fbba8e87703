import type { IncomingMessage } from 'node:http';
import type { SignedRequest } from './sigv4.ts';

/** API Gateway takes no longer body, and no service of AWS that is imitated here takes one as long. */
const MOST_BYTES = 10 * 1024 * 1024;

/** @returns the request as it came, or undefined where its body is longer than anybody takes */
export async function readRequest(incoming: IncomingMessage): Promise<SignedRequest | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size <= MOST_BYTES) chunks.push(bytes);
  }
  if (size > MOST_BYTES) return undefined;
  const target = incoming.url ?? '/';
  const mark = target.indexOf('?');
  return {
    method: incoming.method ?? 'GET',
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? '' : target.slice(mark + 1),
    headers: headersOf(incoming),
    body: Buffer.concat(chunks),
  };
}

/** A header that came more than once is one value with commas, also where Node would have kept the first only. */
function headersOf(incoming: IncomingMessage): Readonly<Record<string, string>> {
  const several = Object.entries(incoming.headersDistinct);
  return Object.fromEntries(several.map(([name, values = []]) => [name, values.join(name === 'cookie' ? '; ' : ',')]));
}
