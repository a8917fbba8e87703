/**
 * What API Gateway puts into `requestContext.authorizer` of an HTTP API's event (payload format 2.0), as recorded and documented,
 * with account ids and names replaced.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html (ids by kind of principal)
 */
export const recordedCallers = {
  role: iam('arn:aws:sts::111122223333:assumed-role/portal/i-0a1b2c3d4e5f60718', 'AROA2DREO3S2A6XFQAO5U:i-0a1b2c3d4e5f60718'),
  /** created as `/apps/portal/`: a session's ARN has no path */
  roleWithPath: iam('arn:aws:sts::111122223333:assumed-role/portal-api/session', 'AROA2DREO3S2KJM4LLZI0:session'),
  lambdaRole: iam('arn:aws:sts::111122223333:assumed-role/shop-api-role-1a2b3c4d/shop-api', 'AROA2DREO3S2B7YGRBP6V:shop-api'),
  chinaRole: iam('arn:aws-cn:sts::111122223333:assumed-role/portal/session', 'AROA2DREO3S2C8ZHSCQ7W:session'),
  ssoRole: iam(
    'arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_AdministratorAccess_3a013d1063b47157/jo.doe@example.com',
    'AROAYS2NVS67OXH4F3WBU:jo.doe@example.com',
  ),
  user: iam('arn:aws:iam::111122223333:user/staff/jo.doe', 'AIDA2CRXO3S2JFSU7S42X'),
  root: iam('arn:aws:iam::111122223333:root', '111122223333'),
  federated: iam('arn:aws:sts::111122223333:federated-user/jo', '111122223333:jo'),
  cognito: {
    iam: {
      ...iam('arn:aws:sts::111122223333:assumed-role/portal/CognitoIdentityCredentials', 'AROA2DREO3S2A6XFQAO5U:CognitoIdentityCredentials')
        .iam,
      cognitoIdentity: {
        amr: ['authenticated'],
        identityId: 'eu-west-1:db9476fd-de77-4977-839f-4f943ff5d68c',
        identityPoolId: 'eu-west-1:2208d797-dfc9-40b4-8029-827c9e76e029',
      },
    },
  },
  /** the same session where nothing says that it is Cognito's but its name */
  cognitoWithoutIdentity: iam(
    'arn:aws:sts::111122223333:assumed-role/portal/CognitoIdentityCredentials',
    'AROA2DREO3S2A6XFQAO5U:CognitoIdentityCredentials',
  ),
  otherAccount: iam('arn:aws:sts::999988887777:assumed-role/portal/session', 'AROAZUFPDMJL6KJM4LLZI:session', '999988887777'),
  jwt: {
    jwt: {
      claims: {
        aud: 'token-vending',
        client_id: 'portal',
        exp: '1764000000',
        iat: '1763996400',
        iss: 'https://login.example.com/',
        scope: 'openid tokens:vend',
        sub: 'portal',
      },
      scopes: ['tokens:vend'],
    },
  },
} as const;

function iam(userArn: string, callerId: string, accountId = '111122223333') {
  return {
    iam: {
      accessKey: 'ASIAIOSFODNN7EXAMPLE',
      accountId,
      callerId,
      cognitoIdentity: null,
      principalOrgId: 'o-a1b2c3d4e5',
      userArn,
      userId: callerId,
    },
  };
}
