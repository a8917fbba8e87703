import type { Secret } from './secret.ts';
import type { Facts, TokenParameters } from './token-set.ts';

/** The part of a zod schema that core needs, so that core does not import zod. */
export interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: { issues: readonly SchemaIssue[] } };
}

/** One broken rule, in zod's shape. */
export interface SchemaIssue {
  code?: string | undefined;
  path: readonly PropertyKey[];
  message: string;
}

/** What every account's secret may hold besides its provider's own members. */
export interface CommonCredentials {
  /** origin and path prefix of the API, https, without a trailing slash */
  base_url?: string | undefined;
  /** `always`: the schedule renews it also when nobody asks */
  keep?: 'always' | undefined;
}

/** A request to a provider, as data. The engine resolves `url`, checks its host, and sends it. */
export interface ProviderRequest {
  method: 'GET' | 'POST' | 'DELETE';
  /** absolute URL; its host must be the secret's or a discovered one */
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** already encoded; `content-type` stands in `headers`. Revealed secrets live here and nowhere else */
  body?: string | undefined;
}

/** What came back. `text` may hold secrets: it is read and dropped, never logged. */
export interface ProviderAnswer {
  status: number;
  /** lower-case names */
  headers: Readonly<Record<string, string>>;
  text: string;
  /** when the request was sent, ms since the epoch, our clock */
  sentAtMs: number;
  /** the answer's `Date` header, ms since the epoch; absent where it has none */
  dateMs?: number | undefined;
}

/** How a request that got no answer failed. */
export interface TransportFailure {
  /** true where no byte of the request can have reached the provider (DNS, refused connection, TLS, blocked host) */
  unsent: boolean;
  /** short machine word: `timeout`, `reset`, `refused`, `dns`, `tls`, `blocked`, `redirect`, `too_large` */
  code: string;
}

/** Tokens as a provider's answer gives them, before clocks are settled by the engine. */
export interface TokenAnswer {
  accessToken: Secret;
  refreshToken?: Secret | undefined;
  /** life from the moment of sending, seconds */
  expiresInSeconds?: number | undefined;
  /** absolute expiry by the provider's clock, ms since the epoch */
  expiresAtMs?: number | undefined;
  refreshExpiresInSeconds?: number | undefined;
  refreshExpiresAtMs?: number | undefined;
  scope?: string | undefined;
  facts?: Facts | undefined;
}

/** What one step of an exchange sees. */
export interface StepInput<C = unknown> {
  credentials: C;
  parameters: TokenParameters;
  /** the token set to refresh or to revoke; absent on a log-in */
  previous?: { accessToken: Secret; refreshToken?: Secret | undefined; scope?: string | undefined; facts: Facts } | undefined;
  /** endpoints found by discovery, by name */
  endpoints: Readonly<Record<string, string>>;
  /** what the steps before this one read */
  soFar: Partial<TokenAnswer>;
  /** our clock, ms since the epoch */
  nowMs: number;
}

/** One request and how to read its answer. An exchange is one or more steps that share one provider budget. */
export interface Step<C = unknown> {
  /** @returns the request, or undefined where this step is not needed */
  request(input: StepInput<C>): ProviderRequest | undefined;
  /**
   * Reads a 2xx answer. Must not trust it: returns undefined where the token is missing or of the wrong shape.
   * A step without a token of its own (a logout, a profile list) returns `{}`.
   */
  read(answer: ProviderAnswer, input: StepInput<C>): Partial<TokenAnswer> | undefined;
}

/** One discovery document and how to read it. Its requests carry no credential, so that its answers may be cached by URL. */
export interface DiscoveryStep<C = unknown> {
  /** @returns the request, or undefined where this step is not needed; `endpoints` holds what the steps before it found */
  request(input: Pick<StepInput<C>, 'credentials' | 'endpoints'>): ProviderRequest | undefined;
  /** Reads a 2xx answer: URLs by name (all https, or the engine refuses them), or undefined where it is no such document. */
  read(answer: ProviderAnswer, input: Pick<StepInput<C>, 'credentials' | 'endpoints'>): Readonly<Record<string, string>> | undefined;
}

