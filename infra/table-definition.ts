import { attributes, indexes } from '../functions/adapters/token-table-attributes.ts';

/** `S` text, `N` number: DynamoDB's own words. */
interface KeyAttribute {
  name: string;
  type: 'S' | 'N';
}

/** A key: partition and sort. */
interface Key {
  partition: KeyAttribute;
  sort: KeyAttribute;
}

/** A sparse index. */
interface Index extends Key {
  name: string;
  /** attributes that its entries hold besides the keys */
  holds: readonly string[];
}

/**
 * The token table's keys and indexes, written down once: the stack, the embedded database and the tests all make their table
 * from this. Both indexes are sparse (an item without their partition attribute is not in them) and hold nothing that is sealed.
 */
export const tableDefinition = {
  key: { partition: { name: attributes.partition, type: 'S' }, sort: { name: attributes.sort, type: 'S' } },
  indexes: [
    // What is due, found without a scan.
    {
      name: indexes.due,
      partition: { name: attributes.dueShard, type: 'N' },
      sort: { name: attributes.dueAt, type: 'N' },
      holds: [attributes.dueGroup],
    },
    // The accounts of a provider, in the order of their names.
    {
      name: indexes.listing,
      partition: { name: attributes.listing, type: 'S' },
      sort: { name: attributes.partition, type: 'S' },
      holds: [],
    },
  ],
  ttlAttribute: attributes.ttl,
} as const satisfies { key: Key; indexes: readonly Index[]; ttlAttribute: string };

/**
 * @param tableName name of the table to make
 * @returns the input of DynamoDB's CreateTable, for databases that no CloudFormation makes
 */
export function createTableInput(tableName: string) {
  const keys: readonly Key[] = [tableDefinition.key, ...tableDefinition.indexes];
  const types = new Map(keys.flatMap((key) => [key.partition, key.sort]).map(({ name, type }) => [name, type]));
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST' as const,
    AttributeDefinitions: [...types].map(([name, type]) => ({ AttributeName: name, AttributeType: type })),
    KeySchema: keySchema(tableDefinition.key),
    GlobalSecondaryIndexes: tableDefinition.indexes.map((index) => ({
      IndexName: index.name,
      KeySchema: keySchema(index),
      Projection: projectionOf(index),
    })),
  };
}

function projectionOf({ holds }: Pick<Index, 'holds'>) {
  return holds.length === 0
    ? { ProjectionType: 'KEYS_ONLY' as const }
    : { ProjectionType: 'INCLUDE' as const, NonKeyAttributes: [...holds] };
}

function keySchema(key: Key) {
  return [
    { AttributeName: key.partition.name, KeyType: 'HASH' as const },
    { AttributeName: key.sort.name, KeyType: 'RANGE' as const },
  ];
}
