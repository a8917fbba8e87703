import type { SignedRequest } from './sigv4.ts';

/** What an authorizer says: `requestContext.authorizer` of the event, or the answer that API Gateway gives by itself. */
export type Authorization =
  | { authorizer: Readonly<Record<string, unknown>> }
  | { status: 401 | 403 | 503; message: 'Unauthorized' | 'Forbidden' | 'Service Unavailable'; headers?: Readonly<Record<string, string>> };

/** Says who sent a request. */
export type Authorizer = (request: SignedRequest) => Promise<Authorization>;
