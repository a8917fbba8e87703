import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { isGranted, type Grant } from '../../../functions/core/grants.ts';
import { Secret } from '../../../functions/core/secret.ts';
import { accountOf, fingerprintOf, groupOf, keyOf, partitionOf } from '../../../functions/core/token-set.ts';
import { shardOf } from '../../../functions/core/warmth.ts';

const ref = { provider: 'amino', account: 'main' };

describe('the key of a token set', () => {
  test('does not depend on the order of parameters', () => {
    expect(keyOf(ref, { a: 1, b: 'x' })).toEqual(keyOf(ref, { b: 'x', a: 1 }));
  });

  test.each([
    [{ a: 1 }, { a: '1' }],
    [{ a: 'x' }, {}],
    [
      { a: 'x', b: 'y' },
      { a: 'x', b: 'z' },
    ],
    [{ ab: 'c' }, { a: 'bc' }],
    [{ a: true }, { a: 'true' }],
  ])('differs between %j and %j', (one, other) => {
    expect(keyOf(ref, one).sort).not.toBe(keyOf(ref, other).sort);
  });

  test('lies in the partition of its account', () => {
    expect(keyOf(ref, {}).partition).toBe('amino/main');
    expect(accountOf(partitionOf(ref))).toEqual(ref);
  });
});

test('the tag of an origin is short, the same for the same origin, and another for another', () => {
  expect(groupOf('https://api.provider.example')).toMatch(/^[\w-]{6}$/);
  expect(groupOf('https://api.provider.example')).toBe(groupOf('https://api.provider.example'));
  expect(groupOf('https://api.provider.example')).not.toBe(groupOf('https://api.provider.example:8443'));
});

test('a fingerprint names a token without being one', () => {
  expect(fingerprintOf(new Secret('abc'))).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
});

test('a secret does not print in any of the usual ways', () => {
  const secret = new Secret('do-not-print');
  const printed = [
    String(secret),
    'x'.concat(secret.toString()),
    JSON.stringify({ secret }),
    inspect({ secret }),
    inspect(secret, { showHidden: true }),
    String(Object.entries(secret)),
  ];
  expect(printed.join('\n')).not.toContain('do-not-print');
  expect(secret.reveal()).toBe('do-not-print');
});

test('sets of one parameter hash spread over the shards by their account', () => {
  const shards = new Set(Array.from({ length: 64 }, (_, at) => shardOf(keyOf({ provider: 'amino', account: `a${at}` }, {}), 8)));
  expect(shards.size).toBeGreaterThan(4);
  expect(shardOf(keyOf(ref, {}), 1)).toBe(0);
});

describe('a grant', () => {
  const grant: Grant = {
    caller: 'arn:aws:iam::111122223333:role/app',
    operations: ['vend'],
    accounts: ['amino/main'],
    parameters: { profile: ['p1', 7], any: '*' },
    maxMinTtlSeconds: 60,
  };
  const ask = { operation: 'vend', partition: 'amino/main' } as const;

  test.each([
    ['its account and operation', {}, true],
    ['another operation', { operation: 'revoke' }, false],
    ['another account', { partition: 'amino/main2' }, false],
    ['an allowed value', { parameters: { profile: 'p1' } }, true],
    ['an allowed number', { parameters: { profile: 7 } }, true],
    ['the same number as text', { parameters: { profile: '7' } }, false],
    ['a value that is not named', { parameters: { profile: 'p2' } }, false],
    ['any value of an open parameter', { parameters: { any: 'thing' } }, true],
    ['a parameter that is not named', { parameters: { scope: 'x' } }, false],
    ['a parameter named like a member of every object', { parameters: { constructor: 'x' } }, false],
    ['the highest min_ttl', { minTtlSeconds: 60 }, true],
    ['more than the highest min_ttl', { minTtlSeconds: 61 }, false],
  ] as const)('decides on %s', (_what, more, granted) => {
    expect(isGranted([grant], { ...ask, ...more })).toBe(granted);
  });

  test('is needed: without one nothing is allowed', () => {
    expect(isGranted([], ask)).toBe(false);
  });

  test.each([
    ['*', 'amino/main', true],
    ['amino/*', 'amino/main', true],
    ['amino/*', 'aminox/main', false],
    ['amino/ma*', 'amino/main', false],
  ])('with the pattern %s on %s', (pattern, partition, granted) => {
    expect(isGranted([{ ...grant, accounts: [pattern] }], { ...ask, partition })).toBe(granted);
  });

  test('does not add up with another one: one grant must allow all of what is asked', () => {
    const other: Grant = { ...grant, parameters: { scope: '*' } };
    expect(isGranted([grant, other], { ...ask, parameters: { profile: 'p1', scope: 's' } })).toBe(false);
  });
});
