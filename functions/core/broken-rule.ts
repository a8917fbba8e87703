import type { SchemaIssue } from './provider.ts';

/** Which field breaks which rule, for a sentence: `{field} {rule}.` Never holds the value. */
export interface BrokenRule {
  /** path with dots, as on the wire; what was given as `whole` where the value itself is of the wrong type */
  field: string;
  /** "must be …" */
  rule: string;
}

/** What the schema library says where a schema has no words of its own. */
const UNSPOKEN = 'Invalid input';
const LONGEST_NAME = 64;

/**
 * Words for one issue of a schema. The small build of the schema library ships none, and its full build's may quote values.
 *
 * @param issue as the schema gave it; its own message wins where a schema's author wrote one
 * @param whole what to call the value itself, for example `body`
 */
export function brokenRule(issue: SchemaIssue, whole: string): BrokenRule {
  // The issue's other members depend on its code; reading them one by one keeps this free of the schema library's types.
  const details: Readonly<Record<string, unknown>> = { ...issue };
  const keys = details['keys'];
  const path = Array.isArray(keys) ? [...issue.path, String(keys[0])] : issue.path;
  // A schema's words for unknown members are about the whole; the member is what the sender wants to hear of.
  const spoken = issue.message !== UNSPOKEN && issue.message !== '' && !Array.isArray(keys);
  return {
    field: path.length === 0 ? whole : printable(path.map(String).join('.')),
    rule: spoken ? issue.message : (rules[issue.code ?? '']?.(details) ?? 'must be valid'),
  };
}

const rules: Readonly<Record<string, (issue: Readonly<Record<string, unknown>>) => string>> = {
  unrecognized_keys: () => 'must not be sent: there is no such field',
  invalid_type: ({ expected }) => `must be ${typeName(String(expected))}`,
  invalid_value: ({ values }) => `must be ${listOf(values)}`,
  too_small: ({ minimum, origin }) => `must be at least ${bound(minimum, origin)}`,
  too_big: ({ maximum, origin }) => `must be at most ${bound(maximum, origin)}`,
  invalid_format: ({ format, pattern }) => (format === 'regex' ? `must match ${String(pattern)}` : `must be a valid ${String(format)}`),
};

function typeName(expected: string): string {
  const names: Readonly<Record<string, string>> = { int: 'a whole number', object: 'an object', array: 'a list' };
  return names[expected] ?? `a ${expected}`;
}

function listOf(values: unknown): string {
  return Array.isArray(values) ? values.map((value: unknown) => JSON.stringify(value)).join(' or ') : 'one of the allowed values';
}

function bound(limit: unknown, origin: unknown): string {
  if (origin === 'string') return `${String(limit)} characters long`;
  return origin === 'array' ? `${String(limit)} entries long` : String(limit);
}

/** A name that a stranger chose is clipped and stripped before it is written anywhere. */
function printable(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, LONGEST_NAME);
}
