import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { careful } from '../../functions/providers/careful.ts';
import { providersById } from '../../functions/providers/index.ts';

/** What the words of a page mean; what stands behind a comma or a semicolon there depends on the secret, or says why. */
const meanings: Readonly<Record<string, unknown>> = {
  strict: { kind: 'strict' },
  yes: true,
  no: false,
  nothing: 'nothing',
  'every session of the user': 'user',
  'the access token': 'access_token',
  'not given': undefined,
};

/** @returns what a provider's page says of its traits */
function traitsOfPage(id: string): Record<string, unknown> {
  const page = readFileSync(new URL(`../../docs/providers/${id}.md`, import.meta.url), 'utf8');
  const [, table = ''] = page.split(/^\| trait .*\n/m);
  const rows = [...table.matchAll(/^\| `(\w+)` +\| ([^|,;]+?) *[|,;]/gm)];
  return Object.fromEntries(rows.map(([, trait = '', words = '']) => [trait, words in meanings ? meanings[words] : words]));
}

describe('the protocol treats a provider with no less care than its page gives reasons for', () => {
  test.each([...providersById().values()])('$id', ({ id, publicTraits }) => {
    const { defaultLifeSeconds: _life, defaultRefreshLifeSeconds: _refreshLife, ...traits } = publicTraits;
    expect(traits).toEqual({ ...careful, ...traitsOfPage(id) });
  });
});

test.each([
  ['amino', 900, undefined],
  ['movingimage', 300, undefined],
  ['movingimage-vms', 300, 3_600],
  ['vidizmo', 900, undefined],
])('a token of %s lives for %d s where nothing tells its life', (id, defaultLifeSeconds, defaultRefreshLifeSeconds) => {
  const { publicTraits } = providersById().get(id) ?? {};
  expect([publicTraits?.defaultLifeSeconds, publicTraits?.defaultRefreshLifeSeconds]).toEqual([
    defaultLifeSeconds,
    defaultRefreshLifeSeconds,
  ]);
});
