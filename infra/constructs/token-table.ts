import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { indexes } from '../../functions/adapters/token-table-attributes.ts';
import { tableDefinition } from '../table-definition.ts';
import { acknowledge } from './service-function.ts';

const types = { S: AttributeType.STRING, N: AttributeType.NUMBER } as const;

const attribute = ({ name, type }: { name: string; type: 'S' | 'N' }) => ({ name, type: types[type] });

function projection(holds: readonly string[]) {
  return holds.length === 0
    ? { projectionType: ProjectionType.KEYS_ONLY }
    : { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...holds] };
}

/**
 * Token sets, accounts and data keys. Encrypted at rest with DynamoDB's own key: what must stay secret is sealed before it gets
 * here, and a customer key would have to be opened to every function, the dispatcher included, which is to open nothing.
 */
export class TokenTable extends Table {
  readonly dueIndexArn: string;
  readonly listingIndexArn: string;

  constructor(scope: Construct, id: string, production: boolean) {
    super(scope, id, {
      partitionKey: attribute(tableDefinition.key.partition),
      sortKey: attribute(tableDefinition.key.sort),
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.DEFAULT,
      timeToLiveAttribute: tableDefinition.ttlAttribute,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: production },
      deletionProtection: production,
      removalPolicy: production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    for (const index of tableDefinition.indexes) {
      this.addGlobalSecondaryIndex({
        indexName: index.name,
        partitionKey: attribute(index.partition),
        sortKey: attribute(index.sort),
        ...projection(index.holds),
      });
    }
    this.dueIndexArn = `${this.tableArn}/index/${indexes.due}`;
    this.listingIndexArn = `${this.tableArn}/index/${indexes.listing}`;
    if (!production) acknowledge(this, 'AwsSolutions-DDB3', 'A sandbox has nothing to restore: every token set comes back by a log-in');
  }
}
