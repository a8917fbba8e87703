import * as z from 'zod/mini';

/** An error as AWS answers it. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  /**
   * @param code the exception's name, as the SDK knows it
   * @param message what a person reads
   * @param status HTTP status; the JSON protocols answer 400 for nearly everything
   */
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
  }
}

/** One operation of a JSON protocol: takes the parsed body, returns the answer's body. */
export type Operation = (input: unknown) => unknown;

/** The operations of a service by name. */
export type Service = Readonly<Record<string, Operation>>;

/**
 * An operation that reads its input by a schema. Members that the schema does not name are ignored.
 *
 * @param shape the members that count
 * @param run returns the answer's body; throws {@link AwsError}
 */
export function operation<S extends z.core.$ZodLooseShape>(shape: S, run: (input: z.infer<z.ZodMiniObject<S>>) => unknown): Operation {
  const schema = z.object(shape);
  return (input) => {
    const parsed = schema.safeParse(input);
    if (parsed.success) return run(parsed.data);
    const issue = parsed.error.issues[0];
    throw new AwsError('ValidationException', `${issue?.path.join('.')}: ${issue?.message}`);
  };
}

/** Where everything of the local AWS lives. */
export const region = 'eu-central-1';
export const awsAccount = '111122223333';

/** @returns an ARN in the local account and region */
export function arn(service: string, resource: string): string {
  return `arn:aws:${service}:${region}:${awsAccount}:${resource}`;
}

/** AWS writes times in its JSON protocols as seconds since the epoch. */
export function seconds(ms: number): number {
  return ms / 1000;
}
