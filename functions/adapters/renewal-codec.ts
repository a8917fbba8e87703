import * as z from 'zod/mini';
import { TokenVendingError } from '../core/errors.ts';
import type { Outcome, RenewCommand } from '../core/renewal.ts';

const maybe = z.optional;

const ref = z.strictObject({ provider: z.string(), account: z.string() });
const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

const command = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('renew'), ref, parameters, minTtlMs: z.number(), rejected: maybe(z.string()) }),
  z.strictObject({
    command: z.literal('renew_due'),
    key: z.strictObject({ partition: z.string(), sort: z.string() }),
    dueAtMs: z.number(),
  }),
  z.strictObject({ command: z.literal('revoke'), ref, parameters }),
  z.strictObject({ command: z.literal('secret_changed'), ref }),
  z.strictObject({ command: z.literal('reset'), ref, parameters: maybe(parameters) }),
  z.strictObject({ command: z.literal('check'), ref }),
]);

const bytes = z.pipe(
  z.base64(),
  z.transform((text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))),
);

// Unknown members are dropped, not refused: while a deployment is under way the two functions may be of different versions.
const item = z.object({
  generation: z.number(),
  sealed: maybe(bytes),
  obtainedAtMs: maybe(z.number()),
  expiresAtMs: maybe(z.number()),
  refreshExpiresAtMs: maybe(z.number()),
  secretVersion: maybe(z.string()),
  lifeMs: maybe(z.number()),
  refreshRefused: maybe(z.boolean()),
  lease: maybe(z.object({ by: z.string(), untilMs: z.number() })),
  doubt: maybe(z.object({ sinceMs: z.number(), count: z.number() })),
  committedBy: maybe(z.string()),
  failure: maybe(
    z.object({
      code: z.enum(['configuration', 'misconfigured', 'needs_consent']),
      atMs: z.number(),
      notBeforeMs: maybe(z.number()),
      providerError: maybe(z.string()),
      secretVersion: maybe(z.string()),
    }),
  ),
  warmUntilMs: maybe(z.number()),
  dueShard: maybe(z.number()),
  dueAtMs: maybe(z.number()),
  dueGroup: maybe(z.string()),
});

const refusal = z.object({
  reason: z.enum([
    'backing_off',
    'credentials_refused',
    'configuration',
    'needs_consent',
    'misconfigured',
    'unreadable',
    'too_soon',
    'too_many_token_sets',
    'too_slow',
    'no_account',
  ]),
  retryAtMs: maybe(z.number()),
  providerError: maybe(z.string()),
  field: maybe(z.string()),
  rule: maybe(z.string()),
});

const outcome = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('renewed'), item }),
  z.object({ outcome: z.literal('current'), item: z.nullish(item) }),
  z.object({ outcome: z.literal('wait'), retryAtMs: z.number() }),
  z.object({ outcome: z.literal('refused'), refusal }),
  z.object({ outcome: z.literal('bad_request'), maximumSeconds: z.number() }),
  z.object({ outcome: z.literal('done'), revokedAtProvider: maybe(z.boolean()) }),
]);

/** @returns the command as JSON can carry it */
export function encodeCommand(value: RenewCommand): unknown {
  return value;
}

/**
 * @param payload parsed JSON that claims to be a command
 * @throws TokenVendingError `internal` where it is none
 */
export function decodeCommand(payload: unknown): RenewCommand {
  return decode(command, payload, 'command');
}

/** @returns the outcome as JSON can carry it: sealed bytes as base64 */
export function encodeOutcome(value: Outcome): unknown {
  if (!('item' in value) || value.item?.sealed === undefined) return value;
  const { buffer, byteOffset, byteLength } = value.item.sealed;
  return { ...value, item: { ...value.item, sealed: Buffer.from(buffer, byteOffset, byteLength).toString('base64') } };
}

/**
 * @param payload parsed JSON that claims to be an outcome
 * @throws TokenVendingError `internal` where it is none
 */
export function decodeOutcome(payload: unknown): Outcome {
  const value = decode(outcome, payload, 'outcome');
  return value.outcome === 'current' ? { ...value, item: value.item ?? undefined } : value;
}

/** The four together, for who takes them as one. */
export const renewalCodec = { encodeCommand, decodeCommand, encodeOutcome, decodeOutcome };

function decode<T>(schema: z.ZodMiniType<T>, payload: unknown, what: string): T {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues[0]?.path.join('.');
  throw new TokenVendingError('internal', {}, { problem: `not a renewal ${what}`, at });
}
