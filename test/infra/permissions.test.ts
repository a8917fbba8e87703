import { describe, expect, test } from '@jest/globals';
import { Key } from 'aws-cdk-lib/aws-kms';
import { warmAttributes } from '../../functions/adapters/token-table-attributes.ts';
import { statementsOf, synthesize } from './support/synthesize.ts';
import type { Statement } from './support/synthesize.ts';

const { template, text } = synthesize();

/** A statement in a line: actions, the resource's name in the template, and whether conditions narrow it. */
function line({ Action, Resource, Condition }: Statement): string {
  const actions = [Action].flat().toSorted().join(' ');
  const where = JSON.stringify(Resource)
    .replaceAll(/\{"Fn::GetAtt":\["Vending(\w+?)[0-9A-F]{8}","Arn"\]\}/g, '$1')
    .replaceAll(/\{"Ref":"AWS::Partition"\}/g, 'aws')
    .replaceAll(/\{"Fn::Join":\["",\[([^\]]*)\]\]\}/g, '$1')
    .replaceAll(/[",]/g, '');
  return `${actions} on ${where}${Condition === undefined ? '' : ' if'}`;
}

const every = (logs: string) => [
  `logs:CreateLogStream logs:PutLogEvents on ${logs}`,
  'xray:PutTelemetryRecords xray:PutTraceSegments on *',
];

describe('what each function may do, and nothing else', () => {
  test('vend-token reads two items, opens what is sealed, marks it warm, invokes the renewing function and reads grants', () => {
    expect(
      statementsOf(template, /holds no credential/)
        .map(line)
        .toSorted(),
    ).toEqual(
      [
        ...every('VendTokenLogs'),
        'dynamodb:BatchGetItem dynamodb:GetItem on Table',
        'dynamodb:UpdateItem on Table if',
        'kms:Decrypt on SealingKey if',
        'lambda:InvokeFunction on RenewTokenSets',
        'ssm:GetParametersByPath on arn:aws:ssm:eu-central-1:111122223333:parameter/tokens-test/grants',
      ].toSorted(),
    );
  });

  test('the one write of vend-token may name the keys, the warm attributes and the expiry that it compares, and returns no others', () => {
    const update = statementsOf(template, /holds no credential/).find(({ Action }) => Action === 'dynamodb:UpdateItem');
    expect(update?.Condition).toEqual({
      'ForAllValues:StringEquals': { 'dynamodb:Attributes': warmAttributes },
      StringEqualsIfExists: { 'dynamodb:ReturnValues': ['NONE', 'UPDATED_OLD', 'UPDATED_NEW'] },
    });
  });

  test('renew-token-sets alone reads secrets, under its prefix only, and makes data keys', () => {
    expect(
      statementsOf(template, /Talks to/)
        .map(line)
        .toSorted(),
    ).toEqual(
      [
        ...every('RenewTokenSetsLogs'),
        'dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem on Table',
        'kms:Decrypt kms:GenerateDataKey on SealingKey if',
        'secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-central-1:111122223333:secret:tokens-test/*',
        'sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:GetQueueUrl sqs:ReceiveMessage on Renewals',
      ].toSorted(),
    );
    expect(text.match(/secretsmanager:GetSecretValue/g)).toHaveLength(1);
    expect(text.match(/kms:GenerateDataKey/g)).toHaveLength(1);
  });

  test('dispatch-renewals queries the due index and sends, and can open nothing', () => {
    expect(statementsOf(template, /Finds/).map(line).toSorted()).toEqual(
      [...every('DispatchRenewalsLogs'), 'dynamodb:Query on Table/index/due', 'sqs:SendMessage on Renewals'].toSorted(),
    );
  });

  test('manage-accounts reads states and the listing, changes nothing itself and can open nothing', () => {
    expect(statementsOf(template, /Shows/).map(line).toSorted()).toEqual(
      [
        ...every('ManageAccountsLogs'),
        'dynamodb:GetItem dynamodb:Query on Table',
        'dynamodb:Query on Table/index/listing',
        'lambda:InvokeFunction on RenewTokenSets',
        'ssm:GetParametersByPath on arn:aws:ssm:eu-central-1:111122223333:parameter/tokens-test/grants',
      ].toSorted(),
    );
  });

  test('data keys are opened and made for this deployment only', () => {
    for (const name of [/holds no credential/, /Talks to/]) {
      const kms = statementsOf(template, name).filter(({ Action }) => JSON.stringify(Action).includes('kms:'));
      expect(kms.map(({ Condition }) => Condition)).toEqual([{ StringEquals: { 'kms:EncryptionContext:deployment': 'tokens-test' } }]);
    }
  });

  test('secrets are read under the prefix that was asked for', () => {
    const other = synthesize({ secretPrefix: 'video' });
    expect(statementsOf(other.template, /Talks to/).map(line)).toContain(
      'secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-central-1:111122223333:secret:video/*',
    );
  });

  test('secrets under customer keys are opened by the renewing function alone, with those keys only, and through Secrets Manager only', () => {
    const arns = ['one', 'two'].map((id) => `arn:aws:kms:eu-central-1:111122223333:key/${id}`);
    const keyed = synthesize((stack) => ({ secretKeys: arns.map((arn, index) => Key.fromKeyArn(stack, `SecretKey${index}`, arn)) }));
    const secretsManager = { 'Fn::Join': ['', ['secretsmanager.eu-central-1.', { Ref: 'AWS::URLSuffix' }]] };
    const Condition = { StringEquals: { 'kms:ViaService': secretsManager } };
    const decrypts = (description: RegExp) =>
      statementsOf(keyed.template, description).filter(({ Resource }) => arns.includes(String(Resource)));
    expect(decrypts(/Talks to/)).toEqual(arns.map((Resource) => ({ Effect: 'Allow', Action: 'kms:Decrypt', Resource, Condition })));
    for (const other of [/holds no credential/, /Shows/, /Finds/]) expect(decrypts(other)).toEqual([]);
  });
});

describe('what nobody may do', () => {
  test('nobody scans, and no policy allows every action of a service', () => {
    expect(text).not.toContain('dynamodb:Scan');
    const policies = Object.values(template.findResources('AWS::IAM::Policy'));
    expect(JSON.stringify(policies)).not.toMatch(/"[a-z]+:\*"/);
  });

  test('the only permission on * is tracing', () => {
    const policies = Object.values(template.findResources('AWS::IAM::Policy')) as {
      Properties: { PolicyDocument: { Statement: Statement[] } };
    }[];
    const onEverything = policies
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
      .filter(({ Resource }) => Resource === '*');
    expect(new Set(onEverything.flatMap(({ Action }) => Action))).toEqual(new Set(['xray:PutTraceSegments', 'xray:PutTelemetryRecords']));
  });

  test('no managed policy is attached to a role', () => {
    const roles = Object.values(template.findResources('AWS::IAM::Role')) as { Properties: { ManagedPolicyArns?: unknown } }[];
    expect(roles.filter(({ Properties }) => Properties.ManagedPolicyArns !== undefined)).toEqual([]);
  });
});
