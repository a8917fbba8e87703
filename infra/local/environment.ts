import { devNull } from 'node:os';
import tls from 'node:tls';
import type { AwsKeys } from './aws/keys.ts';
import { region } from './aws/protocol.ts';

/** @returns puts the environment of this process back as it is now */
export function keepEnvironment(): () => void {
  const before = { ...process.env };
  return () => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  };
}

/** What AWS clients need to find a run, and what it knows them by. */
export interface AwsEnvironment {
  AWS_REGION: string;
  /** what the first version of the aws command line goes by */
  AWS_DEFAULT_REGION: string;
  AWS_ACCESS_KEY_ID: string;
  AWS_SECRET_ACCESS_KEY: string;
  /** empty, so that it takes the place of another one where a shell sources it */
  AWS_SESSION_TOKEN: string;
  AWS_ENDPOINT_URL: string;
  AWS_ENDPOINT_URL_DYNAMODB: string;
}

/** @returns the AWS environment of a run */
export function awsEnvironmentOf(keys: AwsKeys, endpoints: { dynamodb: string; others: string }): AwsEnvironment {
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_SESSION_TOKEN: '',
    AWS_ENDPOINT_URL: endpoints.others,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
  };
}

/**
 * Takes every `AWS_*` variable of the person who started it from this process, and every AWS configuration file: nothing but a local
 * run can be reached after that.
 */
export function leaveAws(forRun: AwsEnvironment): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, {
    ...forRun,
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: 'true',
  });
}

/**
 * Trusts an authority besides the public ones, in this process, as an operator would by `NODE_EXTRA_CA_CERTS`.
 *
 * @returns trusts it no longer
 */
export function trustAuthority(caPem: string): () => void {
  const before = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...before, caPem]);
  return () => tls.setDefaultCACertificates(before);
}
