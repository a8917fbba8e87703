import type { Server } from 'node:http';

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

/** Takes no further request; answers those in work for at most `graceMs`, then hangs up. */
export async function close(server: Server, graceMs = 0): Promise<void> {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed.promise;
  clearTimeout(timer);
}
