import * as z from 'zod/mini';

const word = z.optional(z.string());

/** A line that a function logged: audit, metric or word to the operators, as its telemetry writes it. */
const schema = z.looseObject({
  kind: word,
  time: word,
  event: word,
  outcome: word,
  account: word,
  code: word,
  generation: z.optional(z.number()),
  detail: z.optional(z.looseObject({ call: word, occasion: word })),
  level: word,
  message: word,
  error: z.optional(z.unknown()),
});
type Line = z.infer<typeof schema>;

const calls: Readonly<Record<string, string>> = { login: 'by log-in', refresh: 'by refresh' };
const occasions: Readonly<Record<string, string>> = { due: 'the schedule', vend: 'a vend' };

/**
 * Says in one line for people what a function logged, or nothing: metrics, and what the caller saw anyway, are left out.
 *
 * @param line one line of a function's standard output
 * @returns undefined where there is nothing to say
 */
export function humanLine(line: string): string | undefined {
  const value = parse(line);
  if (value === undefined) return line;
  const words = value.kind === 'audit' ? audited(value) : logged(value);
  return words === undefined ? undefined : `${value.time?.slice(11, 19)} ${words}`;
}

function audited({ event, outcome, account = 'the service', code, generation, detail = {} }: Line): string | undefined {
  const how = calls[detail.call ?? ''] ?? '';
  const why = code === undefined ? '' : ` (${code})`;
  if (event === 'vend' && outcome === 'success') return undefined;
  if (event !== 'renew') return `${account}: ${event} ${outcome}${why}`;
  if (outcome !== 'success') return `${account}: could not be renewed ${how}${why}`;
  return `${account}: renewed ${how} for ${occasions[detail.occasion ?? ''] ?? detail.occasion}, generation ${generation}`;
}

function logged({ kind, time: _time, level, message, ...rest }: Line): string | undefined {
  return kind === 'log' && (level === 'warn' || level === 'error') ? `${level}: ${message} ${JSON.stringify(rest)}` : undefined;
}

function parse(line: string): Line | undefined {
  try {
    return schema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/**
 * Stands between the functions, which write to standard output as Lambda wants it, and the terminal.
 *
 * @param view what is shown for a line; undefined: nothing
 * @returns steps aside
 */
export function viewLines(view: (line: string) => string | undefined): () => void {
  const { stdout } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    if (typeof chunk !== 'string' || !chunk.startsWith('{"')) return Reflect.apply(write, stdout, [chunk, ...rest]) === true;
    const shown = view(chunk.trimEnd());
    return shown === undefined || write(`${shown}\n`);
  };
  return () => {
    stdout.write = write;
  };
}
