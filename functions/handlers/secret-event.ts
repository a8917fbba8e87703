import * as z from 'zod/mini';

/**
 * Secrets Manager's own event, and CloudTrail's record of a deletion or a restoration.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/event-detail-secret-label-updated-secretsmanager.html
 */
const secretEvent = z.object({
  source: z.literal('aws.secretsmanager'),
  detail: z.object({
    name: z.optional(z.string()),
    requestParameters: z.nullish(z.object({ secretId: z.optional(z.string()) })),
    responseElements: z.nullish(z.object({ name: z.optional(z.string()) })),
  }),
});

/** A secret's ARN ends with a hyphen and six characters that are no part of its name. */
const SECRET_ARN = /^arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:(.+)-[A-Za-z0-9]{6}$/;

/** @returns the name of the secret that an event is about; undefined where it is no event about a secret */
export function secretNameOf(event: unknown): string | undefined {
  const parsed = secretEvent.safeParse(event);
  if (!parsed.success) return undefined;
  const { name, requestParameters, responseElements } = parsed.data.detail;
  const asked = requestParameters?.secretId;
  return name ?? responseElements?.name ?? (asked === undefined ? undefined : (SECRET_ARN.exec(asked)?.[1] ?? asked));
}
