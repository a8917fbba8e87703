import { describe, expect, test } from '@jest/globals';
import { decodeAccount, decodeTokenSet, tokenSetDecoders } from '../../../functions/adapters/token-table-items.ts';
import type { Item } from '../../../functions/adapters/token-table-items.ts';

const key = { pk: { S: 'vidizmo/main' }, sk: { S: 'set#x' } };

/** What format 1 looks like in the table. Never edited: items like these live on after the code has moved on. */
const tokenSetOfFormat1: Item = {
  ...key,
  v: { N: '1' },
  ttl: { N: '1794147989' },
  g: { N: '1793456789013' },
  s: { B: new Uint8Array([1, 2, 3]) },
  oa: { N: '1793456789012' },
  ea: { N: '1793460389012' },
  ra: { N: '1793543189012' },
  sv: { S: 'version-1' },
  l: { N: '3600000' },
  rr: { BOOL: true },
  lb: { S: 'attempt-2' },
  lu: { N: '1793456805012' },
  ds: { N: '1793456789012' },
  dc: { N: '2' },
  cb: { S: 'attempt-1' },
  f: { M: { c: { S: 'configuration' }, t: { N: '5' }, n: { N: '6' }, p: { S: 'invalid_scope' }, s: { S: 'version-0' } } },
  wu: { N: '1793460389013' },
  d: { N: '0' },
  da: { N: '1793458949012' },
};

const accountOfFormat1: Item = {
  pk: { S: 'vidizmo/main' },
  sk: { S: '#' },
  v: { N: '1' },
  li: { S: 'vidizmo' },
  r: { N: '7' },
  sv: { S: 'version-1' },
  id: { S: 'identity-1' },
  p: { BOOL: true },
  rf: { N: '2' },
  un: { M: { 'attempt-1': { N: '9' } } },
  nl: { N: '10' },
  nb: { N: '11' },
  o: { N: '3' },
  cr: { BOOL: true },
  k: { BOOL: true },
  f: { M: { c: { S: 'misconfigured' }, t: { N: '5' }, p: { S: 'e' }, m: { S: 'base_url' }, r: { S: 'must be https' } } },
};

describe('the item format', () => {
  test('reads a token set that was written in format 1', () => {
    expect(decodeTokenSet(tokenSetOfFormat1)).toEqual({
      generation: 1793456789013,
      sealed: new Uint8Array([1, 2, 3]),
      obtainedAtMs: 1793456789012,
      expiresAtMs: 1793460389012,
      refreshExpiresAtMs: 1793543189012,
      secretVersion: 'version-1',
      lifeMs: 3600000,
      refreshRefused: true,
      lease: { by: 'attempt-2', untilMs: 1793456805012 },
      doubt: { sinceMs: 1793456789012, count: 2 },
      committedBy: 'attempt-1',
      failure: { code: 'configuration', atMs: 5, notBeforeMs: 6, providerError: 'invalid_scope', secretVersion: 'version-0' },
      warmUntilMs: 1793460389013,
      dueShard: 0,
      dueAtMs: 1793458949012,
    });
  });

  test('reads the tag of the origin beside the due keys, where there is one', () => {
    expect(decodeTokenSet({ ...tokenSetOfFormat1, og: { S: 'aB3_x-' } }).dueGroup).toBe('aB3_x-');
    expect(decodeTokenSet(tokenSetOfFormat1).dueGroup).toBeUndefined();
  });

  test('reads an account that was written in format 1', () => {
    expect(decodeAccount(accountOfFormat1)).toEqual({
      ref: { provider: 'vidizmo', account: 'main' },
      revision: 7,
      secretVersion: 'version-1',
      identity: 'identity-1',
      proven: true,
      refused: 2,
      unanswered: { 'attempt-1': 9 },
      nextLoginAtMs: 10,
      notBeforeMs: 11,
      outages: 3,
      clientRefused: true,
      keep: true,
      failure: { code: 'misconfigured', atMs: 5, providerError: 'e', field: 'base_url', rule: 'must be https' },
    });
  });

  test("reads each item by its own format's reader, so that yesterday's items outlive a change", () => {
    const readers = { ...tokenSetDecoders, 0: (item: Item) => ({ generation: Number(item['old-name']?.N) }) };
    expect(decodeTokenSet({ ...key, v: { N: '0' }, 'old-name': { N: '42' } }, readers)).toEqual({ generation: 42 });
    expect(decodeTokenSet(tokenSetOfFormat1, readers).generation).toBe(1793456789013);
  });

  test.each([
    ['a newer format', { v: { N: '2' } }],
    ['no format', { v: { S: 'x' } }],
  ])('refuses an item of %s instead of taking it for absent', (_title, change) => {
    expect(() => decodeTokenSet({ ...tokenSetOfFormat1, ...change })).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(() => decodeAccount({ ...accountOfFormat1, ...change })).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  test('refuses a failure of a word that it does not know', () => {
    const failure = { M: { c: { S: 'unheard_of' }, t: { N: '5' } } };
    expect(() => decodeTokenSet({ ...tokenSetOfFormat1, f: failure })).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  test('takes a due time outside of the index for none', () => {
    const { d: _, ...outside } = tokenSetOfFormat1;
    expect(decodeTokenSet(outside).dueAtMs).toBeUndefined();
  });
});
