import { startGateway, type Gateway, type GatewayOptions } from './gateway/gateway.ts';
import type { LocalCallers } from './gateway/callers.ts';

/** A gateway that listens already and answers 503 until it is opened. */
export interface Front {
  readonly gateway: Gateway;
  /** without a slash at the end */
  readonly url: string;
  open(callers: Pick<LocalCallers, 'authorizer' | 'documentAt'>): void;
}

/**
 * Takes the gateway's port before anything else is started: a taken port shows at once, and callers' ids hold the port.
 *
 * @param port 0 takes a free one
 */
export async function startFront(options: Pick<GatewayOptions, 'functions' | 'nameOf' | 'throttle'>, port: number): Promise<Front> {
  let callers: Pick<LocalCallers, 'authorizer' | 'documentAt'> | undefined;
  const gateway = await startGateway(
    {
      ...options,
      authorizer: async (request) => callers?.authorizer(request) ?? { status: 503, message: 'Service Unavailable' },
      documentAt: (path) => callers?.documentAt(path),
    },
    port,
  );
  return {
    gateway,
    url: `http://127.0.0.1:${gateway.port}`,
    open: (given) => {
      callers = given;
    },
  };
}
