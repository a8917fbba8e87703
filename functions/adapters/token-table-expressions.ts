import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { attributes as a } from './token-table-attributes.ts';
import { number, text } from './token-table-items.ts';
import type { Item } from './token-table-items.ts';

/** A piece of an expression: `#x` stands for the attribute x, `:x` for a value given beside it. */
export interface Clause {
  text: string;
  values?: Item;
}

/** New values by attribute: a plain value, a clause that computes one, or undefined to remove the attribute. */
export type Changes = Readonly<Record<string, AttributeValue | Clause | undefined>>;

/** What an UpdateItem needs besides table and key. */
export interface UpdateExpressions {
  UpdateExpression: string;
  ConditionExpression: string;
  ExpressionAttributeNames: Record<string, string>;
  ExpressionAttributeValues?: Item;
}

/** There is no item. */
export const isAbsent: Clause = { text: `attribute_not_exists(#${a.partition})` };

/** The set takes part in the due index. */
export const isIndexed: Clause = { text: `attribute_exists(#${a.dueShard})` };

/** The item exists, under that generation. */
export function generationIs(generation: number): Clause {
  return { text: `#${a.generation} = :generation`, values: { ':generation': number(generation) } };
}

/** Nobody holds a lease, or it ended longer ago than two clocks may differ. */
export function leaseIsOver(nowMs: number, skewMs: number): Clause {
  return {
    text: `(attribute_not_exists(#${a.leaseUntil}) OR #${a.leaseUntil} < :lapsed)`,
    values: { ':lapsed': number(nowMs - skewMs) },
  };
}

/** The lease is that attempt's. */
export function leaseIsOf(attempt: string): Clause {
  return { text: `#${a.leaseBy} = :holder`, values: { ':holder': text(attempt) } };
}

/** The token set's own failure does not hold it up (any more). */
export function failureIsOver(nowMs: number): Clause {
  const notBefore = `#${a.failure}.#n`;
  return { text: `(attribute_not_exists(${notBefore}) OR ${notBefore} <= :now)`, values: { ':now': number(nowMs) } };
}

/** The token that was judged is still the one stored. */
export function expiryIs(expiresAtMs: number): Clause {
  return { text: `#${a.expiresAt} = :expiry`, values: { ':expiry': number(expiresAtMs) } };
}

/** The due time is as it was read. */
export function dueAtIs(dueAtMs: number): Clause {
  return { text: `#${a.dueAt} = :due`, values: { ':due': number(dueAtMs) } };
}

/** The account's item is at that revision. */
export function revisionIs(revision: number): Clause {
  return { text: `#${a.revision} = :revision`, values: { ':revision': number(revision) } };
}

/** What stands there stays; where nothing stands, this value. */
export function ifAbsent(attribute: string, value: AttributeValue): Clause {
  return { text: `if_not_exists(#${attribute}, :first_${attribute})`, values: { [`:first_${attribute}`]: value } };
}

/** One more than what stands there; 1 where nothing stands. */
export function oneMore(attribute: string): Clause {
  return { text: `if_not_exists(#${attribute}, :zero) + :one`, values: { ':zero': number(0), ':one': number(1) } };
}

/**
 * @param changes new values by attribute; undefined removes
 * @param when clauses that must all hold
 * @returns the expressions of one conditional update
 */
export function updateExpressions(changes: Changes, ...when: readonly Clause[]): UpdateExpressions {
  const assignments = Object.entries(changes).flatMap(([attribute, change]) =>
    change === undefined ? [] : [{ attribute, clause: clauseOf(attribute, change) }],
  );
  const removed = Object.keys(changes).filter((attribute) => changes[attribute] === undefined);
  const parts = [
    ...(assignments.length === 0 ? [] : [`SET ${assignments.map(({ attribute, clause }) => `#${attribute} = ${clause.text}`).join(', ')}`]),
    ...(removed.length === 0 ? [] : [`REMOVE ${removed.map((attribute) => `#${attribute}`).join(', ')}`]),
  ];
  const update = parts.join(' ');
  const condition = conditionOf(when);
  return {
    UpdateExpression: update,
    ConditionExpression: condition,
    ...bindings(`${update} ${condition}`, [...assignments.map(({ clause }) => clause), ...when]),
  };
}

/** @returns the expressions of one conditional put */
export function putExpressions(...when: readonly Clause[]): Omit<UpdateExpressions, 'UpdateExpression'> {
  const condition = conditionOf(when);
  return { ConditionExpression: condition, ...bindings(condition, when) };
}

function conditionOf(when: readonly Clause[]): string {
  return when.map((clause) => clause.text).join(' AND ');
}

function clauseOf(attribute: string, change: AttributeValue | Clause): Clause {
  return isClause(change) ? change : { text: `:to_${attribute}`, values: { [`:to_${attribute}`]: change } };
}

function isClause(change: AttributeValue | Clause): change is Clause {
  return 'text' in change;
}

/** DynamoDB refuses names and values that the expressions do not use, and reserves common words as names. */
function bindings(
  expressions: string,
  clauses: readonly Clause[],
): Pick<UpdateExpressions, 'ExpressionAttributeNames' | 'ExpressionAttributeValues'> {
  const names = Object.fromEntries([...expressions.matchAll(/#(\w+)/g)].map(([alias, name]) => [alias, name ?? '']));
  const values: Item = {};
  for (const clause of clauses) Object.assign(values, clause.values);
  return { ExpressionAttributeNames: names, ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }) };
}
