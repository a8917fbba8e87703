import { createHash } from 'node:crypto';
import { Names, Stack } from 'aws-cdk-lib';
import * as z from 'zod';
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

/** What a standard parameter holds. */
const mostCharacters = 4_096;

/** Strict: a misspelt restriction must not read as none. */
const grantSchema = z.strictObject({
  caller: z.string().min(1),
  operations: z.array(z.enum(['vend', 'revoke', 'inspect', 'reset', 'connect'])).min(1),
  accounts: z.array(z.string().regex(/^(\*|[a-z0-9-]+\/(\*|[\w.-]+))$/, 'must be provider/account, provider/* or *')).min(1),
  parameters: z.record(z.string(), z.union([z.literal('*'), z.array(z.union([z.string(), z.number(), z.boolean()]))])).optional(),
  maxMinTtlSeconds: z.number().nonnegative().optional(),
}) satisfies z.ZodType<Grant>;

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
 * Writes a grant where the functions read it. Role names are known only at deploy time and the environment of a function holds
 * 4 KB, so each is a parameter of its own. It belongs to the stack of whoever is granted something: the service's stack knows no
 * role, and a role's stack can be deployed and removed without touching it. It is named after what it grants, so that no grant
 * is renamed, and gone for a moment, because another one was written before it.
 *
 * @param id begins the construct's name
 * @returns false: the same grant stands there already
 */
export function writeGrant(scope: Construct, id: string, grantsPath: string, grant: Grant): boolean {
  checkGrant(grant);
  const stack = Stack.of(scope);
  if (JSON.stringify([grant]).length > mostCharacters) throw new Error('A grant takes more than the 4 KB of a parameter: split it');
  const unique = `${id}-${digestOf(JSON.stringify(stack.resolve(normalised(grant)))).slice(0, 16)}`;
  if (scope.node.tryFindChild(unique) !== undefined) return false;
  new StringParameter(scope, unique, {
    parameterName: `${grantsPath}/${digestOf(`${Names.uniqueId(scope)}/${unique}`).slice(0, 24)}`,
    description: 'Who may do what with which accounts',
    stringValue: stack.toJsonString([grant]),
  });
  return true;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What is granted to whom, the same however it was written: the order of operations, accounts and parameters means nothing. */
function normalised({ caller, operations, accounts, parameters = {}, maxMinTtlSeconds }: Grant): unknown {
  const byName = Object.keys(parameters)
    .toSorted()
    .map((name) => [name, parameters[name]]);
  return [caller, [...new Set(operations)].toSorted(), [...new Set(accounts)].toSorted(), byName, maxMinTtlSeconds ?? 'any'];
}

function checkGrant(grant: Grant): void {
  const parsed = grantSchema.safeParse(grant);
  if (!parsed.success) throw new Error(`The grant of ${grant.caller} breaks a rule:\n${z.prettifyError(parsed.error)}`);
}
