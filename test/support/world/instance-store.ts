import type { AccountItem } from '../../../functions/core/account.ts';
import type { TokenStore } from '../../../functions/core/ports.ts';
import type { AccountRef, TokenSetItem, TokenSetKey } from '../../../functions/core/token-set.ts';
import type { Fault } from './faults.ts';
import { accountName, type HistoryEvent, type Stored } from './history.ts';
import { storeUnavailable, type Instance } from './instance.ts';

/** What an instance's store needs of its world. */
export interface StoreWorld {
  /** the table itself */
  raw: TokenStore;
  record(event: HistoryEvent): void;
  nowMs(): number;
  storedIn(key: TokenSetKey, item: TokenSetItem | undefined): Promise<Stored | undefined>;
  /** what stood at a token set or an account one write ago */
  previous: { sets: Map<string, TokenSetItem | undefined>; accounts: Map<string, AccountItem | undefined> };
}

/** @returns how the world names a token set */
export function keyName(key: TokenSetKey): string {
  return `${key.partition} ${key.sort}`;
}

/**
 * The store as one function instance sees it: every operation is a scheduling point, can fail, and is written into the history.
 *
 * @param table what the operations go to: the table itself, or a deliberately broken one
 */
export function instanceStore(world: StoreWorld, table: TokenStore, instance: Instance): TokenStore {
  const step = <T>(op: string, effect: (fault: Fault | undefined) => Promise<T>): Promise<T> =>
    instance.step(op, async (fault) => {
      if (fault?.kind === 'throttled') throw storeUnavailable();
      const value = await effect(fault);
      if (fault?.kind === 'reply_lost') throw storeUnavailable();
      return value;
    });

  const common = () => ({
    atMs: world.nowMs(),
    instance: instance.id,
    offsetMs: instance.offsetMs,
    work: instance.work,
    command: instance.command,
  });

  const write = <T>(
    op: string,
    key: TokenSetKey,
    { attempt, generation }: { attempt?: string; generation?: number | undefined },
    effect: () => Promise<T>,
  ): Promise<T> =>
    step(op, async () => {
      const before = await world.raw.readTokenSet(key);
      const value = await effect();
      const after = await world.raw.readTokenSet(key);
      const applied = value !== false && value !== undefined;
      if (applied) world.previous.sets.set(keyName(key), before);
      const stored = await world.storedIn(key, after);
      world.record({ ...common(), kind: 'write', op, key: keyName(key), attempt, generation, applied, before, after, stored });
      return value;
    });

  return {
    peek: (key) =>
      step('peek', async (fault) => {
        const now = await table.peek(key);
        if (fault?.kind !== 'stale') return now;
        const { sets, accounts } = world.previous;
        return {
          account: accounts.has(key.partition) ? accounts.get(key.partition) : now.account,
          tokenSet: sets.has(keyName(key)) ? sets.get(keyName(key)) : now.tokenSet,
        };
      }),
    readAccount: (ref: AccountRef) =>
      step('readAccount', async () => {
        const item = await table.readAccount(ref);
        world.record({ ...common(), kind: 'account_read', account: accountName(ref), item });
        return item;
      }),
    readTokenSet: (key) => step('readTokenSet', () => table.readTokenSet(key)),
    writeAccount: (item) =>
      step('writeAccount', async () => {
        const before = await world.raw.readAccount(item.ref);
        const applied = await table.writeAccount(item);
        if (applied) world.previous.accounts.set(accountName(item.ref), before);
        world.record({ ...common(), kind: 'account', account: accountName(item.ref), applied, before, item });
        return applied;
      }),
    acquire: (key, request) =>
      write('acquire', key, { attempt: request.attempt, generation: request.judged }, () => table.acquire(key, request)),
    commit: (key, generation, request) =>
      write('commit', key, { attempt: request.attempt, generation }, () => table.commit(key, generation, request)),
    release: (key, generation, attempt, request) =>
      write('release', key, { attempt, generation }, () => table.release(key, generation, attempt, request)),
    refuseRefreshToken: (key, generation, attempt) =>
      write('refuseRefreshToken', key, { attempt, generation }, () => table.refuseRefreshToken(key, generation, attempt)),
    forget: (key, generation, attempt) => write('forget', key, { attempt, generation }, () => table.forget(key, generation, attempt)),
    clearFailure: (key, generation) => write('clearFailure', key, { generation }, () => table.clearFailure(key, generation)),
    markWarm: (key, expiresAtMs, warm) => write('markWarm', key, {}, () => table.markWarm(key, expiresAtMs, warm)),
    moveDue: (key, generation, dueAtMs, newDueAtMs) =>
      write('moveDue', key, { generation }, () => table.moveDue(key, generation, dueAtMs, newDueAtMs)),
    queryDue: (shard, untilMs, limit) => table.queryDue(shard, untilMs, limit),
    listAccounts: (provider, after) => table.listAccounts(provider, after),
    listTokenSets: (ref) => table.listTokenSets(ref),
    readDataKey: (day) => step('readDataKey', () => table.readDataKey(day)),
    writeDataKey: (day, wrapped) => step('writeDataKey', () => table.writeDataKey(day, wrapped)),
  };
}
