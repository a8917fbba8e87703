import { randomBytes } from 'node:crypto';
import { awsAccount } from '../aws/protocol.ts';
import type { Authorizer } from './authorizer.ts';
import { createDevelopmentIssuer, type DevelopmentIssuer } from './development-issuer.ts';
import { assumedRole, createIamAuthorizer, type IamCaller } from './iam-authorizer.ts';
import { createJwtAuthorizer } from './jwt-authorizer.ts';

/** How the callers of a run prove who they are. */
export interface CallersOptions {
  kind: 'jwt' | 'iam';
  /** of the gateway, without a slash at the end */
  url: string;
  dataDirectory: string | undefined;
  /** besides the developer, by access key */
  iamCallers: ReadonlyMap<string, IamCaller> | undefined;
}

/** Who may call a run. */
export interface LocalCallers {
  readonly authorizer: Authorizer;
  readonly issuer: DevelopmentIssuer;
  /** the functions' variable `CALLERS` */
  readonly rules: string;
  /** what the developer proves it with */
  readonly developer: { accessKeyId: string; secretAccessKey: string; jwt: string };
  /** the developer's ids, as grants name them */
  readonly developerIds: readonly string[];
  /** answers for the issuer */
  documentAt(path: string): unknown;
}

const AUDIENCE = 'token-vending';
const SCOPE = 'tokens';
const ISSUER_PATH = '/_local/issuer';
const DEVELOPER = 'developer';

/** Makes the run's issuer and its one caller that always is: the developer, as a JWT's subject and as an IAM role. */
export async function createCallers({ kind, url, dataDirectory, iamCallers }: CallersOptions): Promise<LocalCallers> {
  const rules = { issuer: `${url}${ISSUER_PATH}`, audience: AUDIENCE, scope: SCOPE };
  const issuer = await createDevelopmentIssuer(rules.issuer, rules, dataDirectory);
  const iam = assumedRole('ASIALOCALDEVELOPER00', awsAccount, DEVELOPER, 'laptop');
  const role: IamCaller = { secretAccessKey: randomBytes(30).toString('base64url'), iam };
  return {
    issuer,
    authorizer: kind === 'jwt' ? createJwtAuthorizer(rules) : createIamAuthorizer(new Map([[iam.accessKey, role], ...(iamCallers ?? [])])),
    rules: kind === 'jwt' ? `jwt ${rules.issuer} ${SCOPE}` : 'iam',
    developer: { accessKeyId: iam.accessKey, secretAccessKey: role.secretAccessKey, jwt: await issuer.sign(DEVELOPER) },
    developerIds: [`${rules.issuer}#${DEVELOPER}`, `arn:aws:iam::${awsAccount}:role/${DEVELOPER}`],
    documentAt: (at) => (at.startsWith(ISSUER_PATH) ? issuer.documentAt(at.slice(ISSUER_PATH.length)) : undefined),
  };
}
