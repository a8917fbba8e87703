import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Handler, LocalFunctions } from './local-functions.ts';

/** The four functions with their timeouts as in the stack, ms. */
const timeouts = {
  'vend-token': 29_000,
  'renew-token-sets': 30_000,
  'dispatch-renewals': 55_000,
  'manage-accounts': 29_000,
} as const;

/** Stems of the four entries. */
export type Stem = keyof typeof timeouts;

/** Deployments of this process. An entry reads its environment when it is loaded, so each deployment loads its own. */
let deployments = 0;

/** @returns the name under which a function is deployed */
export function functionNameOf(deployment: string, stem: Stem): string {
  return `${deployment}-${stem}`;
}

/** Loads the four entries, as they are deployed, into this process. The environment must be set before. */
export async function deployFunctions(functions: LocalFunctions, deployment: string): Promise<void> {
  deployments += 1;
  await Promise.all(
    Object.entries(timeouts).map(async ([stem, timeoutMs]) => {
      const file = pathToFileURL(path.join(import.meta.dirname, '..', '..', 'functions', `${stem}.ts`)).href;
      const entry: { handler: Handler } = await import(`${file}?deployment=${deployments}`);
      functions.add(`${deployment}-${stem}`, { handler: entry.handler, timeoutMs });
    }),
  );
}
