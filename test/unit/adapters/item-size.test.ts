import { createHash } from 'node:crypto';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { encodeKey } from '../../../functions/adapters/token-table-items.ts';
import { createTokenTable } from '../../../functions/adapters/token-table.ts';
import { createSealer } from '../../../functions/core/seal.ts';
import { Secret } from '../../../functions/core/secret.ts';
import { keyOf, type TokenSet } from '../../../functions/core/token-set.ts';
import { timing } from '../../../functions/core/timing.ts';
import { dueOf } from '../../../functions/core/warmth.ts';
import { startDynalite, type Dynalite } from '../../support/dynalite.ts';
import { itemSize } from '../../support/item-size.ts';
import { realClock, silentTelemetry } from '../../support/ports.ts';

const nowMs = 1_793_456_789_012;
const lifeMs = 3_600_000;
const dataKey = Buffer.alloc(32, 7);
const day = Math.floor(nowMs / 86_400_000);
const sealer = createSealer({
  keys: { forSealing: async () => ({ day, key: dataKey }), forOpening: async () => dataKey },
  deployment: 'tokens-prod',
});

/** Text that no deflation makes shorter than its six bits a character. */
function opaque(length: number, seed: string): string {
  let text = '';
  for (let block = 0; text.length < length; block++) text += createHash('sha256').update(`${seed}${block}`).digest('base64url');
  return text.slice(0, length);
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token of that length as Keycloak's are, more or less. */
function jwt(length: number, seed: string): string {
  const claims = { exp: 1793460389, iss: 'https://login.example/realms/platform', sub: opaque(36, seed), scope: 'openid profile email' };
  const head = `${part({ alg: 'RS256', typ: 'JWT', kid: opaque(43, 'kid') })}.${part(claims)}.`;
  return head + opaque(length - head.length, seed);
}

interface Case {
  tokens: string;
  access: string;
  refresh?: string;
  /** what the provider tells besides, and what the token was asked with; {} both where nothing is said */
  facts?: TokenSet['facts'];
  parameters?: TokenSet['parameters'];
}

const profile = '3f0c6f1e-8a2b-4c57-9d3e-1b2a4c5d6e7f';
const managers = [
  { id: 1842, name: 'Corporate Communications' },
  { id: 2077, name: 'Human Resources' },
];

const cases: Case[] = [
  { tokens: 'opaque, 32', access: opaque(32, 'a') },
  { tokens: 'opaque, 32 and 32', access: opaque(32, 'a'), refresh: opaque(32, 'r') },
  { tokens: 'opaque, 64 and 64', access: opaque(64, 'a'), refresh: opaque(64, 'r') },
  { tokens: 'opaque, 300', access: opaque(300, 'a') },
  { tokens: 'JWT of 718, opaque 64', access: jwt(718, 'a'), refresh: opaque(64, 'r') },
  { tokens: 'two JWTs of 718', access: jwt(718, 'a'), refresh: jwt(718, 'r') },
  { tokens: 'random text of 1400 and 700', access: opaque(1400, 'a'), refresh: opaque(700, 'r') },
  {
    tokens: "as amino's for a profile, two JWTs of 411",
    access: jwt(411, 'a'),
    refresh: jwt(411, 'r'),
    facts: { user_id: '1000234', user_profile_id: profile },
    parameters: { login_user_profile: profile },
  },
  {
    tokens: "as movingimage-vms's for one of two VideoManagers, two JWTs of 411",
    access: jwt(411, 'a'),
    refresh: jwt(411, 'r'),
    facts: { video_manager: 1842, video_managers: managers },
    parameters: { video_manager: 1842 },
  },
  { tokens: "as vidizmo's, opaque, 180", access: opaque(180, 'a') },
];

describe('an item in the table', () => {
  let database: Dynalite;
  beforeAll(async () => {
    database = await startDynalite();
  });
  afterAll(() => database.stop());

  /** Bytes of a warm set's item at rest, over those of its tokens. */
  async function overhead({ tokens, access, refresh, facts = {}, parameters = {} }: Case): Promise<number> {
    const table = createTokenTable({ client: database.client, tableName: 'tokens', clock: realClock, telemetry: silentTelemetry });
    const key = keyOf({ provider: 'vidizmo', account: 'main' }, parameters);
    const tokenSet: TokenSet = {
      accessToken: new Secret(access),
      refreshToken: refresh === undefined ? undefined : new Secret(refresh),
      facts,
      parameters,
      origin: 'https://api.platform.example',
      identity: opaque(16, 'identity'),
      refreshEndsOldToken: false,
      obtainedAtMs: nowMs,
      expiresAtMs: nowMs + lifeMs,
      refreshExpiresAtMs: refresh === undefined ? undefined : nowMs + 24 * lifeMs,
    };
    const attempt = opaque(16, 'attempt');
    const stored = await table.readTokenSet(key);
    const lease = { attempt, nowMs, leaseUntilMs: nowMs + 16_000, skewMs: 2_000, respectNotBefore: true };
    const acquired = await table.acquire(key, { ...lease, judged: stored?.generation });
    if (acquired === undefined) throw new Error(`${tokens}: not acquired`);
    await table.commit(key, acquired.generation, {
      attempt,
      sealed: await sealer.seal(key, acquired.generation + 1, tokenSet, nowMs),
      obtainedAtMs: nowMs,
      expiresAtMs: tokenSet.expiresAtMs,
      refreshExpiresAtMs: tokenSet.refreshExpiresAtMs,
      secretVersion: opaque(11, 'version'),
      lifeMs,
      warmUntilMs: nowMs + 2 * lifeMs,
      due: dueOf(timing, key, tokenSet, 1, 0.5),
    });
    const { Item = {} } = await database.client.send(new GetItemCommand({ TableName: 'tokens', Key: encodeKey(key) }));
    return itemSize(Item) - access.length - (refresh?.length ?? 0);
  }

  test.each(cases)('takes at most 250 bytes more than its tokens: $tokens', async (given) => {
    expect(await overhead(given)).toBeLessThanOrEqual(250);
  });
});
