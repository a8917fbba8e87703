import type { ServerResponse } from 'node:http';
import { onParentMessage, tellParent } from './child.ts';
import type { GoOn, ProviderEvent } from './provider-messages.ts';

/** Lets the parent look at each request between the provider's act and its answer. */
export interface RequestGate {
  /** @returns the request's number */
  arrived(attempt: string, sent: 'login' | 'refresh' | 'revoke', user: string | undefined, response: ServerResponse): number;
  /** @returns when the answer may leave */
  handled(id: number, good: boolean, session: string | undefined, user: string | undefined): Promise<void>;
}

const tell = (event: ProviderEvent): void => tellParent(event);

/** Reports to the parent; must be made once a process. */
export function createRequestGate(): RequestGate {
  const waiting = new Map<number, () => void>();
  onParentMessage<GoOn>(({ go }) => waiting.get(go)?.());
  let requests = 0;
  return {
    arrived(attempt, sent, user, response) {
      const id = ++requests;
      response.on('close', () => tell({ kind: 'closed', id, delivered: response.writableFinished }));
      tell({ kind: 'arrived', id, attempt, sent, user });
      return id;
    },
    async handled(id, good, session, user) {
      const go = Promise.withResolvers<void>();
      waiting.set(id, go.resolve);
      tell({ kind: 'handled', id, good, session, user });
      await go.promise;
      waiting.delete(id);
    },
  };
}
