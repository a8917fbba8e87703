import * as z from 'zod/mini';

/** What a vend takes besides the provider's token parameters. The names are reserved: no provider has a parameter of these. */
export const vendOptions = z.object({
  /** seconds that the token must live at least */
  min_ttl: z.optional(
    z.int('must be a whole number of seconds').check(z.gte(0, 'must not be negative'), z.lte(31_536_000, 'must be at most 31536000')),
  ),
  /** fingerprint of a token that the provider refused: SHA-256, base64url without padding */
  rejected: z.optional(
    z
      .string('must be a string')
      .check(z.regex(/^[A-Za-z0-9_-]{43}$/, 'must be the fingerprint of a token: SHA-256, base64url, 43 characters')),
  ),
});

/** Names that no token parameter may have, in words for the test that holds it; `client_*` is reserved as well. */
export const reservedParameters: readonly string[] = ['min_ttl', 'rejected', 'grant_type'];
