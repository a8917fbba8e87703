import { expect, test } from '@jest/globals';
import { providersById } from '../../functions/providers/index.ts';
import { aminoUser } from '../../infra/local/simulators/amino.ts';
import { simulated } from '../../infra/local/simulators/index.ts';
import type { Simulated } from '../../infra/local/simulators/index.ts';
import { describeProvider, lifeSeconds, refreshLifeSeconds } from './provider.ts';
import type { Expected } from './provider.ts';

const expected: Readonly<Record<string, Expected>> = {
  amino: {
    refused: 'credentials_refused',
    refreshes: true,
    givesRefreshTokens: true,
    refreshLifeSeconds,
    defaultLifeSeconds: 900,
    variants: [0, 1, 2],
    revokes: true,
    narrowed: {
      parameters: { login_user_profile: aminoUser.profiles[1] ?? '' },
      facts: { user_profile_id: aminoUser.profiles[1] },
      wrong: { login_user_profile: '00000000-0000-4000-8000-000000000000' },
    },
  },
  movingimage: {
    refused: 'credentials_refused',
    refreshes: true,
    givesRefreshTokens: true,
    refreshLifeSeconds,
    defaultLifeSeconds: 300,
    variants: [0, 1, 2],
    revokes: true,
  },
  'movingimage-vms': {
    refused: 'credentials_refused',
    refreshes: true,
    givesRefreshTokens: true,
    refreshLifeSeconds,
    defaultLifeSeconds: 300,
    variants: [0, 1],
    revokes: false,
    narrowed: { parameters: { video_manager: 17 }, facts: { video_manager: 17 }, wrong: { video_manager: 99 } },
  },
  vidizmo: {
    refused: 'credentials_refused',
    refreshes: true,
    givesRefreshTokens: false,
    // Its life stands in the account's secret, so there is no answer without one.
    defaultLifeSeconds: lifeSeconds,
    variants: [0, 1],
    revokes: true,
  },
};

test('every provider has a simulator and says here what is expected of it', () => {
  const all = [...providersById().keys()].toSorted();
  expect(Object.keys(simulated).toSorted()).toEqual(all);
  expect(Object.keys(expected).toSorted()).toEqual(all);
});

const simulators: Readonly<Record<string, Simulated>> = simulated;
for (const [id, provider] of providersById()) {
  const [simulator, its] = [simulators[id], expected[id]];
  if (simulator !== undefined && its !== undefined) describeProvider(provider, simulator, its);
}
