import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { problems } from '../../functions/handlers/problem.ts';
import { routes } from '../../functions/routes.ts';

const docs = readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'http.md'), 'utf8');

describe('docs/http.md', () => {
  test('has a row for every problem, with its status, and for no other', () => {
    const rows = [...docs.matchAll(/^\| `([a-z_]+)` +\| (\d{3}) /gm)].map(([, code, status]) => `${code} ${status}`);
    expect(rows.toSorted()).toEqual(
      Object.entries(problems)
        .map(([code, { status }]) => `${code} ${status}`)
        .toSorted(),
    );
  });

  test.each(routes.filter((route) => route.method !== '$default').map((route) => `${route.method} ${route.path}`))(
    'has a row for %s',
    (call) => {
      expect(docs).toMatch(new RegExp(`^\\| .*\`${call.replaceAll(/[{}/.]/g, String.raw`\$&`)}\``, 'm'));
    },
  );
});
