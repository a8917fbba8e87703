import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEnv } from 'node:util';
import * as z from 'zod/mini';
import type { AwsEnvironment } from './environment.ts';

/** Where a run says, to anybody, what it is called and in which file its keys are. */
export const runDocumentPath = '/_local/run.json';

/** What it says there; nothing of it is secret. */
export const runDocument = z.object({
  /** name of the deployment */
  deployment: z.string(),
  /** the file with its {@link AwsEnvironment} */
  environment: z.string(),
});

const loopback = z.string().check(z.startsWith('http://127.0.0.1:'));
/** A run says where its file is, and another process could say so in its place: what leads off this machine is no run's. */
const awsEnvironment = z.object({
  AWS_REGION: z.string(),
  AWS_DEFAULT_REGION: z.string(),
  AWS_ACCESS_KEY_ID: z.string(),
  AWS_SECRET_ACCESS_KEY: z.string(),
  AWS_SESSION_TOKEN: z.literal(''),
  AWS_ENDPOINT_URL: loopback,
  AWS_ENDPOINT_URL_DYNAMODB: loopback,
}) satisfies z.ZodMiniType<AwsEnvironment>;

/**
 * Writes a run's AWS environment, keys and all, to a file that only its owner can read. Shells can source it.
 *
 * @returns the file, and how to remove it
 */
export function writeEnvironmentFile(environment: AwsEnvironment): { file: string; remove: () => void } {
  // Made anew, for its owner alone, under a name that nobody can have taken before.
  const directory = mkdtempSync(path.join(tmpdir(), 'token-vending-'));
  const file = path.join(directory, 'environment');
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(file, lines.join(''), { mode: 0o600, flag: 'wx' });
  return { file, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** @returns undefined where the file is not one that a run of this user wrote */
export function readEnvironmentFile(file: string): AwsEnvironment | undefined {
  try {
    const handle = openSync(file, 'r');
    try {
      const isOwn = process.getuid === undefined || fstatSync(handle).uid === process.getuid();
      return isOwn ? awsEnvironment.safeParse(parseEnv(readFileSync(handle, 'utf8'))).data : undefined;
    } finally {
      closeSync(handle);
    }
  } catch {
    return undefined;
  }
}
