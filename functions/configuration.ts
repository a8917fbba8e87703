import * as z from 'zod/mini';
import { brokenRule } from './core/broken-rule.ts';
import type { CallerRules } from './core/caller.ts';
import type { Schema } from './core/provider.ts';

/** What an entry hands over: `process.env`. No secret ever stands there, so values may be shown when they are wrong. */
export type Environment = Readonly<Record<string, string | undefined>>;

const word = z.string().check(z.regex(/^\S+$/, 'must be set, without spaces'));
function wholeNumber(least: number, most: number) {
  const rule = `must be a whole number from ${least} to ${most}`;
  const inRange = (text: string) => /^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most;
  return z.pipe(z.string().check(z.refine(inRange, rule)), z.transform(Number));
}

/** What every function knows about where it runs. */
const common = {
  /** the table of token sets, accounts and data keys */
  TABLE_NAME: word,
  /** name of the deployment; sealed values are bound to it, so it never changes once tokens are stored */
  DEPLOYMENT: word,
  /** partitions of the due index; one carries some hundred renewals a second, which is more than most deployments ever need */
  DUE_SHARDS: z.prefault(wholeNumber(1, 256), '1'),
};

/** For the functions that judge token sets. */
const judging = {
  KEY_ID: word,
  /** token sets obtained before it (ms since the epoch) count as in doubt: the table was restored from a backup of then */
  RESTORE_EPOCH_MS: z.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
};

/** Who may call, for the functions behind the HTTP API. */
const callers = {
  /** parameters under this path hold the grants */
  GRANTS_PATH: z.string().check(z.regex(/^\/[\w./-]+[^/]$/, 'must be a parameter path: /a/b')),
  /** `iam`: callers sign with IAM credentials, which needs nothing else set up; `jwt {issuer} {scope}`: they bring a token of that issuer */
  CALLERS: z.prefault(
    z.pipe(z.string().check(z.regex(/^(iam|jwt \S+ \S+)$/, 'must be "iam" or "jwt {issuer} {scope}"')), z.transform(callerRulesOf)),
    'iam',
  ),
};

const vendToken = z.object({ ...common, ...callers, ...judging, RENEW_FUNCTION: word });

const manageAccounts = z.object({ ...common, ...callers, RENEW_FUNCTION: word });

/** the queue between the dispatcher and the workers */
const QUEUE_URL = z.url();

const dispatchRenewals = z.object({ ...common, QUEUE_URL });

const renewTokenSets = z.object({
  ...common,
  ...judging,
  QUEUE_URL,
  /** secrets are named `{prefix}/{provider}/{account}` */
  SECRET_PREFIX: z.string().check(z.regex(/^[\w/.-]*[\w.-]$/, 'must be a secret name without a slash at its end')),
  /** origins that may resolve to private addresses, separated by spaces; none by default: only the public internet is called */
  EGRESS_ORIGINS: z.prefault(
    z.pipe(z.string().check(z.regex(/^(https:\/\/[^/\s]+ *)*$/, 'must be https origins, separated by spaces')), z.transform(words)),
    '',
  ),
  /** living token sets an account may hold; 1,000 profiles of one tenant fit, a caller that loops over made-up parameters does not */
  MAX_TOKEN_SETS: z.prefault(wholeNumber(1, 1_000_000), '1000'),
});

/** The environment of each function, as a schema; the stack reads the names of its variables here. */
export const configurations = { vendToken, manageAccounts, dispatchRenewals, renewTokenSets } as const;

/**
 * Reads a function's configuration, once, at the start.
 *
 * @param schema one of {@link configurations}
 * @param environment `process.env`
 * @throws Error that names every variable, its value and the rule that it breaks, all of them together
 */
export function readConfiguration<T>(schema: Schema<T>, environment: Environment): T {
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const { field, rule } = brokenRule(issue, 'environment');
    const value = environment[field];
    return value === undefined ? `${field} must be set` : `${field} ${rule}, but is ${JSON.stringify(value)}`;
  });
  throw new Error(`configuration: ${problems.join('; ')}`);
}

function callerRulesOf(text: string): CallerRules {
  const [kind, issuer = '', scope = ''] = words(text);
  return kind === 'jwt' ? { kind, issuer, scope } : { kind: 'iam' };
}

function words(text: string): readonly string[] {
  return text.split(' ').filter((word) => word !== '');
}
