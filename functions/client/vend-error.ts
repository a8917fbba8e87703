/** What a refusal says about itself (RFC 9457); docs/http.md lists the codes. */
export interface ProblemFields {
  /** HTTP status; 0 where no answer came */
  status: number;
  /** the service's own code, or `unreachable`, `unreadable` and `gateway_{status}` where it did not speak itself */
  code: string;
  title: string;
  detail?: string | undefined;
  /** the field of the request that breaks a rule */
  field?: string | undefined;
  rule?: string | undefined;
  /** highest `minTtlSeconds` that would have been accepted */
  maximumSeconds?: number | undefined;
  /** the provider's own error code */
  providerError?: string | undefined;
  /** of `Retry-After`, seconds; absent: asking again does not help by itself */
  retryAfterSeconds?: number | undefined;
}

/** No token was vended. Its fields say why, and when it makes sense to ask again. */
export class VendError extends Error {
  readonly problem: ProblemFields;

  constructor(problem: ProblemFields, cause?: unknown) {
    super(
      `${problem.title} (${problem.code})${problem.detail === undefined ? '' : `: ${problem.detail}`}`,
      cause === undefined ? {} : { cause },
    );
    this.name = 'VendError';
    this.problem = problem;
  }

  get code(): string {
    return this.problem.code;
  }

  get status(): number {
    return this.problem.status;
  }

  get retryAfterSeconds(): number | undefined {
    return this.problem.retryAfterSeconds;
  }

  /** whether the service, what it needs, or the way to it is in trouble for now; everything else is for a person to mend */
  get isTransient(): boolean {
    const { status, code } = this.problem;
    return status === 0 || status === 429 || status >= 500 || code === 'unreadable';
  }
}

/** @returns whether it is transient trouble of the service; what `authenticate` throws is not */
export function isTrouble(error: unknown): error is VendError {
  return error instanceof VendError && error.isTransient;
}

/**
 * @param body of an answer that is no success
 * @returns the problem that it tells; API Gateway's own answers tell none
 */
export function problemOf(status: number, headers: Headers, body: unknown): VendError {
  const fields = isObject(body) ? body : {};
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : undefined);
  const number = (name: string) => (typeof fields[name] === 'number' ? fields[name] : undefined);
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN);
  return new VendError({
    status,
    code: text('code') ?? `gateway_${status}`,
    title: text('title') ?? text('message') ?? `HTTP ${status}`,
    detail: text('detail'),
    field: text('field'),
    rule: text('rule'),
    maximumSeconds: number('maximum_seconds'),
    providerError: text('provider_error'),
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
  });
}

/** @returns whether it is a JSON object */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
