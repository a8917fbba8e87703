import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { root } from './processes.ts';
import { fetchSigned } from './signed.ts';
import type { Keys } from './signed.ts';

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

/** API versions of the query protocol. */
const versions: Readonly<Record<string, string>> = { cloudformation: '2010-05-15', iam: '2010-05-08', sts: '2011-06-15' };

/** The emulator's root user. */
const rootKeys: Keys = { accessKeyId: 'test', secretAccessKey: 'test' };

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
  const call = async (service: string, method: 'GET' | 'POST', pathname: string, type?: string, body = '', target?: string) => {
    const headers = {
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(target === undefined ? {} : { 'x-amz-target': target }),
    };
    const response = await fetchSigned(rootKeys, service, { method, url: `${endpoint}${pathname}`, headers, body });
    const text = await response.text();
    if (!response.ok) throw new Error(`${service} ${target ?? body} answered ${response.status}: ${text.slice(0, 500)}`);
    return text;
  };

  /** A call of the query protocol. @returns the answer's XML */
  function query(service: string, action: string, parameters: Record<string, string> = {}): Promise<string> {
    const version = versions[service] ?? '';
    const body = new URLSearchParams({ Action: action, Version: version, ...parameters }).toString();
    return call(service, 'POST', '/', 'application/x-www-form-urlencoded', body);
  }

  /** A call of the JSON protocol. */
  async function json(service: string, target: string, body: object = {}): Promise<Record<string, unknown>> {
    return JSON.parse(await call(service, 'POST', '/', 'application/x-amz-json-1.1', JSON.stringify(body), target)) as Record<
      string,
      unknown
    >;
  }

  /** A GET of a REST service. */
  async function rest(service: string, pathname: string): Promise<Record<string, unknown>> {
    return JSON.parse(await call(service, 'GET', pathname)) as Record<string, unknown>;
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
