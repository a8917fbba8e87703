import { describe, expect, test } from '@jest/globals';
import { createSealer } from '../../../functions/core/seal.ts';
import { Secret } from '../../../functions/core/secret.ts';
import { keyOf, type TokenSet, type TokenSetItem } from '../../../functions/core/token-set.ts';

const now = 1_763_012_347_891;
const today = Math.floor(now / 86_400_000);
const ref = { provider: 'vidizmo', account: 'main' };
const key = keyOf(ref, {});
const dataKey = Buffer.alloc(32, 7);
const keys = {
  forSealing: async () => ({ day: today, key: dataKey }),
  forOpening: async (day: number) => (day === today ? dataKey : undefined),
};
const sealer = createSealer({ keys, deployment: 'a-stage' });

const tokenSet: TokenSet = {
  accessToken: new Secret('an-access-token'),
  refreshToken: new Secret('a-refresh-token'),
  scope: 'openid',
  facts: { user_id: 12 },
  parameters: { profile: 'p' },
  origin: 'https://provider.example',
  identity: 'somebody',
  refreshEndsOldToken: true,
  obtainedAtMs: now,
  expiresAtMs: now + 60_000,
  refreshExpiresAtMs: now + 120_000,
};

async function anItem(): Promise<TokenSetItem> {
  const { obtainedAtMs, expiresAtMs, refreshExpiresAtMs } = tokenSet;
  return { generation: 5, sealed: await sealer.seal(key, 5, tokenSet, now), obtainedAtMs, expiresAtMs, refreshExpiresAtMs };
}

describe('a sealed token set', () => {
  test('opens to what was sealed', async () => {
    const opened = await sealer.open(key, await anItem());
    expect(opened).toEqual(tokenSet);
    expect(opened !== 'refused' && opened?.accessToken.reveal()).toBe('an-access-token');
    expect(opened !== 'refused' && opened?.refreshToken?.reveal()).toBe('a-refresh-token');
  });

  test('of yesterday, sealed without a dictionary, still opens', async () => {
    const yesterdays =
      'AU+1bd1fa2XRK7wjjSuei8ExuQEgf/q3htDmPrDQi4PVwNkHdNGxtLxvOnhdPww94cX8a181BG7dg0lHdB6q/N9g7tcxjDDPMIyJfe16D2Q5uzbDacKExJUORwaYXnxMr+AxZA/5v3UyF9CtDBv9KMZpeS2HUrR5t4LOE06xA6rPwgnsDjnJxS6eX3kzdA==';
    expect(await sealer.open(key, { ...(await anItem()), sealed: Buffer.from(yesterdays, 'base64') })).toEqual(tokenSet);
  });

  test('is refused as one of another version', async () => {
    const item = await anItem();
    const sealed = Uint8Array.from(item.sealed ?? []);
    sealed[0] = 1;
    expect(await sealer.open(key, { ...item, sealed })).toBe('refused');
  });

  test('shows none of its tokens', async () => {
    const { sealed } = await anItem();
    expect(Buffer.from(sealed ?? []).toString('latin1')).not.toContain('token');
  });

  test.each([
    ['another generation', { generation: 6 }],
    ['another time of obtaining', { obtainedAtMs: now + 1 }],
    ['another expiry', { expiresAtMs: now + 60_001 }],
    ['another refresh expiry', { refreshExpiresAtMs: now + 120_001 }],
    ['no refresh expiry', { refreshExpiresAtMs: undefined }],
    ['no expiry', { expiresAtMs: undefined }],
  ])('is refused under %s', async (_what, change) => {
    expect(await sealer.open(key, { ...(await anItem()), ...change })).toBe('refused');
  });

  test('is refused in the place of another account or other parameters', async () => {
    const item = await anItem();
    expect(await sealer.open(keyOf({ ...ref, account: 'other' }, {}), item)).toBe('refused');
    expect(await sealer.open(keyOf(ref, { profile: 'q' }), item)).toBe('refused');
  });

  test('is refused in another deployment', async () => {
    const elsewhere = createSealer({ keys, deployment: 'another-stage' });
    expect(await elsewhere.open(key, await anItem())).toBe('refused');
  });

  test.each([0, 1, 5, 20, 40])('is refused with byte %i changed', async (at) => {
    const item = await anItem();
    const sealed = Uint8Array.from(item.sealed ?? []);
    sealed[at] = (sealed[at] ?? 0) ^ 1;
    expect(await sealer.open(key, { ...item, sealed })).toBe('refused');
  });

  test('is refused when it was cut short', async () => {
    const item = await anItem();
    expect(await sealer.open(key, { ...item, sealed: (item.sealed ?? new Uint8Array()).subarray(0, 12) })).toBe('refused');
  });

  test('is refused where the key of its day is not stored', async () => {
    const empty = createSealer({ keys: { ...keys, forOpening: async () => undefined }, deployment: 'a-stage' });
    expect(await empty.open(key, await anItem())).toBe('refused');
  });

  test('of the same content is sealed differently each time', async () => {
    const [one, two] = [await anItem(), await anItem()];
    expect(one.sealed).not.toEqual(two.sealed);
  });

  test('adds less than 120 bytes to its tokens', async () => {
    const token = Array.from({ length: 900 }, (_, at) => 'abcdefghijklmnopqrstuvwxyz0123456789'[(at * at * 7 + at) % 36]).join('');
    const sealed = await sealer.seal(key, 5, { ...tokenSet, accessToken: new Secret(token) }, now);
    expect(sealed.length).toBeLessThan(token.length + 'a-refresh-token'.length + 120);
  });
});

test('an item without a seal opens to nothing', async () => {
  expect(await sealer.open(key, { generation: 5 })).toBeUndefined();
});
