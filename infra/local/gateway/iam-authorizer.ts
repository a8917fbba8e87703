import { region } from '../aws/protocol.ts';
import type { Authorizer } from './authorizer.ts';
import { verifySignature } from './sigv4.ts';

/** What API Gateway's event says about an IAM caller. */
export interface IamShape {
  accessKey: string;
  accountId: string;
  callerId: string;
  cognitoIdentity: { amr: readonly string[]; identityId: string; identityPoolId: string } | null;
  principalOrgId: string | null;
  userArn: string;
  userId: string;
}

/** Credentials that a run knows, and who they are. */
export interface IamCaller {
  secretAccessKey: string;
  sessionToken?: string | undefined;
  iam: IamShape;
}

/**
 * API Gateway's IAM authorizer: verifies the signature and knows nothing about policies.
 *
 * @param callers by access key
 * @returns an authorizer that answers 403 for whatever is not signed by one of them
 */
export function createIamAuthorizer(callers: ReadonlyMap<string, IamCaller>): Authorizer {
  return async (request) => {
    const credentialOf = (accessKeyId: string) => callers.get(accessKeyId);
    const accessKey = verifySignature(request, { region, service: 'execute-api', credentialOf, nowMs: Date.now() });
    const caller = accessKey === undefined ? undefined : callers.get(accessKey);
    return caller === undefined ? { status: 403, message: 'Forbidden' } : { authorizer: { iam: caller.iam } };
  };
}

/**
 * Temporary credentials of an assumed role, as STS would give them.
 *
 * @param accessKey made up
 * @param accountId of the role
 */
export function assumedRole(accessKey: string, accountId: string, role: string, session: string): IamShape {
  const id = `AROA${role
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, 'X')
    .padEnd(17, 'X')
    .slice(0, 17)}:${session}`;
  return {
    accessKey,
    accountId,
    callerId: id,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: `arn:aws:sts::${accountId}:assumed-role/${role}/${session}`,
    userId: id,
  };
}
