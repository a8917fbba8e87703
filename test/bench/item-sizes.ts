import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { createKms } from '../../functions/adapters/aws-clients.ts';
import { createDataKeys } from '../../functions/adapters/data-keys.ts';
import { attributes, tokenSetSortPrefix } from '../../functions/adapters/token-table-attributes.ts';
import { createTokenTable } from '../../functions/adapters/token-table.ts';
import { createSealer } from '../../functions/core/seal.ts';
import { clientOf } from '../support/dynalite.ts';
import { itemSize } from '../support/item-size.ts';
import { realClock, silentTelemetry } from '../support/ports.ts';
import { createLoadCaller } from '../load/caller.ts';
import { startCrowdedStack, type CrowdedStack } from '../load/crowded-stack.ts';

/** What one provider's token set takes in the table. */
interface ItemSize {
  tokenBytes: number;
  itemBytes: number;
  more: number;
}

/** The size of each provider's token set item beside its tokens, from the simulators. */
export async function measureItemSizes(): Promise<Record<string, ItemSize>> {
  const crowded = await startCrowdedStack({ accounts: 4, lifeSeconds: 3_600, latencyMs: 5 });
  const caller = createLoadCaller(crowded.stack);
  try {
    for (const account of crowded.accounts) {
      const { status, body } = await caller.vend(account);
      if (status !== 200) throw new Error(`${account} answered ${status}: ${body}`);
    }
    return await sizes(crowded);
  } finally {
    caller.close();
    await crowded.stop();
  }
}

async function sizes({ stack }: CrowdedStack): Promise<Record<string, ItemSize>> {
  const client = clientOf(stack.dynamodbEndpoint, stack.awsKeys);
  const tableName = process.env['TABLE_NAME'] ?? '';
  const deployment = process.env['DEPLOYMENT'] ?? '';
  const store = createTokenTable({ client, tableName, clock: realClock, telemetry: silentTelemetry });
  const keys = createDataKeys({ kms: createKms, store, keyId: stack.aws.keyId, deployment, clock: realClock });
  const sealer = createSealer({ keys, deployment });
  const { Items = [] } = await client.send(new ScanCommand({ TableName: tableName }));
  const found: Record<string, ItemSize> = {};
  for (const item of Items) {
    const key = { partition: item[attributes.partition]?.S ?? '', sort: item[attributes.sort]?.S ?? '' };
    const stored = key.sort.startsWith(tokenSetSortPrefix) ? await store.readTokenSet(key) : undefined;
    const opened = stored && (await sealer.open(key, stored));
    if (opened === undefined || opened === 'refused') continue;
    const tokenBytes = opened.accessToken.reveal().length + (opened.refreshToken?.reveal().length ?? 0);
    const itemBytes = itemSize(item);
    found[key.partition.split('/')[0] ?? ''] = { tokenBytes, itemBytes, more: itemBytes - tokenBytes };
  }
  client.destroy();
  return found;
}
