import { rounded } from './median.ts';

/**
 * Dollars a million, list prices of us-east-1 without the free tier. A write also goes to the due index when it moves a due time.
 *
 * @see https://aws.amazon.com/dynamodb/pricing/on-demand/
 * @see https://aws.amazon.com/lambda/pricing/
 */
const prices = {
  dynamoDbRead: 0.125,
  dynamoDbWrite: 0.625,
  lambdaRequest: 0.2,
  lambdaGigabyteSecond: 13.3334,
  httpApiRequest: 1,
  sqsRequest: 0.4,
  kmsRequest: 3,
  secretsManagerRequest: 5,
} as const;

/** Billed milliseconds at 512 MB, as an assumption: Lambda bills them, and a loopback run cannot measure them. */
const assumed = { vendMs: 5, renewalMs: 450, gigabytes: 0.5 };

/** @param calls AWS calls of one vend or renewal, by `service.operation` */
export function dollarsPerMillion(calls: Readonly<Record<string, number>>, kind: 'vend' | 'renewal'): Record<string, number> {
  const of = (pattern: RegExp): number => Object.entries(calls).reduce((sum, [name, count]) => (pattern.test(name) ? sum + count : sum), 0);
  const billedMs = kind === 'vend' ? assumed.vendMs : assumed.renewalMs / 10;
  const parts = {
    // One unit holds 4 KB read strongly, two such reads eventually; BatchGetItem reads two items eventually, so one unit.
    dynamoDb: of(/^dynamodb\..*(get|query)/) * prices.dynamoDbRead + of(/^dynamodb\.(put|update)/) * 2 * prices.dynamoDbWrite,
    // Lambda itself receives and deletes in batches of ten, which no loopback endpoint sees.
    sqs: (of(/^sqs\./) + (kind === 'renewal' ? 0.2 : 0)) * prices.sqsRequest,
    kms: of(/^kms\./) * prices.kmsRequest,
    secretsManager: of(/^secretsmanager\./) * prices.secretsManagerRequest,
    lambda:
      (kind === 'vend' ? prices.lambdaRequest : prices.lambdaRequest / 10) +
      (billedMs / 1_000) * assumed.gigabytes * prices.lambdaGigabyteSecond,
    httpApi: kind === 'vend' ? prices.httpApiRequest : 0,
  };
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return Object.fromEntries([...Object.entries(parts), ['total', total]].map(([name, part]) => [name, rounded(Number(part))]));
}
