import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { DynamoDBClient, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { SetQueueAttributesCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { root } from './processes.ts';

export const account = '000000000000';
export const region = 'eu-central-1';

/** What the CDK CLI, the clients and the functions need to find the emulator instead of AWS. */
export function environmentFor(endpoint: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

interface TemplateResource {
  Type: string;
  Properties?: Record<string, unknown>;
}

/** A deployed stack: its template as it was synthesized, and the physical ids that CloudFormation knows. */
export interface DeployedStack {
  name: string;
  /** logical id → resource, of the template */
  template: Readonly<Record<string, TemplateResource>>;
  /** logical id → physical id */
  ids: Readonly<Record<string, string>>;
  /** @returns physical ids of that type, in the template's order */
  ofType(type: string): string[];
  /** where the emulator serves the stack's HTTP API */
  url: string;
}

/** Calls to AWS services that this project has no client of, in each service's own protocol. */
export function createCloud(endpoint: string) {
  /** A call of the query protocol. @returns the answer's XML */
  async function query(service: string, action: string, parameters: Record<string, string> = {}): Promise<string> {
    const headers = { ...signedFor(service), 'content-type': 'application/x-www-form-urlencoded' };
    const version = service === 'cloudformation' ? '2010-05-15' : '2010-05-08';
    const body = new URLSearchParams({ Action: action, Version: version, ...parameters });
    const response = await fetch(endpoint, { method: 'POST', headers, body });
    return response.text();
  }

  /** A call of the JSON protocol. */
  async function json(service: string, target: string, body: object = {}): Promise<Record<string, unknown>> {
    const headers = { ...signedFor(service), 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
    const response = await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await response.json()) as Record<string, unknown>;
  }

  /** A GET of a REST service. */
  async function rest(service: string, pathname: string): Promise<Record<string, unknown>> {
    const response = await fetch(`${endpoint}${pathname}`, { headers: signedFor(service) });
    return (await response.json()) as Record<string, unknown>;
  }

  async function stack(name: string, assembly: string): Promise<DeployedStack> {
    const file = path.resolve(root, assembly, `${name}.template.json`);
    const { Resources: template } = JSON.parse(await readFile(file, 'utf8')) as { Resources: Record<string, TemplateResource> };
    const xml = await query('cloudformation', 'DescribeStackResources', { StackName: name });
    const members = [...xml.matchAll(/<member>([\s\S]*?)<\/member>/g)].map(([, member = '']) => member);
    const entries = members.map((member) => [tag(member, 'LogicalResourceId'), tag(member, 'PhysicalResourceId')] as const);
    const ids = Object.fromEntries(entries);
    const ofType = (type: string) => Object.keys(template).flatMap((id) => (template[id]?.Type === type ? [ids[id] ?? ''] : []));
    const url = `${endpoint}/_aws/execute-api/${ofType('AWS::ApiGatewayV2::Api')[0]}/$default`;
    return { name, template, ids, ofType, url };
  }

  return { query, json, rest, stack };
}

export type Cloud = ReturnType<typeof createCloud>;

/** @returns the text of an XML element, by name */
export function tag(xml: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
}

/**
 * Makes up for what the emulator's CloudFormation leaves out, from the template, so that the template stays what is tested.
 *
 * @returns what was repaired; a release that has closed the gap shows by its absence
 */
export async function repair(stack: DeployedStack, endpoint: string): Promise<string[]> {
  const tables = new DynamoDBClient({ endpoint });
  const queues = new SQSClient({ endpoint });
  const repaired: string[] = [];
  for (const [id, { Type: type, Properties: properties = {} }] of Object.entries(stack.template)) {
    const physical = stack.ids[id] ?? '';
    if (type === 'AWS::DynamoDB::Table' && properties['TimeToLiveSpecification'] !== undefined) {
      const { AttributeName, Enabled } = properties['TimeToLiveSpecification'] as { AttributeName: string; Enabled: boolean };
      const input = { TableName: physical, TimeToLiveSpecification: { AttributeName, Enabled } };
      const refused = await tables.send(new UpdateTimeToLiveCommand(input)).then(
        () => false,
        () => true,
      );
      if (!refused) repaired.push(`TTL of ${id}`);
    }
    if (type === 'AWS::SQS::Queue' && properties['RedrivePolicy'] !== undefined) {
      const { Attributes } = await queues.send(new GetQueueAttributesCommand({ QueueUrl: physical, AttributeNames: ['RedrivePolicy'] }));
      if (Attributes?.['RedrivePolicy'] !== undefined) continue;
      const { deadLetterTargetArn, maxReceiveCount } = properties['RedrivePolicy'] as {
        deadLetterTargetArn: { 'Fn::GetAtt': [string, string] };
        maxReceiveCount: number;
      };
      const deadLetters = stack.ids[deadLetterTargetArn['Fn::GetAtt'][0]]?.split('/').at(-1);
      const policy = { deadLetterTargetArn: `arn:aws:sqs:${region}:${account}:${deadLetters}`, maxReceiveCount };
      await queues.send(new SetQueueAttributesCommand({ QueueUrl: physical, Attributes: { RedrivePolicy: JSON.stringify(policy) } }));
      repaired.push(`RedrivePolicy of ${id}`);
    }
  }
  return repaired;
}

function signedFor(service: string): Record<string, string> {
  // The emulator finds the service in the credential's scope and does not look at the signature.
  const scope = `test/20260101/${region}/${service}/aws4_request`;
  return { authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0` };
}
