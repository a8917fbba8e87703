import { readFileSync } from 'node:fs';
import { accountNameRules, brokenAccountName } from '../../functions/core/account-name.ts';
import { brokenRule } from '../../functions/core/broken-rule.ts';
import type { Provider } from '../../functions/core/provider.ts';
import { accountOf } from '../../functions/core/token-set.ts';
import { codeOf, PlainError } from './plain-error.ts';

/** Accounts with their secrets' JSON, by `provider/account`. */
export type Accounts = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * Reads the accounts that somebody wants to run against their real providers.
 *
 * @param file JSON: `{ "vidizmo/main": { "base_url": …, … }, … }`, each member as the account's secret would be
 * @throws PlainError that names account, field and rule, never a value
 */
export function readAccounts(file: string, providers: ReadonlyMap<string, Provider>): Accounts {
  const accounts = asObject(parse(file), `${file} must hold a JSON object: { "provider/account": { … } }.`);
  if (Object.keys(accounts).length === 0) throw new PlainError(`${file} holds no account.`);
  return Object.fromEntries(Object.entries(accounts).map(([name, secret]) => [name, check(file, name, secret, providers)]));
}

function parse(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new PlainError(`The secrets file ${file} cannot be read (${codeOf(error)}).`);
  }
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words quote the text, and the text is secret.
    throw new PlainError(`The secrets file ${file} is no JSON.`);
  }
}

function check(file: string, name: string, secret: unknown, providers: ReadonlyMap<string, Provider>): Readonly<Record<string, unknown>> {
  const ref = accountOf(name);
  const broken = brokenAccountName(ref);
  if (broken !== undefined) throw new PlainError(`${file}: ${name}: the ${broken}'s name ${accountNameRules[broken]}.`);
  const provider = providers.get(ref.provider);
  const known = [...providers.keys()].join(', ');
  if (provider === undefined) throw new PlainError(`${file}: ${name}: there is no provider ${ref.provider}; there are ${known}.`);
  const members = asObject(secret, `${file}: ${name} must be a JSON object.`);
  const parsed = provider.credentials.safeParse(members);
  const [issue] = parsed.success ? [] : parsed.error.issues;
  if (issue === undefined) return members;
  const { field, rule } = brokenRule(issue, 'the secret');
  throw new PlainError(`${file}: ${name}: ${field} ${rule}.`);
}

function asObject(value: unknown, complaint: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new PlainError(complaint);
  return { ...value };
}
