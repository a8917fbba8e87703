/** What API Gateway says about who signed a request with IAM credentials (payload format 2.0, `requestContext.authorizer.iam`). */
export interface IamIdentity {
  accountId?: string | null;
  callerId?: string | null;
  userArn?: string | null;
  cognitoIdentity?: { identityId?: string | null; identityPoolId?: string | null } | null;
}

/** What API Gateway says about a JWT that it verified (`requestContext.authorizer.jwt`). Every claim arrives as a string. */
export interface JwtIdentity {
  claims?: Readonly<Record<string, unknown>> | null;
}

/** How callers prove who they are: one way a deployment. */
export type CallerRules =
  | { kind: 'iam' }
  /** `scope`: one that every token must carry, so that an ID token does not pass */
  | { kind: 'jwt'; issuer: string; scope: string };

/** The caller's id as grants name it, or why there is none. */
export type Identified = { caller: string } | { refused: string };

interface Identities {
  iam?: IamIdentity | null | undefined;
  jwt?: JwtIdentity | null | undefined;
}

const ROLE_SESSION = /^arn:([a-z-]+):sts::(\d{12}):assumed-role\/([\w+=,.@-]{1,64})\/[^/]+$/;
/** Users with their path, the account's root, and federation tokens: each counts only as exactly itself. */
const OTHER_PRINCIPAL = /^arn:[a-z-]+:(?:iam::(\d{12}):(?:user\/[\x21-\x7e]+|root)|sts::(\d{12}):federated-user\/[\w+=,.@-]+)$/;
const ROLE = /^arn:([a-z-]+):iam::(\d{12}):role\/(?:[\x21-\x7e]+\/)?([\w+=,.@-]{1,64})$/;

/**
 * Names the caller. An assumed role is its partition, account and role name: the path does not stand in a session's ARN, and the
 * session's name is whatever the caller likes. Users, root, federated and Cognito identities keep an id that only a grant made
 * for exactly them will match. Callers of other AWS accounts assume a role in ours.
 *
 * @param identities what API Gateway's authorizer said
 * @param apiAccountId the AWS account of the API itself
 * @param rules how this deployment's callers prove who they are
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 */
export function identifyCaller(identities: Identities, apiAccountId: string | undefined, rules: CallerRules): Identified {
  if (rules.kind === 'jwt') return identities.jwt ? identifyJwt(identities.jwt, rules) : { refused: 'no_jwt' };
  return identities.iam ? identifyIam(identities.iam, apiAccountId) : { refused: 'no_iam' };
}

/**
 * The id under which grants name a role.
 *
 * @param arn of the role, with or without a path
 * @returns the same without the path, or undefined where it is no role's ARN
 */
export function callerOfRole(arn: string): string | undefined {
  const [, partition, account, name] = ROLE.exec(arn) ?? [];
  return name === undefined ? undefined : `arn:${partition}:iam::${account}:role/${name}`;
}

function identifyIam(iam: IamIdentity, apiAccountId: string | undefined): Identified {
  if (iam.cognitoIdentity) return identifyCognito(iam.cognitoIdentity);
  // Cognito's sessions carry this name; without the identity beside it nobody can say whose session it is.
  if (iam.callerId?.endsWith(':CognitoIdentityCredentials') === true) return { refused: 'cognito' };
  const arn = iam.userArn ?? '';
  const [, partition, roleAccount, role] = ROLE_SESSION.exec(arn) ?? [];
  const [, userAccount, federatedAccount] = OTHER_PRINCIPAL.exec(arn) ?? [];
  const account = roleAccount ?? userAccount ?? federatedAccount;
  if (account === undefined) return { refused: 'unknown_principal' };
  if (account !== apiAccountId) return { refused: 'other_account' };
  return { caller: role === undefined ? arn : `arn:${partition}:iam::${account}:role/${role}` };
}

function identifyCognito(identity: { identityId?: string | null; identityPoolId?: string | null }): Identified {
  if (!identity.identityId || !identity.identityPoolId) return { refused: 'cognito' };
  return { caller: `cognito-identity.amazonaws.com/${identity.identityPoolId}#${identity.identityId}` };
}

function identifyJwt(jwt: JwtIdentity, rules: { issuer: string; scope: string }): Identified {
  const { iss, sub, scope, scp } = jwt.claims ?? {};
  if (iss !== rules.issuer) return { refused: 'issuer' };
  if (typeof sub !== 'string' || sub === '') return { refused: 'no_subject' };
  if (!scopesOf(scope ?? scp).includes(rules.scope)) return { refused: 'scope' };
  return { caller: `${iss}#${sub}` };
}

/** API Gateway writes a claim that is a list as `[a b]`. */
function scopesOf(claim: unknown): readonly string[] {
  if (Array.isArray(claim)) return claim.map(String);
  return typeof claim === 'string' ? claim.replace(/^\[(.*)\]$/, '$1').split(/[ ,]+/) : [];
}
