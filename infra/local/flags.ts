import { parseArgs } from 'node:util';
import { messageOf, PlainError } from './plain-error.ts';

/** What `npm start` was told. */
export interface Flags {
  help: boolean;
  data: string | undefined;
  secrets: string | undefined;
  port: number;
  lifeSeconds: number;
  tickSeconds: number;
  callers: 'jwt' | 'iam';
  /** every line that the functions log, as it is */
  verbose: boolean;
}

export const usage = `Runs the whole service on this machine: npm start -- [flags]

  --data DIR       keeps tokens, secrets and keys in DIR, for you alone, and goes on there at the next start
  --secrets FILE   takes your own accounts against their real providers, in place of the simulators;
                   FILE is JSON: { "vidizmo/main": { "base_url": "https://…", … } }
  --port N         where the gateway listens, 0 for any free port (default 8787)
  --life SECONDS   how long the simulators' tokens live (default 150; under 120 the schedule leaves them alone)
  --tick SECONDS   how often the schedule looks for what is due (default 10; deployed: 60)
  --callers KIND   jwt: callers bring a token of the development issuer (default); iam: they sign with AWS keys
  --verbose        prints what the functions log, line by line
  --help           prints this`;

/**
 * @param args of the command line
 * @throws PlainError that says what is wrong
 */
export function readFlags(args: readonly string[]): Flags {
  const values = parse(args);
  const callers = values.callers ?? 'jwt';
  if (callers !== 'jwt' && callers !== 'iam') throw new PlainError(`--callers must be jwt or iam, not ${callers}.`);
  return {
    help: values.help ?? false,
    verbose: values.verbose ?? false,
    data: values.data,
    secrets: values.secrets,
    port: wholeNumber('port', values.port ?? '8787', 0, 65_535),
    lifeSeconds: wholeNumber('life', values.life ?? '150', 5, 86_400),
    tickSeconds: wholeNumber('tick', values.tick ?? '10', 1, 3_600),
    callers,
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { data: text, secrets: text, port: text, life: text, tick: text, callers: text, verbose: flag, help: flag } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    const [sentence] = messageOf(error).split('. ');
    throw new PlainError(`${sentence?.replace(/\.$/, '')}. Run npm start -- --help for what there is.`);
  }
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new PlainError(`--${name} must be a whole number from ${least} to ${most}, not ${text}.`);
}
