import type { TokenParameters } from './token-set.ts';

/** What a grant may allow. */
export type Operation = 'vend' | 'revoke' | 'inspect' | 'reset' | 'connect';

/** Which caller may do what. Nothing is allowed without one. */
export interface Grant {
  /** caller id: an IAM role (`arn:aws:iam::111122223333:role/name`), or `issuer#subject` of a JWT */
  caller: string;
  operations: readonly Operation[];
  /** `provider/account`, `provider/*` or `*` */
  accounts: readonly string[];
  /**
   * allowed values by parameter name; `*` allows any value. A parameter that is not named here may not be sent:
   * without this member only the account's own token is vended
   */
  parameters?: Readonly<Record<string, '*' | readonly (string | number | boolean)[]>> | undefined;
  /** highest `min_ttl`, seconds; absent: no limit but the token's own life */
  maxMinTtlSeconds?: number | undefined;
}

/** What a caller asks to do. */
export interface Ask {
  operation: Operation;
  /** `provider/account` */
  partition: string;
  parameters?: TokenParameters | undefined;
  minTtlSeconds?: number | undefined;
}

/**
 * Deny by default; decided without any look-up of the account, so that a missing and an existing account cannot be told apart.
 *
 * @returns whether one of the grants allows all of what is asked
 */
export function isGranted(grants: readonly Grant[], ask: Ask): boolean {
  return grants.some(
    (grant) =>
      grant.operations.includes(ask.operation) &&
      grant.accounts.some((pattern) => matches(pattern, ask.partition)) &&
      Object.entries(ask.parameters ?? {}).every(([name, value]) => allows(grant, name, value)) &&
      (ask.minTtlSeconds ?? 0) <= (grant.maxMinTtlSeconds ?? Infinity),
  );
}

function matches(pattern: string, partition: string): boolean {
  if (pattern === '*' || pattern === partition) return true;
  return pattern.endsWith('/*') && partition.startsWith(pattern.slice(0, -1));
}

function allows(grant: Grant, name: string, value: string | number | boolean): boolean {
  const allowed = grant.parameters !== undefined && Object.hasOwn(grant.parameters, name) ? grant.parameters[name] : undefined;
  return allowed === '*' || (allowed !== undefined && allowed.includes(value));
}
