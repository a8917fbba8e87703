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

/** It judges `ssm:GetParametersByPath` as a call on everything, and knows no encryption context: both are allowed once more, wider. */
async function repairRoles({ template, ids }: DeployedStack, { query }: Cloud): Promise<string[]> {
  const repaired = new Set<string>();
  for (const { Type: type, Properties: properties = {} } of Object.values(template)) {
    if (type !== 'AWS::IAM::Policy') continue;
    const { PolicyDocument: document, Roles: roles } = properties as {
      PolicyDocument: { Statement: Statement[] };
      Roles: { Ref: string }[];
    };
    const unknown = document.Statement.filter((statement) => gapOf(statement) !== undefined);
    if (unknown.length === 0) continue;
    const wider = unknown.map(({ Action }) => ({ Effect: 'Allow', Action, Resource: '*' }));
    for (const { Ref } of roles) {
      const policy = {
        RoleName: ids[Ref] ?? '',
        PolicyName: 'emulator-gaps',
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: wider }),
      };
      await query('iam', 'PutRolePolicy', policy);
    }
    for (const statement of unknown) repaired.add(gapOf(statement) ?? '');
  }
  return [...repaired];
}

function gapOf({ Action: action, Condition: condition = {} }: Statement): string | undefined {
  if (action === 'ssm:GetParametersByPath') return 'the resource of ssm:GetParametersByPath';
  const keys = Object.values(condition).flatMap((block) => Object.keys(block));
  return keys.some((key) => key.startsWith('kms:EncryptionContext:')) ? 'kms:EncryptionContext in conditions' : undefined;
}
