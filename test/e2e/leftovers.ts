import type { Cloud } from './cloud.ts';

/** Names of what stands in an account, by kind. */
export type Listing = Readonly<Record<string, string[]>>;

/** What stands in the account, in every service that a deployment touches. */
export async function listEverything({ query, json, rest }: Cloud): Promise<Listing> {
  return {
    stacks: xmlNames(await query('cloudformation', 'DescribeStacks'), 'StackName'),
    roles: xmlNames(await query('iam', 'ListRoles'), 'RoleName'),
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

/** @returns what is in the second listing and not in the first */
export function addedSince(before: Listing, after: Listing): Listing {
  const added = Object.entries(after).map(
    ([kind, names]) => [kind, names.filter((name) => before[kind]?.includes(name) !== true)] as const,
  );
  return Object.fromEntries(added);
}

async function keyStates({ json }: Pick<Cloud, 'json'>): Promise<string[]> {
  const { Keys = [] } = (await json('kms', 'TrentService.ListKeys')) as { Keys?: { KeyId: string }[] };
  return Promise.all(
    Keys.map(async ({ KeyId }) => {
      const { KeyMetadata } = (await json('kms', 'TrentService.DescribeKey', { KeyId })) as { KeyMetadata?: { KeyState?: string } };
      return `${KeyId} ${KeyMetadata?.KeyState}`;
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

/** @returns every line that the functions have written, for whoever looks into a failure */
export async function functionLogs({ json }: Cloud): Promise<string> {
  const { logGroups = [] } = (await json('logs', 'Logs_20140328.DescribeLogGroups')) as { logGroups?: { logGroupName: string }[] };
  const texts = await Promise.all(
    logGroups.map(async ({ logGroupName }) => {
      const { events = [] } = (await json('logs', 'Logs_20140328.FilterLogEvents', { logGroupName })) as { events?: { message: string }[] };
      return [`# ${logGroupName}`, ...events.map(({ message }) => message)].join('\n');
    }),
  );
  return texts.join('\n');
}
