import * as z from 'zod/mini';
import type { Grant } from '../../functions/core/grants.ts';
import type { Provider } from '../../functions/core/provider.ts';

/**
 * Grants that allow everything with every account and every parameter.
 *
 * @param callers their ids
 * @param providers whose parameters are meant: a grant names each of them
 */
export function grantEverything(callers: readonly string[], providers: ReadonlyMap<string, Provider>): readonly Grant[] {
  const names = [...providers.values()].flatMap(parameterNames);
  const parameters = Object.fromEntries(names.map((name) => [name, '*' as const]));
  return callers.map((caller) => ({
    caller,
    operations: ['vend', 'revoke', 'inspect', 'reset', 'connect'],
    accounts: ['*'],
    parameters,
  }));
}

function parameterNames({ parameters }: Provider): readonly string[] {
  if (!(parameters instanceof z.core.$ZodType)) return [];
  return Object.keys(z.toJSONSchema(parameters, { io: 'input' }).properties ?? {});
}
