import path from 'node:path';
import type { Provider, Traits } from '../../functions/core/provider.ts';
import { scaleTiming, timing, type Timing } from '../../functions/core/timing.ts';
import { aProvider, traitsOf } from '../support/world/a-provider.ts';
import { strictRotation, type Behaviour } from '../support/world/fake-provider.ts';
import { anOidcProvider } from './oidc-family.ts';

/** Every duration of the protocol is divided by it: a lease lapses after 4 s, and a token of 10 s is renewed every 8. */
export const FACTOR = 4;
export const fasterTiming: Timing = scaleTiming(timing, FACTOR);

/** Life of an access token, seconds. */
export const LIFE_SECONDS = 10;
/** How long a log-in without an answer counts while the secret is unproven; the provider's own file says so. */
export const LOCK_WINDOW_MS = 60_000;

export const users = (count: number): string[] => Array.from({ length: count }, (_, index) => `account-${index}`);

const behaviour: Behaviour = { ...strictRotation, lifeSeconds: LIFE_SECONDS, revocationEnds: 'nothing' };

const traits: Traits = { ...traitsOf(behaviour), lockWindowMs: LOCK_WINDOW_MS };

/** A server to be killed against: how it is started, and the provider file that speaks with it. */
export interface Family {
  title: string;
  server: string;
  settings: (accounts: number) => object;
  provider: Provider;
}

const besides = (...steps: string[]): string => path.join(import.meta.dirname, ...steps);

export const families: Readonly<Record<'fake' | 'oidc', Family>> = {
  fake: {
    title: 'a fake server that rotates strictly and ends a session when a spent refresh token is shown',
    server: besides('..', 'support', 'processes', 'token-server.ts'),
    settings: (accounts) => ({ behaviour, users: users(accounts), latencyMs: 8 }),
    provider: aProvider('fake', traits),
  },
  oidc: {
    title: 'oidc-provider with rotation and reuse detection',
    server: besides('oidc-server.ts'),
    settings: (accounts) => ({ lifeSeconds: LIFE_SECONDS, users: users(accounts) }),
    provider: anOidcProvider('oidc', traits),
  },
};
