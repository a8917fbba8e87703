import { describe, expect, test } from '@jest/globals';
import { callerOfRole, identifyCaller } from '../../functions/core/caller.ts';
import { recordedCallers } from '../support/recorded-callers.ts';

const account = '111122223333';
const iam = { kind: 'iam' } as const;
const jwt = { kind: 'jwt', issuer: 'https://login.example.com/', scope: 'tokens:vend' } as const;

function withClaims(claims: Record<string, unknown>) {
  return { jwt: { claims: { ...recordedCallers.jwt.jwt.claims, ...claims } } };
}

describe('a caller who signs with IAM credentials', () => {
  test.each([
    ['role', 'arn:aws:iam::111122223333:role/portal'],
    ['roleWithPath', 'arn:aws:iam::111122223333:role/portal-api'],
    ['lambdaRole', 'arn:aws:iam::111122223333:role/shop-api-role-1a2b3c4d'],
    ['chinaRole', 'arn:aws-cn:iam::111122223333:role/portal'],
    ['ssoRole', 'arn:aws:iam::111122223333:role/AWSReservedSSO_AdministratorAccess_3a013d1063b47157'],
  ] as const)('counts as its role, without path and session: %s', (shape, caller) => {
    expect(identifyCaller(recordedCallers[shape], account, iam)).toEqual({ caller });
  });

  test.each([
    ['user', 'arn:aws:iam::111122223333:user/staff/jo.doe'],
    ['root', 'arn:aws:iam::111122223333:root'],
    ['federated', 'arn:aws:sts::111122223333:federated-user/jo'],
    [
      'cognito',
      'cognito-identity.amazonaws.com/eu-west-1:2208d797-dfc9-40b4-8029-827c9e76e029#eu-west-1:db9476fd-de77-4977-839f-4f943ff5d68c',
    ],
  ] as const)('has an id of its own, which no grant for a role matches: %s', (shape, caller) => {
    expect(identifyCaller(recordedCallers[shape], account, iam)).toEqual({ caller });
  });

  test('is refused when only the name of its session says that it is Cognito', () => {
    expect(identifyCaller(recordedCallers.cognitoWithoutIdentity, account, iam)).toEqual({ refused: 'cognito' });
  });

  test('is refused when it belongs to another AWS account', () => {
    expect(identifyCaller(recordedCallers.otherAccount, account, iam)).toEqual({ refused: 'other_account' });
  });

  test('is refused when the account of the API is not known', () => {
    expect(identifyCaller(recordedCallers.role, undefined, iam)).toEqual({ refused: 'other_account' });
  });

  test.each([
    'arn:aws:sts::111122223333:assumed-role/portal',
    'arn:aws:sts::111122223333:assumed-role/apps/portal/session',
    'arn:aws:iam::111122223333:role/portal',
    'arn:aws:iam::111122223333:group/staff',
    'arn:aws:sts::1111:assumed-role/portal/session',
    '',
  ])('is refused when its ARN is of no known shape: %s', (userArn) => {
    expect(identifyCaller({ iam: { userArn } }, account, iam)).toEqual({ refused: 'unknown_principal' });
  });

  test('is refused when callers have to bring a JWT', () => {
    expect(identifyCaller(recordedCallers.role, account, jwt)).toEqual({ refused: 'no_jwt' });
  });
});

describe('a caller who brings a JWT', () => {
  test('is issuer and subject', () => {
    expect(identifyCaller(recordedCallers.jwt, account, jwt)).toEqual({ caller: 'https://login.example.com/#portal' });
  });

  test.each([['[openid tokens:vend]'], ['tokens:vend']])('may carry its scopes as %s in scp', (scp) => {
    const identified = identifyCaller(withClaims({ scope: undefined, scp }), account, jwt);
    expect(identified).toEqual({ caller: 'https://login.example.com/#portal' });
  });

  test.each(['openid profile', '', 'tokens:vend2', undefined])('is refused when its scopes are %p', (scope) => {
    expect(identifyCaller(withClaims({ scope }), account, jwt)).toEqual({ refused: 'scope' });
  });

  test('is refused when it comes from another issuer', () => {
    expect(identifyCaller(withClaims({ iss: 'https://elsewhere.example.com/' }), account, jwt)).toEqual({ refused: 'issuer' });
  });

  test.each(['', undefined])('is refused when its subject is %p', (sub) => {
    expect(identifyCaller(withClaims({ sub }), account, jwt)).toEqual({ refused: 'no_subject' });
  });

  test('is refused when callers have to sign with IAM credentials', () => {
    expect(identifyCaller(recordedCallers.jwt, account, iam)).toEqual({ refused: 'no_iam' });
  });
});

describe('the id of a role', () => {
  test('leaves its path out, as a session does', () => {
    expect(callerOfRole('arn:aws:iam::111122223333:role/apps/eu/portal')).toBe('arn:aws:iam::111122223333:role/portal');
  });

  test('is not made from the ARN of anything else', () => {
    expect(callerOfRole('arn:aws:iam::111122223333:user/portal')).toBeUndefined();
  });
});
