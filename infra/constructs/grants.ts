import { createHash } from 'node:crypto';
import { Names, Stack, Token } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import type { Grant, Operation } from '../../functions/core/grants.ts';

/** What a role is granted besides the account's name. */
export interface GrantOptions {
  /** @default ['vend'] */
  operations?: readonly Operation[];
  /** allowed values by parameter name; without it only the account's own token is vended */
  parameters?: Grant['parameters'];
  /** highest `min_ttl`, seconds */
  maxMinTtlSeconds?: number;
}

const calls: Readonly<Record<Operation, readonly { method: string; path: (account: string) => string }[]>> = {
  vend: [{ method: 'POST', path: (account) => `/v1/tokens/${account}` }],
  revoke: [{ method: 'POST', path: (account) => `/v1/tokens/${account}/revoke` }],
  inspect: [
    { method: 'GET', path: () => '/v1/accounts' },
    { method: 'GET', path: (account) => `/v1/accounts/${account}` },
  ],
  reset: [{ method: 'POST', path: (account) => `/v1/accounts/${account}/reset` }],
  connect: [],
};

/**
 * @param account `provider/account`, `provider/*` or `*`
 * @returns method and path of every call that the operations need, for the IAM side of a grant
 */
export function callsOf(operations: readonly Operation[], account: string): { method: string; path: string }[] {
  return operations.flatMap((operation) => calls[operation].map(({ method, path }) => ({ method, path: path(account) })));
}

/**
 * Who a role is for the service: partition, account and role name, as the ARN of an assumed role gives them. Neither the role's
 * path nor the session's name takes part.
 */
export function callerOf(role: IRole): string {
  const { partition } = Stack.of(role);
  return `arn:${partition}:iam::${role.env.account}:role/${role.roleName}`;
}

/**
 * Writes grants where the functions read them. Role names are known only at deploy time and the environment of a function holds
 * 4 KB, so each is a parameter of its own. It belongs to the stack of whoever is granted something: the service's stack knows no
 * role, and a role's stack can be deployed and removed without touching it.
 */
export function writeGrants(scope: Construct, id: string, grantsPath: string, grants: readonly Grant[]): StringParameter {
  const name = createHash('sha256')
    .update(`${Names.uniqueId(scope)}/${id}`)
    .digest('hex')
    .slice(0, 24);
  const value = JSON.stringify(grants);
  if (!Token.isUnresolved(value) && value.length > 4_096) throw new Error(`The grants of ${id} take more than the 4 KB of a parameter`);
  return new StringParameter(scope, id, {
    parameterName: `${grantsPath}/${name}`,
    description: 'Who may do what with which accounts',
    stringValue: Stack.of(scope).toJsonString(grants),
  });
}
