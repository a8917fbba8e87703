import { DynamoDBClient, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import type { Cloud, DeployedStack } from './cloud.ts';

interface Statement {
  Action: string | string[];
  Condition?: Record<string, Record<string, unknown>>;
}

/**
 * Makes up for what the emulator leaves out, from the template, so that the template stays what is tested.
 *
 * @returns what was repaired: where the emulator has closed a gap, its line here goes
 */
export async function repair(stack: DeployedStack, cloud: Cloud): Promise<string[]> {
  return [...(await repairTables(stack)), ...(await repairRoles(stack, cloud))];
}

/** Its CloudFormation forgets the TTL of a table. */
async function repairTables({ template, ids }: DeployedStack): Promise<string[]> {
  const tables = new DynamoDBClient();
  const repaired: string[] = [];
  for (const [id, { Type: type, Properties: properties = {} }] of Object.entries(template)) {
    if (type !== 'AWS::DynamoDB::Table') continue;
    const specification = properties['TimeToLiveSpecification'] as { AttributeName: string; Enabled: boolean };
    await tables.send(new UpdateTimeToLiveCommand({ TableName: ids[id] ?? '', TimeToLiveSpecification: specification }));
    repaired.push('the TTL of the table');
  }
  return repaired;
}

/** What its judgement of roles does not know: the wider action that stands in for a statement's own, and what the gap is called. */
const gaps: readonly { knows: (statement: Statement) => boolean; action?: string; name: string }[] = [
  { knows: ({ Action: action }) => action !== 'ssm:GetParametersByPath', name: 'the resource of ssm:GetParametersByPath' },
  {
    knows: ({ Action: action }) => action !== 'sqs:SendMessage',
    action: 'sqs:SendMessageBatch',
    name: 'that sqs:SendMessage covers batches',
  },
  { knows: ({ Condition: condition = {} }) => !namesEncryptionContext(condition), name: 'kms:EncryptionContext in conditions' },
];

async function repairRoles({ template, ids }: DeployedStack, { query }: Cloud): Promise<string[]> {
  const repaired = new Set<string>();
  for (const { Type: type, Properties: properties = {} } of Object.values(template)) {
    if (type !== 'AWS::IAM::Policy') continue;
    const { PolicyDocument: document, Roles: roles } = properties as {
      PolicyDocument: { Statement: Statement[] };
      Roles: { Ref: string }[];
    };
    const wider: object[] = [];
    for (const statement of document.Statement) {
      const gap = gaps.find(({ knows }) => !knows(statement));
      if (gap === undefined) continue;
      wider.push({ Effect: 'Allow', Action: gap.action ?? statement.Action, Resource: '*' });
      repaired.add(gap.name);
    }
    if (wider.length === 0) continue;
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: wider });
    for (const { Ref: role } of roles) {
      await query('iam', 'PutRolePolicy', { RoleName: ids[role] ?? '', PolicyName: 'emulator-gaps', PolicyDocument: policy });
    }
  }
  return [...repaired];
}

function namesEncryptionContext(condition: NonNullable<Statement['Condition']>): boolean {
  return Object.values(condition)
    .flatMap((block) => Object.keys(block))
    .some((key) => key.startsWith('kms:EncryptionContext:'));
}
