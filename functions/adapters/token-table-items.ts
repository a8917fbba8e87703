import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { AccountFailure, AccountItem } from '../core/account.ts';
import { TokenVendingError } from '../core/errors.ts';
import type { DueEntry } from '../core/ports.ts';
import { accountOf, partitionOf } from '../core/token-set.ts';
import type { AccountRef, SetFailure, TokenSetItem, TokenSetKey } from '../core/token-set.ts';
import { accountSort, attributes as a } from './token-table-attributes.ts';

/** An item as DynamoDB gives it. */
export type Item = Record<string, AttributeValue>;

/** The format that this code writes. */
export const schemaVersion = 1;

// Records, so that a new code does not compile before it can be read back.
const setFailureCodes: Readonly<Record<SetFailure['code'], true>> = { configuration: true, misconfigured: true, needs_consent: true };
const accountFailureCodes: Readonly<Record<AccountFailure['code'], true>> = {
  backing_off: true,
  credentials_refused: true,
  client_refused: true,
  misconfigured: true,
};

type Decoders<T> = Readonly<Record<number, (item: Item) => T>>;

/** One reader a format, so that a deployment reads what yesterday's wrote. A reader is never removed while items live. */
export const tokenSetDecoders: Decoders<TokenSetItem> = { 1: tokenSetOfVersion1 };
export const accountDecoders: Decoders<AccountItem> = { 1: accountOfVersion1 };

/**
 * @param item a token set's item
 * @param decoders a reader for each known format
 * @returns what it says
 * @throws TokenVendingError `internal` for a format that this code does not know: a newer deployment wrote it, and to treat it
 *   as absent would overwrite it
 */
export function decodeTokenSet(item: Item, decoders = tokenSetDecoders): TokenSetItem {
  return decoderOf(item, decoders)(item);
}

/** As {@link decodeTokenSet}, for an account's item. */
export function decodeAccount(item: Item, decoders = accountDecoders): AccountItem {
  return decoderOf(item, decoders)(item);
}

/** @returns the key of an account's item */
export function accountKey(ref: AccountRef): TokenSetKey {
  return { partition: partitionOf(ref), sort: accountSort };
}

/** @returns a key as DynamoDB wants it */
export function encodeKey(key: TokenSetKey): Item {
  return { [a.partition]: text(key.partition), [a.sort]: text(key.sort) };
}

/** @returns the key that an item, or an entry of an index, begins with */
export function decodeKey(item: Item): TokenSetKey {
  return { partition: item[a.partition]?.S ?? '', sort: item[a.sort]?.S ?? '' };
}

/** @returns an entry of the due index */
export function decodeDueEntry(item: Item): DueEntry {
  return { key: decodeKey(item), dueAtMs: Number(item[a.dueAt]?.N), group: item[a.dueGroup]?.S };
}

/** @returns the whole item of an account; what is false, zero or empty is left out */
export function encodeAccount(account: AccountItem): Item {
  const sent = Object.entries(account.unanswered);
  return present({
    ...encodeKey(accountKey(account.ref)),
    [a.schema]: number(schemaVersion),
    [a.listing]: text(account.ref.provider),
    [a.revision]: number(account.revision),
    [a.secretVersion]: text(account.secretVersion),
    [a.identity]: text(account.identity),
    [a.proven]: flag(account.proven),
    [a.refused]: account.refused === 0 ? undefined : number(account.refused),
    [a.unanswered]: sent.length === 0 ? undefined : { M: Object.fromEntries(sent.map(([by, atMs]) => [by, number(atMs)])) },
    [a.nextLoginAt]: optional(account.nextLoginAtMs, number),
    [a.notBefore]: optional(account.notBeforeMs, number),
    [a.outages]: account.outages === 0 ? undefined : number(account.outages),
    [a.clientRefused]: flag(account.clientRefused),
    [a.keep]: flag(account.keep),
    [a.failure]: optional(account.failure, encodeFailure),
  });
}

/** @returns a failure's map, of a token set or of an account */
export function encodeFailure(failure: SetFailure | AccountFailure): AttributeValue {
  return {
    M: present({
      c: text(failure.code),
      t: number(failure.atMs),
      n: 'notBeforeMs' in failure ? optional(failure.notBeforeMs, number) : undefined,
      p: optional(failure.providerError, text),
      s: 'secretVersion' in failure ? optional(failure.secretVersion, text) : undefined,
      m: 'field' in failure ? optional(failure.field, text) : undefined,
      r: 'rule' in failure ? optional(failure.rule, text) : undefined,
    }),
  };
}

/** @returns a number as DynamoDB wants it */
export function number(value: number): AttributeValue {
  return { N: String(value) };
}

/** @returns a text as DynamoDB wants it */
export function text(value: string): AttributeValue {
  return { S: value };
}

