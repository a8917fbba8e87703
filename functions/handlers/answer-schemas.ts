import * as z from 'zod/mini';
import { problems } from './problem.ts';

/** The answers as schemas: OpenAPI shows them, tests hold the handlers to them, nothing reads them while vending. */

const described = (text: string) => z.string().check(z.describe(text));
const time = z.string().check(z.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/), z.describe('RFC 3339, UTC, whole seconds'));
const codes = z.enum(Object.keys(problems));

const vendAnswer = z.strictObject({
  access_token: described('The token itself; send it as the provider says'),
  token_type: z.literal('Bearer'),
  expires_in: z.int().check(z.gte(0), z.describe('Seconds that it still lives, rounded down')),
  expires_at: time,
  scope: z.optional(described('Where the provider tells it')),
  fingerprint: described('SHA-256 of the token, base64url: names it in logs and in "rejected"'),
  provider: z.string(),
  account: z.string(),
  facts: z.record(z.string(), z.unknown()).check(z.describe('What the provider said besides, none of it secret')),
});

const failure = { at: time, provider_error: z.optional(described("The provider's own error code")) };

const tokenSet = z.strictObject({
  set: described('Hash of the token parameters'),
  state: z.enum(['living', 'expired', 'empty']),
  generation: z.int(),
  obtained_at: z.optional(time),
  expires_at: z.optional(time),
  refresh_expires_at: z.optional(time),
  due_at: z.optional(time),
  warm_until: z.optional(time),
  renewing: z.boolean(),
  failure: z.optional(
    z.strictObject({ code: z.enum(['configuration', 'misconfigured', 'needs_consent']), next_try_at: z.optional(time), ...failure }),
  ),
});

const account = z.strictObject({
  provider: z.string(),
  account: z.string(),
  state: z.enum(['well', 'backing_off', 'refused', 'needs_consent', 'misconfigured', 'gone']),
  secret_version: z.optional(described('As last read; absent where the secret is missing')),
  proven: z.boolean().check(z.describe('A log-in succeeded under this version of the secret')),
  refused_logins: z.int(),
  next_try_at: z.optional(time),
  failure: z.optional(
    z.strictObject({
      code: z.enum(['backing_off', 'credentials_refused', 'client_refused', 'misconfigured']),
      field: z.optional(described('The member of the secret that breaks a rule')),
      rule: z.optional(z.string()),
      ...failure,
    }),
  ),
  token_sets: z.array(tokenSet),
});

const problem = z.strictObject({
  type: described('urn:token-vending:problem:{code}'),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: codes,
  field: z.optional(described('The field that breaks a rule')),
  rule: z.optional(z.string()),
  maximum_seconds: z.optional(z.int().check(z.describe('Highest min_ttl that would be accepted'))),
  provider_error: z.optional(described("The provider's own error code")),
  retry_after: z.optional(z.int().check(z.describe('Seconds, as in Retry-After'))),
});

/** Every answer that is of one shape for all providers. */
export const answerSchemas = {
  VendAnswer: vendAnswer,
  Account: account,
  AccountList: z.strictObject({
    accounts: z.array(account),
    next: z.optional(described('Ask again with this as "after" for the next page; absent on the last one')),
  }),
  OpenApi: z.looseObject({ openapi: z.string() }),
  Problem: problem,
  GatewayMessage: z.looseObject({ message: z.optional(described("API Gateway's own answer, given before this service is asked")) }),
} as const;
