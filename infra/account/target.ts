import path from 'node:path';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { leaveAws } from '../local/environment.ts';
import { readEnvironmentFile, runDocument, runDocumentPath } from '../local/environment-file.ts';
import { PlainError } from '../local/plain-error.ts';
import { readConfig } from '../vending-config.ts';
import { operationsParameter } from '../operations.ts';
import type { Operations } from '../operations.ts';
import type { Place } from './arguments.ts';

const operations = z.object({
  table: z.string(),
  renew: z.string(),
  url: z.string(),
  secrets: z.string(),
}) satisfies z.ZodType<Operations>;

/**
 * Finds out what a deployment is called in AWS. For a local run it also gives this process the environment in which AWS clients
 * find that run, and nothing else.
 *
 * @throws PlainError where there is no such place, or it is a run of somebody else
 */
export async function findTarget(place: Place): Promise<Operations> {
  return readParameter(await deploymentAt(place));
}

async function deploymentAt(place: Place): Promise<string> {
  if (place.kind === 'local') return enterLocalRun(place.url);
  return place.kind === 'deployment' ? place.deployment : deploymentOf(place.stage, place.config);
}

async function enterLocalRun(url: string): Promise<string> {
  const asked: Promise<unknown> = fetch(url + runDocumentPath).then((answer) => answer.json());
  const run = runDocument.safeParse(await asked.catch(() => undefined)).data;
  if (run === undefined) throw new PlainError(`No local run answers at ${url}: start one with npm start, or give its URL after --local.`);
  const environment = readEnvironmentFile(run.environment);
  if (environment === undefined) {
    throw new PlainError(
      `The local run at ${url} answers to whoever started it alone: its keys are in ${run.environment}, for their eyes only.`,
    );
  }
  leaveAws(environment);
  return run.deployment;
}

async function deploymentOf(stage: string, file: string): Promise<string> {
  const { config }: { config?: unknown } = await import(path.resolve(file));
  return `${readConfig(config).name}-${stage}`;
}

async function readParameter(deployment: string): Promise<Operations> {
  const name = operationsParameter(deployment);
  const client = new SSMClient();
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: name }));
    return operations.parse(JSON.parse(Parameter?.Value ?? ''));
  } catch (error) {
    throw new PlainError(inPlainWords(error, deployment, name));
  } finally {
    client.destroy();
  }
}

function inPlainWords(error: unknown, deployment: string, parameter: string): string {
  const name = error instanceof Error ? error.name : 'unknown error';
  if (name === 'ParameterNotFound') {
    return `There is no deployment ${deployment} in this AWS account and region: the parameter ${parameter} was not found.`;
  }
  if (error instanceof Error && error.message === 'Region is missing') return 'There is no AWS region: set AWS_REGION, or AWS_PROFILE.';
  if (name === 'CredentialsProviderError') return 'There are no AWS credentials: sign in with aws sso login, or set AWS_PROFILE.';
  return `The deployment ${deployment} could not be looked up: ssm:GetParameter on ${parameter} answered ${name}.`;
}
