import * as z from 'zod/mini';
import { Secret } from '../core/secret.ts';

/** A credential: wrapped as soon as it is read, so that it cannot print. */
export const secret = z.pipe(
  z.string({ error: 'must be a string' }).check(z.minLength(1, 'must not be empty'), z.maxLength(4096, 'must be at most 4096 characters')),
  z.transform((value: string) => new Secret(value)),
);

/** A name that is sent as it stands: a user, a client, a scope. */
export const name = z
  .string({ error: 'must be a string' })
  .check(z.minLength(1, 'must not be empty'), z.maxLength(512, 'must be at most 512 characters'));

/** Origin and path prefix of an API, https, without user, query or fragment; a trailing slash is dropped. */
export const httpsUrl = z.pipe(
  z
    .string({ error: 'must be an https URL' })
    .check(z.refine(isPlainHttps, { error: 'must be an https URL without user, query and fragment' })),
  z.transform((value: string) => value.replace(/\/+$/, '')),
);

/** `always`: the schedule renews it also when nobody asks. */
export const keep = z.optional(z.literal('always', { error: 'must be "always"' }));

/** The parameters of a provider that has none. */
export const noParameters = z.strictObject({}, { error: 'must be empty: this provider has no token parameters' });

/** What a schema of credentials says when the secret is no object or has a member too many. */
export const shape = {
  error: (issue: { code?: string | undefined }) => (issue.code === 'unrecognized_keys' ? 'must not be there' : 'must be a JSON object'),
};

function isPlainHttps(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return url.protocol === 'https:' && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}
