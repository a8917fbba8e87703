/** What is known of an access token. */
export interface AccessTokenFields {
  accessToken: string;
  /** moment of the request, ms since the epoch */
  obtainedAtMs: number;
  /** by this machine's clock, ms since the epoch */
  expiresAtMs: number;
  fingerprint: string;
  scope: string | undefined;
  facts: Readonly<Record<string, unknown>>;
}

/** An access token of a platform, as it was vended. Prints and serialises without the token itself. */
export class AccessToken {
  readonly #accessToken: string;
  /** moment of the request, ms since the epoch */
  readonly obtainedAtMs: number;
  /** by this machine's clock, ms since the epoch */
  readonly expiresAtMs: number;
  /** SHA-256 of the token, base64url: names it in logs, and when it is reported as rejected */
  readonly fingerprint: string;
  /** space-delimited, where the provider tells it */
  readonly scope: string | undefined;
  /** what the provider said besides: user and profile id, VideoManager, … */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(fields: AccessTokenFields) {
    this.#accessToken = fields.accessToken;
    this.obtainedAtMs = fields.obtainedAtMs;
    this.expiresAtMs = fields.expiresAtMs;
    this.fingerprint = fields.fingerprint;
    this.scope = fields.scope;
    this.facts = fields.facts;
  }

  /** the token itself; it goes into the `Authorization` header and nowhere else */
  get accessToken(): string {
    return this.#accessToken;
  }

  /** the value of the `Authorization` header (RFC 6750 section 2.1) */
  get authorization(): string {
    return `Bearer ${this.#accessToken}`;
  }
}
