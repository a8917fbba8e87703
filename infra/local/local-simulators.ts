import { randomBytes } from 'node:crypto';
import { createAuthority, type Authority } from './authority.ts';
import type { Accounts } from './accounts.ts';
import { openState } from './aws/state.ts';
import { codeOf } from './plain-error.ts';
import { startSimulators, type Simulators, type SimulatorsOptions } from './simulators/index.ts';

/** The providers of a run without real ones. */
export interface LocalSimulators {
  readonly simulators: Simulators;
  readonly authority: Authority;
  readonly accounts: Accounts;
}

/** Linux has all of 127.0.0.0/8; other systems have 127.0.0.1 alone. */
const HOST = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1';

/**
 * Starts every provider's simulator. With a data directory they come back on the same ports and know their tokens again, so
 * that what is stored still fits them.
 *
 * @param lifeSeconds of the tokens that they give
 */
export async function startLocalSimulators(lifeSeconds: number, dataDirectory: string | undefined): Promise<LocalSimulators> {
  const ports: NonNullable<SimulatorsOptions['ports']> = {};
  const state = openState(dataDirectory, 'simulators.json', { signingKey: randomBytes(32).toString('base64url'), ports });
  const authority = await createAuthority();
  const start = (given: typeof ports) =>
    startSimulators({ authority, host: HOST, ports: given, signingKey: state.value.signingKey, settings: { lifeSeconds } });
  const simulators = await start(state.value.ports).catch((error: unknown) => {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    return start({});
  });
  for (const { provider, secret } of simulators.accounts) {
    Object.assign(state.value.ports, { [provider]: Number(new URL(String(secret['base_url'])).port) });
  }
  state.save();
  const accounts = simulators.accounts.map(({ provider, account, secret }) => [`${provider}/${account}`, secret] as const);
  return { simulators, authority, accounts: Object.fromEntries(accounts) };
}
