import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/**
 * @returns bytes as DynamoDB counts them: names and values; a number takes half a byte a significant digit and one more
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemSize(item: Readonly<Record<string, AttributeValue>>): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value), 0);
}

function valueSize(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return Math.ceil(value.N.replace(/0+$/, '').length / 2) + 1;
  if (value.B !== undefined) return value.B.length;
  if (value.M === undefined) return 1;
  return 3 + Object.entries(value.M).reduce((sum, [name, inner]) => sum + 1 + Buffer.byteLength(name) + valueSize(inner), 0);
}
