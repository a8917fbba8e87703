import { devNull } from 'node:os';
import tls from 'node:tls';
import { region } from './aws/protocol.ts';

/** @returns puts the environment of this process back as it is now */
export function keepEnvironment(): () => void {
  const before = { ...process.env };
  return () => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  };
}

/** Takes every `AWS_*` variable of the person who started it from this process: nothing but a local run can be reached after that. */
export function leaveAws(localRegion: string): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, {
    AWS_REGION: localRegion,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: 'true',
  });
}

/**
 * Gives this process the environment that the functions are deployed with. Every `AWS_*` variable of the person who started it
 * goes first, and no AWS configuration file is read: nothing in here can reach a real AWS account.
 *
 * @param variables the functions' own; an endpoint among them wins
 */
export function setEnvironment(endpoints: { dynamodb: string; others: string }, variables: Readonly<Record<string, string>>): void {
  const services = ['SECRETS_MANAGER', 'KMS', 'SSM', 'SQS', 'LAMBDA'];
  leaveAws(region);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    ...Object.fromEntries(services.map((service) => [`AWS_ENDPOINT_URL_${service}`, endpoints.others])),
    ...variables,
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
