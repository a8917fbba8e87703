import assert from 'node:assert/strict';
import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { assemblyOf } from './deployments.ts';
import { account } from './cloud.ts';
import type { Steps } from './steps.ts';
import type { World } from './world.ts';

/** Another CDK app puts the built construct beside a role of its own and grants it one account. */
export async function sampleAppSteps(steps: Steps, { cloud, deployments, caller }: World): Promise<void> {
  await steps.need('the sample app deploys the built construct and a role with a generated name', () => deployments.deploySample());
  const tokens = await cloud.stack('sample-tokens', assemblyOf('sample'));
  const importer = await cloud.stack('sample-importer', assemblyOf('sample'));
  const [roleName = ''] = importer.ofType('AWS::IAM::Role');

  await steps.check("the grant names the role as it was created, without the role's path", async () => {
    const { Parameters = [] } = await new SSMClient().send(new GetParametersByPathCommand({ Path: '/sample-tokens/grants' }));
    const grants = Parameters.flatMap(({ Value = '[]' }) => JSON.parse(Value) as unknown[]);
    const caller = `arn:aws:iam::${account}:role/${roleName}`;
    assert.deepEqual(grants, [{ caller, operations: ['vend'], accounts: ['vidizmo/main'] }]);
  });
  await steps.check('the role may call that one path of that API and nothing else', async () => {
    const { documents } = await policiesOf(cloud, roleName);
    const [api] = tokens.ofType('AWS::ApiGatewayV2::Api');
    const resource = `arn:aws:execute-api:eu-central-1:${account}:${api}/$default/POST/v1/tokens/vidizmo/main`;
    assert.equal(documents.length, 1);
    assert.deepEqual(documents[0]?.Statement, [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: resource }]);
  });
  await steps.check('an unsigned call does not reach a function', async () => {
    assert.equal((await caller.post(`${tokens.url}/v1/tokens/vidizmo/main`)).status, 403);
  });
}

interface PolicyDocument {
  Statement: unknown;
}

async function policiesOf(cloud: World['cloud'], roleName: string): Promise<{ documents: PolicyDocument[] }> {
  const list = await cloud.query('iam', 'ListRolePolicies', { RoleName: roleName });
  const names = [...list.matchAll(/<member>([^<]*)<\/member>/g)].map(([, name = '']) => name);
  const documents = await Promise.all(
    names.map(async (name) => {
      const xml = await cloud.query('iam', 'GetRolePolicy', { RoleName: roleName, PolicyName: name });
      const text = /<PolicyDocument>([\s\S]*?)<\/PolicyDocument>/.exec(xml)?.[1] ?? '';
      return JSON.parse(decode(text)) as PolicyDocument;
    }),
  );
  return { documents };
}

function decode(text: string): string {
  return text.startsWith('%7B') ? decodeURIComponent(text) : text.replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}
