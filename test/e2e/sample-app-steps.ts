import assert from 'node:assert/strict';
import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { account, tag } from './cloud.ts';
import { assemblyOf } from './deployments.ts';
import { repair } from './repair.ts';
import { fetchSigned } from './signed.ts';
import type { Keys } from './signed.ts';
import type { Steps } from './steps.ts';
import { storeSecrets } from './vending-steps.ts';
import type { World } from './world.ts';

/** Another CDK app puts the built construct beside a role of its own and grants it one account. Callers are IAM identities here. */
export async function sampleAppSteps(steps: Steps, world: World): Promise<void> {
  const { cloud, deployments, caller } = world;
  await steps.need('the sample app deploys the built construct and a role with a generated name', () => deployments.deploySample());
  const tokens = await cloud.stack('sample-tokens', assemblyOf('sample'));
  const importer = await cloud.stack('sample-importer', assemblyOf('sample'));
  await repair(tokens, cloud);
  await storeSecrets(world, 'sample-tokens');
  const [roleName = ''] = importer.ofType('AWS::IAM::Role');

  await steps.check("the grant names the role as it was created, without the role's path", async () => {
    const { Parameters = [] } = await new SSMClient().send(new GetParametersByPathCommand({ Path: '/sample-tokens/grants' }));
    const grants = Parameters.flatMap(({ Value = '[]' }) => JSON.parse(Value) as unknown[]);
    const caller = `arn:aws:iam::${account}:role/${roleName}`;
    assert.deepEqual(grants, [{ caller, operations: ['vend'], accounts: ['vidizmo/main'] }]);
  });

  const keys = await steps.need('the role is assumed', () => assume(world, `arn:aws:iam::${account}:role/importers/${roleName}`));
  const vend = (path: string, as: Keys) =>
    fetchSigned(as, 'execute-api', {
      method: 'POST',
      url: `${tokens.url}/v1/${path}`,
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
  await steps.check('the role vends what it was granted', async () => {
    const answer = await vend('tokens/vidizmo/main', keys);
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    assert.match(text, /"access_token"/);
  });
  await steps.check('the role may vend no other account, and not revoke: API Gateway refuses', async () => {
    for (const path of ['tokens/amino/main', 'tokens/vidizmo/main/revoke', 'accounts/vidizmo/main/reset']) {
      const answer = await vend(path, keys);
      const text = await answer.text();
      assert.equal(answer.status, 403, `${path}: ${text}`);
      assert.doesNotMatch(text, /urn:token-vending/, path);
    }
  });
  await steps.check('an identity that IAM lets through and no grant names is refused by the service', async () => {
    const answer = await vend('tokens/vidizmo/main', { accessKeyId: 'test', secretAccessKey: 'test' });
    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /"code":"no_grant"/);
  });
  await steps.check('a wrong signature and no signature do not reach a function', async () => {
    assert.equal((await vend('tokens/vidizmo/main', { ...keys, secretAccessKey: 'wrong' })).status, 403);
    assert.equal((await caller.post(`${tokens.url}/v1/tokens/vidizmo/main`)).status, 403);
  });
}

async function assume({ cloud }: World, role: string): Promise<Keys> {
  const xml = await cloud.query('sts', 'AssumeRole', { RoleArn: role, RoleSessionName: 'e2e' });
  return { accessKeyId: tag(xml, 'AccessKeyId'), secretAccessKey: tag(xml, 'SecretAccessKey'), sessionToken: tag(xml, 'SessionToken') };
}
