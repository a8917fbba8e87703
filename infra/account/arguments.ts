import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';
import { accountNameRules, brokenAccountName } from '../../functions/core/account-name.ts';
import { brokenRule } from '../../functions/core/broken-rule.ts';
import type { Provider } from '../../functions/core/provider.ts';
import { accountOf } from '../../functions/core/token-set.ts';
import type { AccountRef, TokenParameters } from '../../functions/core/token-set.ts';
import { PlainError } from '../local/plain-error.ts';

/** Where the accounts are. */
export type Place =
  /** a deployment of this repository, by the name of its stage */
  | { kind: 'stage'; stage: string; config: string }
  /** any deployment, by its own name */
  | { kind: 'deployment'; deployment: string }
  /** a local run, by its URL */
  | { kind: 'local'; url: string };

/** What is to be done. */
export type Command =
  | { command: 'list' }
  | { command: 'show' | 'check'; ref: AccountRef }
  | { command: 'reset' | 'revoke'; ref: AccountRef; parameters: TokenParameters };

/** What was asked at the command line. */
export type Asked = { help: true } | { help: false; place: Place; command: Command };

/** Where `npm start` listens unless it is told otherwise. */
const LOCAL_URL = 'http://127.0.0.1:8787';
const CONFIG = 'infra/vending.config.ts';

export const usage = `Looks after accounts: npm run account -- COMMAND [provider/account] [where]

  list                      every account, its state and what holds it up
  show provider/account     one account: its token sets, their clocks, the last failure
  check provider/account    is the secret well-formed, and does the provider take it? Never prints it
  reset provider/account    clears back-off and refusals, so that the next request is tried at once
  revoke provider/account   revokes the token at the provider where it can, and forgets it always

  --parameters NAME=VALUE   token parameters of the token set to reset or revoke; once for each
  --stage NAME              a deployment of npm run deploy -- --stage NAME, with your AWS credentials
  --deployment NAME         a deployment by its own name, where another CDK app deployed it
  --local [URL]             a local run that you started (npm start); ${LOCAL_URL} unless told
  --config FILE             for --stage: another ${CONFIG}
  --help                    prints this

It ends with 0 when all is well, 1 when the account is not, 2 when it did not understand.
`;

/** The command line was not understood; the process ends with 2. */
export class UsageError extends PlainError {}

/**
 * @param given arguments after the script's name
 * @throws UsageError that says what is wrong, by name and rule
 */
export function readArguments(given: readonly string[], providers: ReadonlyMap<string, Provider>): Asked {
  const { values, positionals } = parseWords(given, { help: { type: 'boolean' }, parameters: { type: 'string', multiple: true } }, true);
  if (values.help === true || given.length === 0) return { help: true };
  const [name = '', account, ...more] = positionals;
  if (more.length > 0) throw new UsageError(`One account at a time: ${more.join(' ')} is too much.`);
  return { help: false, place: placeOf(values), command: commandOf(name, account, values.parameters ?? [], providers) };
}

/** Options that say where. */
export interface PlaceOptions {
  stage?: string | undefined;
  deployment?: string | undefined;
  local?: string | undefined;
  config?: string | undefined;
}

const text = { type: 'string' } as const;
const placeOptions = { stage: text, deployment: text, local: text, config: text };

/**
 * Reads the words of a command that takes a place.
 *
 * @param given arguments after the script's name
 * @param options what the command takes besides {@link PlaceOptions}
 * @throws UsageError that names the word
 */
export function parseWords<O extends ParseArgsOptionsConfig>(given: readonly string[], options: O, allowPositionals = false) {
  // `--local` alone means the usual URL; the parser knows no optional values.
  const args = given.map((word, index) => (word === '--local' && !/^https?:/.test(given[index + 1] ?? '') ? `--local=${LOCAL_URL}` : word));
  try {
    return parseArgs({ args, allowPositionals, options: { ...options, ...placeOptions } });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @throws UsageError unless exactly one place is named */
export function placeOf({ stage, deployment, local, config = CONFIG }: PlaceOptions): Place {
  const given = [stage, deployment, local].filter((value) => value !== undefined);
  if (given.length !== 1) throw new UsageError('Say where: --stage NAME, --deployment NAME or --local [URL], one of them.');
  if (stage !== undefined) return { kind: 'stage', stage, config };
  if (deployment !== undefined) return { kind: 'deployment', deployment };
  const url = (local ?? '').replace(/\/+$/, '');
  if (!URL.canParse(url)) throw new UsageError(`--local must be the URL of a local run, such as ${LOCAL_URL}.`);
  return { kind: 'local', url };
}

function commandOf(
  command: string,
  account: string | undefined,
  given: readonly string[],
  providers: ReadonlyMap<string, Provider>,
): Command {
  const narrowed = command === 'reset' || command === 'revoke';
  if (given.length > 0 && !narrowed) throw new UsageError(`--parameters is for reset and revoke, not for ${command || 'nothing'}.`);
  if (command === 'list') {
    if (account !== undefined) throw new UsageError(`list shows every account; for one: show ${account}`);
    return { command };
  }
  if (command !== 'show' && command !== 'check' && !narrowed) {
    throw new UsageError(`There is no command ${command || '(none given)'}: list, show, check, reset or revoke.`);
  }
  const { ref, provider } = accountNamed(account, command, providers);
  return narrowed ? { command, ref, parameters: parametersOf(provider, given) } : { command, ref };
}

function accountNamed(account: string | undefined, command: string, providers: ReadonlyMap<string, Provider>) {
  const known = [...providers.keys()].join(', ');
  if (account === undefined || !account.includes('/')) {
    throw new UsageError(`Say which account: ${command} provider/account, where provider is one of ${known}.`);
  }
  const ref = accountOf(account);
  const provider = providers.get(ref.provider);
  if (provider === undefined) throw new UsageError(`There is no provider ${ref.provider}; there are ${known}.`);
  const broken = brokenAccountName(ref);
  if (broken !== undefined) throw new UsageError(`${account}: the name of the ${broken} ${accountNameRules[broken]}.`);
  return { ref, provider };
}

/** A command line knows no types: what the provider does not take as text may be a number or a truth. */
function parametersOf(provider: Provider, given: readonly string[]): TokenParameters {
  const pairs = given.map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`--parameters must be NAME=VALUE, not ${pair}.`);
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  const asText = provider.parameters.safeParse(Object.fromEntries(pairs));
  if (asText.success) return asText.data;
  const asTyped = provider.parameters.safeParse(Object.fromEntries(pairs.map(([name, value]) => [name, typed(value)])));
  if (asTyped.success) return asTyped.data;
  const [issue] = asText.error.issues;
  const { field, rule } = issue === undefined ? { field: '--parameters', rule: 'must be valid' } : brokenRule(issue, '--parameters');
  throw new UsageError(`${field} ${rule}.`);
}

function typed(value: string): string | number | boolean {
  if (value === 'true' || value === 'false') return value === 'true';
  return /^-?\d{1,15}$/.test(value) ? Number(value) : value;
}
