import { Secret } from '../../functions/core/secret.ts';
import { simulated } from '../../infra/local/simulators/index.ts';
import type { Simulated } from '../../infra/local/simulators/index.ts';
import { credentialsOf, providerOf } from './provider-bench.ts';

/** @returns a good secret of a provider, as its simulator's account has it, at another place */
export function demoSecret(id: string, base_url: string): Readonly<Record<string, unknown>> {
  const simulators: Readonly<Record<string, Simulated>> = simulated;
  const secret = simulators[id]?.secret({ origin: base_url, lifeSeconds: 1200 });
  if (secret === undefined) throw new Error(`${id} has no simulator`);
  return secret;
}

/** @returns the members of a secret that are credentials, by the provider's own schema */
export function credentialsIn(id: string, secret: Readonly<Record<string, unknown>>): [name: string, value: Secret][] {
  const found: [string, Secret][] = [];
  for (const [name, value] of Object.entries<unknown>({ ...credentialsOf(providerOf(id), secret) })) {
    if (value instanceof Secret) found.push([name, value]);
  }
  return found;
}
