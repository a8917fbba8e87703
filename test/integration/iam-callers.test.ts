import { Sha256 } from '@aws-crypto/sha256-js';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Grant } from '../../functions/core/grants.ts';
import { region } from '../../infra/local/aws/protocol.ts';
import type { IamShape } from '../../infra/local/gateway/iam-authorizer.ts';
import { startLocalStack, type LocalStack } from '../../infra/local/stack.ts';
import { recordedCallers } from '../support/recorded-callers.ts';

// Long for a machine that has more to do; nothing here measures time.
jest.setTimeout(60_000);

const { jwt: _, ...iamCallers } = recordedCallers;
type Shape = keyof typeof iamCallers;
const shapes = Object.entries(iamCallers);

/** Each recorded identity with an access key of its own, which is nothing but its name. */
function keyOf(shape: string): string {
  return `ASIA${shape.toUpperCase()}`;
}

function secretOf(shape: string): string {
  return `secret of ${shape}`;
}

function aGrant(caller: string): Grant {
  return { caller, operations: ['vend'], accounts: ['vidizmo/main'] };
}

let stack: LocalStack;

/** Signs as one of the recorded identities and calls. */
async function call(shape: Shape, method: string, path: string) {
  const { port } = new URL(stack.url);
  const credentials = { accessKeyId: keyOf(shape), secretAccessKey: secretOf(shape) };
  const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 });
  const target = { method, protocol: 'http:', hostname: '127.0.0.1', port: Number(port), path };
  const { headers } = await signer.sign({ ...target, headers: { host: `127.0.0.1:${port}` } });
  const answer = await fetch(stack.url + path, { method, headers });
  const body: Record<string, unknown> = Object(await answer.json());
  return { status: answer.status, code: body['code'] };
}

const vend = (shape: Shape, account = 'vidizmo/main') => call(shape, 'POST', `/v1/tokens/${account}`);

beforeAll(async () => {
  const role = 'arn:aws:iam::111122223333:role';
  const names = ['portal', 'portal-api', 'AWSReservedSSO_AdministratorAccess_3a013d1063b47157'];
  const { user, otherAccount } = iamCallers;
  const exactly = [user.iam.userArn, 'arn:aws:iam::999988887777:role/portal', otherAccount.iam.userArn];
  const known = shapes.map(([shape, { iam }]) => {
    const identity: IamShape = { ...iam, accessKey: keyOf(shape) };
    return [keyOf(shape), { secretAccessKey: secretOf(shape), iam: identity }] as const;
  });
  stack = await startLocalStack({
    callers: 'iam',
    iamCallers: new Map(known),
    grants: [...names.map((name) => aGrant(`${role}/${name}`)), ...exactly.map(aGrant)],
  });
});

afterAll(() => stack.stop());

describe('a caller who signs', () => {
  test.each(['role', 'roleWithPath', 'ssoRole', 'user'] as const)('vends what a grant names it for: %s', async (shape) => {
    expect((await vend(shape)).status).toBe(200);
  });

  test.each(['lambdaRole', 'root', 'federated'] as const)('vends nothing without a grant of its own: %s', async (shape) => {
    expect(await vend(shape)).toEqual({ status: 403, code: 'no_grant' });
  });

  test.each(['cognito', 'cognitoWithoutIdentity'] as const)('does not pass as the role that Cognito assumed for it: %s', async (shape) => {
    expect(await vend(shape)).toEqual({ status: 403, code: 'no_grant' });
  });

  test('of another AWS account is refused whatever a grant says', async () => {
    expect(await vend('otherAccount')).toEqual({ status: 403, code: 'no_grant' });
  });

  test('vends from no other account than the granted one', async () => {
    expect(await vend('role', 'amino/main')).toEqual({ status: 403, code: 'no_grant' });
  });

  test('may do nothing else with the account than what was granted', async () => {
    expect(await call('role', 'POST', '/v1/tokens/vidizmo/main/revoke')).toEqual({ status: 403, code: 'no_grant' });
    expect(await call('role', 'GET', '/v1/accounts/vidizmo/main')).toEqual({ status: 403, code: 'no_grant' });
  });
});