/** What a failed answer means. The step 12 of the protocol; which of them depends on what was sent. */
export type FailureKind =
  /** the refresh token is dead; a log-in may help */
  | 'refresh_refused'
  /** bad password, locked, disabled: one refused log-in */
  | 'credentials_refused'
  /** the client id or secret is refused: neither log-in nor refresh will work */
  | 'client_refused'
  /** scope, resource or grant type: this parameter set cannot work as configured */
  | 'configuration'
  /** 408, 425, 429, 5xx, transport: later */
  | 'transient'
  /** a 2xx that holds no token */
  | 'unreadable'
  /** a person must act at the provider */
  | 'needs_consent';

/** A provider's refusal as its own file reads it. */
export interface Classified {
  /** absent: this file does not know the code, and the engine judges by status */
  kind?: FailureKind | undefined;
  /** the provider's error code, at most 64 printable characters; never its text */
  providerError?: string | undefined;
}

/** What was being sent when a failure came. */
export type Sent = 'login' | 'refresh' | 'revoke' | 'discovery';

/** How a provider treats the refresh token that was just used. */
export type Rotation =
  | { kind: 'none' }
  /** the last token may be sent again for `ms`; both successors live */
  | { kind: 'grace'; ms: number }
  /** reuse kills the session; also where nobody knows */
  | { kind: 'strict' };

/** How a provider behaves, where the protocol must know. */
export interface Traits {
  rotation: Rotation;
  /** what a revocation ends: only that token, its session, or every session of the user; `nothing`: there is no revocation */
  revocationEnds: 'nothing' | 'token' | 'session' | 'user';
  /** a refresh ends the old access token; unknown counts as true */
  refreshEndsOldToken: boolean;
  /** a client-credentials server that repeats its token until near its end */
  returnsSameToken: boolean;
  /** the provider ends or refuses sessions above a number: the old one is logged out before a planned log-in */
  sessionCap: boolean;
  /** how long a lock after bad log-ins lasts, ms; absent: unknown, 15 minutes are assumed */
  lockWindowMs?: number | undefined;
  /** what is sent to refresh: the refresh token, the access token itself, or nothing (log-in only) */
  refreshWith: 'refresh_token' | 'access_token' | 'none';
  /** a log-in needs a person (consent): a doubtful refresh token is sent once more, then `needs_consent` */
  loginNeedsPerson: boolean;
  /** used where an answer has no lifetime: the documented default, cautious, seconds */
  defaultLifeSeconds: number;
  /** the same of the refresh token, seconds; absent: unknown */
  defaultRefreshLifeSeconds?: number | undefined;
  /**
   * requests a second that the provider allows, all accounts together, at least 0.1; the schedule keeps to it. Absent: no cap is
   * documented. Read from the public traits
   */
  requestsPerSecond?: number | undefined;
}

/**
 * A family of token APIs, as one value in one file. Requests are built and answers are read by pure functions;
 * `core/call-provider.ts` is the one engine that sends them.
 */
export interface Provider<C extends CommonCredentials = CommonCredentials> {
  /** as in the path and the secret's name: lower case, digits and hyphens */
  id: string;
  /** the secret's JSON; unknown members are refused so that a typo shows */
  credentials: Schema<C>;
  /** the request's token parameters, wire names; unknown members are refused */
  parameters: Schema<TokenParameters>;
  /** @returns user and client id, in a fixed order: with the base URL they make the identity of the account */
  identity(credentials: C): readonly string[];
  /** @returns traits; some depend on options in the secret */
  traits(credentials: C): Traits;
  /** traits as far as they are known without the secret; `vend-token` judges with these */
  publicTraits: Traits;
  /** endpoints by name from discovery documents, cached as their headers allow, at most a day */
  discover?: readonly DiscoveryStep<C>[] | undefined;
  login: readonly Step<C>[];
  refresh: readonly Step<C>[];
  /** ends the token or session where the provider can; every step is tried, and one that succeeds is enough */
  revoke?: readonly Step<C>[] | undefined;
  /**
   * Reads a failed answer (any status outside 2xx, and a 2xx whose body is an error).
   *
   * @returns undefined where this file does not know the answer; the engine then judges by status (step 12)
   */
  classify(answer: ProviderAnswer, sent: Sent): Classified | undefined;
}
