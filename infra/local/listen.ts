import type { RequestListener, Server } from 'node:http';

/**
 * Listens on loopback.
 *
 * @param port 0 takes a free one
 * @returns the port
 * @throws Error with `code` `EADDRINUSE` where the port is taken
 */
export async function listen(server: Server, port = 0, host = '127.0.0.1'): Promise<number> {
  const listening = Promise.withResolvers<void>();
  server.listen(port, host, listening.resolve).once('error', listening.reject);
  await listening.promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

/**
 * Answers 421 to whoever calls a loopback server by another name than its own: a name that leads here (DNS rebinding) would make
 * the server part of somebody else's page.
 *
 * @param answer takes the rest: what is for the server's address and port, or for `localhost` and its port
 */
export function underOwnName(answer: RequestListener): RequestListener {
  return (request, response) => {
    const { localAddress, localPort } = request.socket;
    // `URL` leaves the port 80 out, as clients do.
    const own = [localAddress, 'localhost'].map((name) => new URL(`http://${name}:${localPort}`).host);
    if (own.includes(request.headers.host ?? '')) return answer(request, response);
    const body = JSON.stringify({ message: 'Misdirected Request' });
    response.writeHead(421, { 'content-type': 'application/json', 'content-length': body.length, connection: 'close' }).end(body);
  };
}

/** Takes no further request; answers those in work for at most `graceMs`, then hangs up. */
export async function close(server: Server, graceMs = 0): Promise<void> {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed.promise;
  clearTimeout(timer);
}