/** @returns `encode(value)`, or undefined for undefined */
export function optional<T>(value: T | undefined, encode: (value: T) => AttributeValue): AttributeValue | undefined {
  return value === undefined ? undefined : encode(value);
}

function tokenSetOfVersion1(item: Item): TokenSetItem {
  const dueShard = numberOf(item[a.dueShard]);
  const leaseBy = item[a.leaseBy]?.S;
  const doubtCount = numberOf(item[a.doubtCount]);
  return {
    generation: numberOf(item[a.generation]) ?? 0,
    sealed: item[a.sealed]?.B,
    obtainedAtMs: numberOf(item[a.obtainedAt]),
    expiresAtMs: numberOf(item[a.expiresAt]),
    refreshExpiresAtMs: numberOf(item[a.refreshExpiresAt]),
    secretVersion: item[a.secretVersion]?.S,
    lifeMs: numberOf(item[a.life]),
    refreshRefused: item[a.refreshRefused]?.BOOL,
    lease: leaseBy === undefined ? undefined : { by: leaseBy, untilMs: numberOf(item[a.leaseUntil]) ?? 0 },
    doubt: doubtCount === undefined ? undefined : { sinceMs: numberOf(item[a.doubtSince]) ?? 0, count: doubtCount },
    committedBy: item[a.committedBy]?.S,
    failure: decodeSetFailure(item[a.failure]?.M),
    warmUntilMs: numberOf(item[a.warmUntil]),
    dueShard,
    // A release moves `due_at` without asking whether the set is in the index; outside of it the time means nothing.
    dueAtMs: dueShard === undefined ? undefined : numberOf(item[a.dueAt]),
    dueGroup: item[a.dueGroup]?.S,
  };
}

function accountOfVersion1(item: Item): AccountItem {
  const sent = Object.entries(item[a.unanswered]?.M ?? {});
  return {
    ref: accountOf(decodeKey(item).partition),
    revision: numberOf(item[a.revision]) ?? 0,
    secretVersion: item[a.secretVersion]?.S ?? '',
    identity: item[a.identity]?.S ?? '',
    proven: item[a.proven]?.BOOL ?? false,
    refused: numberOf(item[a.refused]) ?? 0,
    unanswered: Object.fromEntries(sent.map(([by, at]) => [by, numberOf(at) ?? 0])),
    nextLoginAtMs: numberOf(item[a.nextLoginAt]),
    notBeforeMs: numberOf(item[a.notBefore]),
    outages: numberOf(item[a.outages]) ?? 0,
    clientRefused: item[a.clientRefused]?.BOOL ?? false,
    keep: item[a.keep]?.BOOL ?? false,
    failure: decodeAccountFailure(item[a.failure]?.M),
  };
}

function decodeSetFailure(map: Item | undefined): SetFailure | undefined {
  return (
    map && {
      code: wordOf(map['c'], setFailureCodes),
      atMs: numberOf(map['t']) ?? 0,
      notBeforeMs: numberOf(map['n']),
      providerError: map['p']?.S,
      secretVersion: map['s']?.S,
    }
  );
}

function decodeAccountFailure(map: Item | undefined): AccountFailure | undefined {
  return (
    map && {
      code: wordOf(map['c'], accountFailureCodes),
      atMs: numberOf(map['t']) ?? 0,
      providerError: map['p']?.S,
      field: map['m']?.S,
      rule: map['r']?.S,
    }
  );
}

function wordOf<W extends string>(value: AttributeValue | undefined, words: Readonly<Record<W, true>>): W {
  const word = value?.S ?? '';
  if (!isOneOf(word, words)) throw new TokenVendingError('internal', {}, { problem: 'item with an unknown failure', word });
  return word;
}

function isOneOf<W extends string>(word: string, words: Readonly<Record<W, true>>): word is W {
  return Object.hasOwn(words, word);
}

function decoderOf<T>(item: Item, decoders: Decoders<T>): (item: Item) => T {
  const version = numberOf(item[a.schema]);
  const decoder = version === undefined ? undefined : decoders[version];
  if (decoder === undefined) {
    throw new TokenVendingError(
      'internal',
      {},
      { problem: 'item of an unknown format', version, known: Object.keys(decoders), ...decodeKey(item) },
    );
  }
  return decoder;
}

function numberOf(value: AttributeValue | undefined): number | undefined {
  return value?.N === undefined ? undefined : Number(value.N);
}

function flag(value: boolean): AttributeValue | undefined {
  return value ? { BOOL: true } : undefined;
}

/** Leaves out what is undefined. */
function present(members: Readonly<Record<string, AttributeValue | undefined>>): Item {
  const item: Item = {};
  for (const [name, value] of Object.entries(members)) if (value !== undefined) item[name] = value;
  return item;
}
