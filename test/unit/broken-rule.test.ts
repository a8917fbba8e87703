import { describe, expect, test } from '@jest/globals';
import * as z from 'zod/mini';
import { brokenRule } from '../../functions/core/broken-rule.ts';
import type { SchemaIssue } from '../../functions/core/provider.ts';

function firstIssue(schema: z.ZodMiniType, value: unknown): SchemaIssue {
  const issue = schema.safeParse(value).error?.issues[0];
  if (issue === undefined) throw new Error('the value breaks no rule');
  return issue;
}

describe('a broken rule', () => {
  test.each([
    [z.strictObject({}), { surprise: 1 }, 'surprise', 'must not be sent: there is no such field'],
    [z.object({ name: z.string() }), { name: 3 }, 'name', 'must be a string'],
    [z.object({ count: z.int() }), { count: 1.5 }, 'count', 'must be a whole number'],
    [z.object({ kind: z.enum(['a', 'b']) }), { kind: 'c' }, 'kind', 'must be "a" or "b"'],
    [z.object({ count: z.number().check(z.gte(3)) }), { count: 2 }, 'count', 'must be at least 3'],
    [z.object({ name: z.string().check(z.maxLength(2)) }), { name: 'abc' }, 'name', 'must be at most 2 characters long'],
    [z.object({ list: z.array(z.string()).check(z.minLength(1)) }), { list: [] }, 'list', 'must be at least 1 entries long'],
    [z.object({ name: z.string().check(z.regex(/^a/)) }), { name: 'b' }, 'name', 'must match /^a/'],
    [z.object({ link: z.url() }), { link: 'b' }, 'link', 'must be a valid url'],
    [z.object({ deep: z.object({ list: z.array(z.boolean()) }) }), { deep: { list: [1] } }, 'deep.list.0', 'must be a boolean'],
    [z.object({}), 'text', 'body', 'must be an object'],
  ])('is put in words %#', (schema, value, field, rule) => {
    expect(brokenRule(firstIssue(schema, value), 'body')).toEqual({ field, rule });
  });

  test('is told in the words of the schema where it has some', () => {
    const schema = z.object({ name: z.string('must be a name') });
    expect(brokenRule(firstIssue(schema, { name: 1 }), 'body')).toEqual({ field: 'name', rule: 'must be a name' });
  });

  test('never shows more than 64 printable characters of a name that a stranger chose', () => {
    const { field } = brokenRule(firstIssue(z.strictObject({}), { [`\u0007${'x'.repeat(100)}`]: 1 }), 'body');
    expect(field).toBe(`?${'x'.repeat(63)}`);
  });
});
