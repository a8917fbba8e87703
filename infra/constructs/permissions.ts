import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { warmAttributes } from '../../functions/adapters/token-table-attributes.ts';

/** ARNs and names that the statements speak of. */
export interface Resources {
  tableArn: string;
  dueIndexArn: string;
  listingIndexArn: string;
  keyArn: string;
  deployment: string;
  /** ARN of the secrets under the prefix, ending in `/*` */
  secretsArn: string;
  /** ARN of the grants' path */
  grantsArn: string;
  queueArn: string;
  /** customer keys that encrypt the accounts' secrets, if there are any */
  secretKeyArns: readonly string[];
  /** DNS suffix of the region's services, as `kms:ViaService` needs it */
  secretsService: string;
}

const allow = (actions: string[], resource: string, conditions?: Record<string, Record<string, unknown>>) =>
  new PolicyStatement({ actions, resources: [resource], ...(conditions === undefined ? {} : { conditions }) });

const forDeployment = (deployment: string) => ({ StringEquals: { 'kms:EncryptionContext:deployment': deployment } });

const readGrants = (resources: Resources) => allow(['ssm:GetParametersByPath'], resources.grantsArn);

/**
 * Faces the callers: reads both items of a vend, opens what is sealed, marks it warm. The warm mark is the only thing that it
 * may change, so it can neither forge a token set nor move a fence.
 */
export function vendTokenMay(resources: Resources): PolicyStatement[] {
  return [
    allow(['dynamodb:BatchGetItem', 'dynamodb:GetItem'], resources.tableArn),
    allow(['dynamodb:UpdateItem'], resources.tableArn, {
      'ForAllValues:StringEquals': { 'dynamodb:Attributes': [...warmAttributes] },
      StringEqualsIfExists: { 'dynamodb:ReturnValues': ['NONE', 'UPDATED_OLD', 'UPDATED_NEW'] },
    }),
    allow(['kms:Decrypt'], resources.keyArn, forDeployment(resources.deployment)),
    readGrants(resources),
  ];
}

/** The one function that reads credentials and talks to providers. */
export function renewTokenSetsMay(resources: Resources): PolicyStatement[] {
  const { secretKeyArns, secretsService } = resources;
  return [
    allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'], resources.tableArn),
    allow(['kms:Decrypt', 'kms:GenerateDataKey'], resources.keyArn, forDeployment(resources.deployment)),
    allow(['secretsmanager:GetSecretValue'], resources.secretsArn),
    ...secretKeyArns.map((arn) => allow(['kms:Decrypt'], arn, { StringEquals: { 'kms:ViaService': secretsService } })),
  ];
}

/** Sees keys and due times, and can open nothing. */
export function dispatchRenewalsMay(resources: Resources): PolicyStatement[] {
  return [allow(['dynamodb:Query'], resources.dueIndexArn), allow(['sqs:SendMessage'], resources.queueArn)];
}

/** Shows states and clocks; what it changes, the renewing function changes for it. */
export function manageAccountsMay(resources: Resources): PolicyStatement[] {
  return [
    allow(['dynamodb:GetItem', 'dynamodb:Query'], resources.tableArn),
    allow(['dynamodb:Query'], resources.listingIndexArn),
    readGrants(resources),
  ];
}
