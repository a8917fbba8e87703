import type { AccountFailure } from '../../functions/core/account.ts';
import { hostRule, type AccountState } from '../../functions/core/account-health.ts';
import type { AccountView, TokenSetView } from '../../functions/core/manage-accounts.ts';
import type { Refusal } from '../../functions/core/renewal.ts';
import { partitionOf } from '../../functions/core/token-set.ts';
import type { AccountRef, SetFailure } from '../../functions/core/token-set.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const stateWords: Readonly<Record<AccountState, string>> = {
  well: 'well',
  backing_off: 'backing off',
  refused: 'refused',
  needs_consent: 'needs consent',
  misconfigured: 'misconfigured',
  gone: 'gone',
};

/** @returns a moment for people: `2026-11-23T01:02:03Z (in 4 min)` */
export function moment(ms: number, nowMs: number): string {
  const time = `${new Date(ms).toISOString().slice(0, 19)}Z`;
  const span = length(Math.abs(ms - nowMs));
  return ms >= nowMs ? `${time} (in ${span})` : `${time} (${span} ago)`;
}

function length(ms: number): string {
  if (ms < 2 * MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < 2 * HOUR) return `${Math.round(ms / MINUTE)} min`;
  return ms < 2 * DAY ? `${Math.round(ms / HOUR)} h` : `${Math.round(ms / DAY)} days`;
}

/** @returns rows under their headings, in columns */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** @returns one row of the list: account, state, token sets, next try, last failure */
export function rowOf(view: AccountView, nowMs: number): string[] {
  const living = view.tokenSets.filter(({ state }) => state === 'living').length;
  return [
    partitionOf(view.ref),
    stateWords[view.state],
    `${living} living of ${view.tokenSets.length}`,
    view.nextTryAtMs === undefined ? '-' : moment(view.nextTryAtMs, nowMs),
    view.failure === undefined ? '-' : failureWords(view.failure, nowMs),
  ];
}

/** @returns everything about an account, line by line */
export function describeAccount(view: AccountView, nowMs: number): string[] {
  const { state, proven, refusedLogins, secretVersion, nextTryAtMs, failure, tokenSets } = view;
  const secret =
    secretVersion === ''
      ? 'missing, or marked for deletion'
      : `version ${secretVersion}, ${proven ? 'proven by a log-in' : 'no log-in has succeeded with it yet'}`;
  return [
    `${partitionOf(view.ref)}: ${stateWords[state]}`,
    `  secret        ${secret}`,
    ...(refusedLogins === 0 ? [] : [`  refused       ${refusedLogins} log-ins under this version`]),
    ...(nextTryAtMs === undefined ? [] : [`  next try      ${moment(nextTryAtMs, nowMs)}`]),
    ...(failure === undefined ? [] : [`  last failure  ${failureWords(failure, nowMs)}`]),
    ...(tokenSets.length === 0
      ? ['  no token set: nobody has asked for a token yet']
      : tokenSets.flatMap((set) => describeSet(set, nowMs))),
  ];
}

function describeSet(set: TokenSetView, nowMs: number): string[] {
  const clocks: readonly (readonly [string, number | undefined])[] = [
    ['obtained', set.obtainedAtMs],
    ['expires', set.expiresAtMs],
    ['session ends', set.refreshExpiresAtMs],
    ['renewed at', set.dueAtMs],
    ['warm until', set.warmUntilMs],
  ];
  return [
    `  ${set.set}: ${set.state}, generation ${set.generation}${set.renewing ? ', being renewed now' : ''}`,
    ...clocks.flatMap(([name, at]) => (at === undefined ? [] : [`    ${name.padEnd(12)}  ${moment(at, nowMs)}`])),
    ...(set.failure === undefined ? [] : [`    ${'failed'.padEnd(12)}  ${failureWords(set.failure, nowMs)}`]),
  ];
}

/** @returns a failure in one line: code, the provider's own, the field, when */
function failureWords(failure: AccountFailure | SetFailure, nowMs: number): string {
  const { code, atMs, providerError } = failure;
  const theirs = providerError === undefined ? '' : ` (the provider says ${providerError})`;
  const field = 'field' in failure && failure.field !== undefined ? `: ${failure.field} ${failure.rule ?? 'breaks a rule'}` : '';
  return `${code.replaceAll('_', ' ')}${theirs}${field}, ${moment(atMs, nowMs)}`;
}

/** @returns why nothing was obtained, and what to do, as sentences */
export function refusalWords(ref: AccountRef, refusal: Refusal, secretName: string, nowMs: number): string[] {
  const { reason, retryAtMs, providerError, field = 'the secret', rule = 'breaks a rule' } = refusal;
  const { provider } = ref;
  const code = providerError === undefined ? '' : ` Its own code: ${providerError}.`;
  const next = retryAtMs === undefined ? '' : ` The next try is at ${moment(retryAtMs, nowMs)}.`;
  const put = `aws secretsmanager put-secret-value --secret-id ${secretName} --secret-string file://secret.json`;
  const create = `aws secretsmanager create-secret --name ${secretName} --secret-string file://secret.json`;
  const sentences: Readonly<Record<Refusal['reason'], readonly string[]>> = {
    no_account: [
      `There is no secret ${secretName}, or it is marked for deletion. docs/providers/${provider}.md shows its shape; then:`,
      create,
    ],
    misconfigured: [
      `The secret breaks a rule: ${field} ${rule}. ${field === hostRule.field ? 'List its origin under privateOrigins and deploy, or mend it' : 'Mend it'}:`,
      put,
    ],
    credentials_refused: [`${provider} refuses the credentials.${code}${next} A new version of the secret is tried at once:`, put],
    configuration: [
      `${provider} takes the credentials and refuses what is asked with them: scope, profile, or what the client may do.${code}${next}`,
    ],
    needs_consent: [`A person must give consent at ${provider} again.${code}`],
    backing_off: [`${provider} failed lately and is left alone for a while, so the secret was not tried.${code}${next}`],
    unreadable: [`${provider} answered with something that holds no token.${next}`],
    too_soon: [`The token was renewed a moment ago and may not be renewed again yet.${next}`],
    too_many_token_sets: ['The account holds as many living token sets as it may.'],
    too_slow: [`${provider} took too long to answer.${next}`],
  };
  return [...sentences[reason]];
}
