import { DynamoDBClient, paginateScan, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { attributes } from '../functions/adapters/token-table-attributes.ts';
import { parseWords, placeOf } from './account/arguments.ts';
import { findTarget } from './account/target.ts';
import { PlainError } from './local/plain-error.ts';

const usage = `Copies what a deployment's token table has lost from a restored one: npm run restore -- --from TABLE --stage NAME

  --from TABLE        the table that a backup was restored to
  --stage NAME        the deployment to bring back; --deployment NAME and --local [URL] as for npm run account

Items that the deployment has are left as they are: what is there is newer than any backup. docs/runbook.md has the whole drill.
`;

type Item = Record<string, AttributeValue>;

const TOGETHER = 20;

/** @returns how many items were missing and are there again, and how many there were in the backup */
async function copyMissing(client: DynamoDBClient, from: string, to: string): Promise<{ copied: number; seen: number }> {
  let copied = 0;
  let seen = 0;
  for await (const { Items = [] } of paginateScan({ client }, { TableName: from, ConsistentRead: true, Limit: 500 })) {
    seen += Items.length;
    for (let start = 0; start < Items.length; start += TOGETHER) {
      const put = await Promise.all(Items.slice(start, start + TOGETHER).map((item) => putMissing(client, to, item)));
      copied += put.filter(Boolean).length;
    }
    process.stderr.write(`${seen} items read, ${copied} copied\n`);
  }
  return { copied, seen };
}

async function putMissing(client: DynamoDBClient, table: string, item: Item): Promise<boolean> {
  const condition = { ConditionExpression: 'attribute_not_exists(#p)', ExpressionAttributeNames: { '#p': attributes.partition } };
  try {
    await client.send(new PutItemCommand({ TableName: table, Item: item, ...condition }));
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}

async function main(): Promise<void> {
  const { from, help, ...place } = parseWords(process.argv.slice(2), { from: { type: 'string' }, help: { type: 'boolean' } }).values;
  if (help === true || from === undefined) throw new PlainError(usage);
  const { table } = await findTarget(placeOf(place));
  if (table === from) throw new PlainError('--from must be the restored table, not the one in use.');
  const { copied, seen } = await copyMissing(new DynamoDBClient(), from, table);
  process.stdout.write(`${copied} of ${seen} items were missing in ${table} and are there again.\n`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
