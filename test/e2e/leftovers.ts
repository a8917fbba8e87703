import type { Cloud } from './cloud.ts';

type Listing = Readonly<Record<string, string[]>>;

/**
 * What stands in the account, by kind. The CDK's own bootstrap stack (role names and objects that begin with `cdk-`) is left out:
 * it belongs to the account and not to a deployment.
 */
export async function listEverything({ query, json, rest }: Cloud): Promise<Listing> {
  const stacks = xmlNames(await query('cloudformation', 'DescribeStacks'), 'StackName');
  return {
    stacks: stacks.filter((name) => name !== 'CDKToolkit'),
    roles: xmlNames(await query('iam', 'ListRoles'), 'RoleName').filter((name) => !name.startsWith('cdk-')),
    functions: names(await rest('lambda', '/2015-03-31/functions'), 'Functions', 'FunctionName'),
    tables: names(await json('dynamodb', 'DynamoDB_20120810.ListTables'), 'TableNames', ''),
    queues: names(await json('sqs', 'AmazonSQS.ListQueues'), 'QueueUrls', ''),
    parameters: names(await json('ssm', 'AmazonSSM.DescribeParameters'), 'Parameters', 'Name'),
    logGroups: names(await json('logs', 'Logs_20140328.DescribeLogGroups'), 'logGroups', 'logGroupName'),
    rules: names(await json('events', 'AWSEvents.ListRules'), 'Rules', 'Name'),
    apis: names(await rest('apigateway', '/v2/apis'), 'items', 'name'),
    schedules: names(await rest('scheduler', '/schedules'), 'Schedules', 'Name'),
    secrets: names(await json('secretsmanager', 'secretsmanager.ListSecrets'), 'SecretList', 'Name'),
    keys: await keyStates({ json }),
  };
}

async function keyStates({ json }: Pick<Cloud, 'json'>): Promise<string[]> {
  const { Keys = [] } = (await json('kms', 'TrentService.ListKeys')) as { Keys?: { KeyId: string }[] };
  return Promise.all(
    Keys.map(async ({ KeyId }) => {
      const { KeyMetadata } = (await json('kms', 'TrentService.DescribeKey', { KeyId })) as { KeyMetadata?: { KeyState?: string } };
      return KeyMetadata?.KeyState ?? 'unknown';
    }),
  );
}

function names(answer: Record<string, unknown>, member: string, name: string): string[] {
  const list = (answer[member] ?? []) as (string | Record<string, unknown>)[];
  return list.map((entry) => (typeof entry === 'string' ? entry : String(entry[name])));
}

function xmlNames(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)<`, 'g'))].map(([, text = '']) => text);
}
