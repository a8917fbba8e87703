/** What a provider process tells of each request, and what it is told. Ids number the requests. */
export type ProviderEvent =
  | { kind: 'ready'; url: string }
  | { kind: 'arrived'; id: number; attempt: string; sent: 'login' | 'refresh' | 'revoke'; user: string | undefined }
  /** the provider has acted, and answers when it is told to go on */
  | { kind: 'handled'; id: number; good: boolean; session: string | undefined; user: string | undefined }
  /** the connection is closed; `delivered`: the answer left before */
  | { kind: 'closed'; id: number; delivered: boolean }
  /** the provider ended a session because a spent refresh token was shown again */
  | { kind: 'session_died'; session: string };

/** The answer to request `id` may leave. */
export interface GoOn {
  go: number;
}

/** Header that names the attempt behind a request, so that a test can tell whose it was. */
export const attemptHeader = 'x-attempt';
