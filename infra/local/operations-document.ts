import type { Operations } from '../operations.ts';
import { region } from './aws/protocol.ts';

/** Where a run tells an operator's tools what a deployment tells them by its parameter. */
export const operationsPath = '/_local/operations.json';

/**
 * @param deployment name of the run's deployment, which its table and its secrets have, too
 * @param renew name of the renewing function
 * @returns names and endpoints, nothing secret
 */
export function operationsDocument(
  deployment: string,
  renew: string,
  url: string,
  endpoints: { dynamodb: string; others: string },
): Operations & { region: string; endpoints: { dynamodb: string; others: string } } {
  return { table: deployment, renew, url, secrets: deployment, region, endpoints };
}
