import * as z from 'zod/mini';

const YEAR_SECONDS = 31_536_000;

/** What a vend takes besides the provider's token parameters. */
export const vendOptions = z.object({
  min_ttl: z.optional(
    z
      .int('must be a whole number of seconds')
      .check(
        z.gte(0, 'must not be negative'),
        z.lte(YEAR_SECONDS, `must be at most ${YEAR_SECONDS}`),
        z.describe('Seconds that the token must live at least; at most 60 % of its whole life'),
      ),
  ),
  rejected: z.optional(
    z
      .string('must be a string')
      .check(
        z.regex(/^[A-Za-z0-9_-]{43}$/, 'must be the fingerprint of a token: SHA-256, base64url, 43 characters'),
        z.describe('Fingerprint of a token that the provider refused: that one is not vended again, but renewed'),
      ),
  ),
});

/**
 * Whether a provider may not have a token parameter of this name: it means, or will mean, something of the interface itself.
 *
 * @param name as on the wire
 */
export function isReserved(name: string): boolean {
  return Object.hasOwn(vendOptions.shape, name) || name === 'grant_type' || name.startsWith('client_');
}
