import type { AccountItem } from '../../functions/core/account.ts';
import type { AcquireRequest, CommitRequest, DueEntry, ReleaseRequest, TokenStore, WarmMark } from '../../functions/core/ports.ts';
import { accountOf, partitionOf } from '../../functions/core/token-set.ts';
import type { AccountRef, Due, TokenSetItem, TokenSetKey } from '../../functions/core/token-set.ts';

const keptForMs = 7 * 24 * 60 * 60 * 1_000;

/** What a test may do between the operations. */
export interface MemoryStoreOptions {
  /** Runs before an operation takes effect: waiting here lets others go first, throwing here fails it unapplied. */
  onOperation?: ((name: keyof TokenStore, args: readonly unknown[]) => Promise<void> | void) | undefined;
  /** Runs after an operation took effect: throwing here loses its reply. Not called for what pages. */
  onReply?: ((name: keyof TokenStore, args: readonly unknown[]) => Promise<void> | void) | undefined;
  /** Asked once for each item of a `peek`; true gives the item as it was before its last write. */
  staleReads?: (() => boolean) | undefined;
  /** Entries a page; 100. */
  pageSize?: number | undefined;
}

/** The store, and what a test may look at or do behind its back. None of these runs the hooks. */
export interface MemoryStore extends TokenStore {
  /** @returns the token set as it stands */
  tokenSetAt(key: TokenSetKey): TokenSetItem | undefined;
  /** @returns the account as it stands */
  accountAt(ref: AccountRef): AccountItem | undefined;
  /** Puts a token set there, past every condition. */
  plant(key: TokenSetKey, item: TokenSetItem, ttlMs?: number): void;
  /** Deletes what DynamoDB's TTL might delete by then. @returns how many */
  ttlSweep(nowMs: number): number;
  /** Deletes one item, as an operator could. */
  deleteItem(key: TokenSetKey): void;
}

interface StoredSet {
  key: TokenSetKey;
  item: TokenSetItem;
  /** absent: never */
  ttlMs: number | undefined;
}

/**
 * A token store in memory that keeps the contract of `test/contract/token-store.ts`. Each operation takes effect in one
 * synchronous step, so what runs between the operations is decided by the hooks alone. Nothing that goes in or comes out is
 * shared with what is stored.
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const memory = new Memory(options.pageSize ?? 100, options.staleReads ?? (() => false));
  const step = async <T>(name: keyof TokenStore, args: readonly unknown[], operation: () => T): Promise<T> => {
    if (options.onOperation) await options.onOperation(name, args);
    const result = operation();
    if (options.onReply) await options.onReply(name, args);
    return result;
  };
  async function* paged<T>(name: keyof TokenStore, args: readonly unknown[], list: () => readonly T[]): AsyncIterable<readonly T[]> {
    const entries = await step(name, args, list);
    for (let from = 0; from < entries.length; from += memory.pageSize) yield entries.slice(from, from + memory.pageSize);
  }
  return {
    peek: (...args) => step('peek', args, () => memory.peek(...args)),
    readAccount: (...args) => step('readAccount', args, () => memory.accountAt(...args)),
    readTokenSet: (...args) => step('readTokenSet', args, () => memory.tokenSetAt(...args)),
    writeAccount: (...args) => step('writeAccount', args, () => memory.writeAccount(...args)),
    acquire: (...args) => step('acquire', args, () => memory.acquire(...args)),
    commit: (...args) => step('commit', args, () => memory.commit(...args)),
    release: (...args) => step('release', args, () => memory.release(...args)),
    refuseRefreshToken: (...args) => step('refuseRefreshToken', args, () => memory.refuseRefreshToken(...args)),
    forget: (...args) => step('forget', args, () => memory.forget(...args)),
    clearFailure: (...args) => step('clearFailure', args, () => memory.clearFailure(...args)),
    markWarm: (...args) => step('markWarm', args, () => memory.markWarm(...args)),
    moveDue: (...args) => step('moveDue', args, () => memory.moveDue(...args)),
    queryDue: (...args) => paged('queryDue', args, () => memory.due(...args)),
    listAccounts: (...args) => paged('listAccounts', args, () => memory.accountsOf(...args)),
    listTokenSets: (...args) => paged('listTokenSets', args, () => memory.tokenSetsOf(...args)),
    readDataKey: (...args) => step('readDataKey', args, () => memory.dataKeyAt(...args)),
    writeDataKey: (...args) => step('writeDataKey', args, () => memory.writeDataKey(...args)),
    tokenSetAt: (key) => memory.tokenSetAt(key),
    accountAt: (ref) => memory.accountAt(ref),
    plant: (key, item, ttlMs) => memory.put({ key, item, ttlMs }),
    ttlSweep: (nowMs) => memory.sweep(nowMs),
    deleteItem: (key) => memory.delete(key),
  };
}

class Memory {
  readonly pageSize: number;
  readonly #stale: () => boolean;
  readonly #sets = new Map<string, StoredSet>();
  readonly #setsBefore = new Map<string, StoredSet | undefined>();
  readonly #accounts = new Map<string, AccountItem>();
  readonly #accountsBefore = new Map<string, AccountItem | undefined>();
  readonly #dataKeys = new Map<number, Uint8Array>();

  constructor(pageSize: number, stale: () => boolean) {
    this.pageSize = pageSize;
    this.#stale = stale;
  }

  peek(key: TokenSetKey): { account: AccountItem | undefined; tokenSet: TokenSetItem | undefined } {
    const accounts = this.#stale() && this.#accountsBefore.has(key.partition) ? this.#accountsBefore : this.#accounts;
    const sets = this.#stale() && this.#setsBefore.has(id(key)) ? this.#setsBefore : this.#sets;
    return { account: optionally(accounts.get(key.partition), copyAccount), tokenSet: optionally(sets.get(id(key))?.item, copySet) };
  }

  accountAt(ref: AccountRef): AccountItem | undefined {
    return optionally(this.#accounts.get(partitionOf(ref)), copyAccount);
  }

  tokenSetAt(key: TokenSetKey): TokenSetItem | undefined {
    return optionally(this.#sets.get(id(key))?.item, copySet);
  }

  writeAccount(item: AccountItem): boolean {
    const partition = partitionOf(item.ref);
    const stored = this.#accounts.get(partition);
    if ((stored?.revision ?? 0) !== item.revision - 1) return false;
    this.#accountsBefore.set(partition, stored);
    this.#accounts.set(partition, copyAccount(item));
    return true;
  }

  acquire(key: TokenSetKey, request: AcquireRequest): { before: TokenSetItem | undefined; generation: number } | undefined {
    const { nowMs, judged } = request;
    const stored = this.#sets.get(id(key));
    const before = stored?.item;
    if (before?.generation !== judged) return undefined;
    if (before?.lease !== undefined && before.lease.untilMs >= nowMs - request.skewMs) return undefined;
    if (request.respectNotBefore && (before?.failure?.notBeforeMs ?? nowMs) > nowMs) return undefined;
    const generation = before?.generation ?? nowMs;
    const lease = { by: request.attempt, untilMs: request.leaseUntilMs };
    const doubt = { sinceMs: before?.doubt?.sinceMs ?? nowMs, count: (before?.doubt?.count ?? 0) + 1 };
    const ttlMs = stored === undefined ? nowMs + keptForMs : stored.ttlMs;
    this.put({ key, item: { ...before, generation, lease, doubt }, ttlMs });
    return { before: optionally(before, copySet), generation };
  }

  commit(key: TokenSetKey, generation: number, request: CommitRequest): boolean {
    const stored = this.#at(key, generation);
    if (stored === undefined) return false;
    const { attempt, warmUntilMs = stored.item.warmUntilMs, due, persists, ...fresh } = request;
    const dueKeys = due === undefined ? {} : dueKeysOf(due);
    const item = { ...fresh, generation: generation + 1, committedBy: attempt, warmUntilMs, ...dueKeys };
    const lastUseMs = Math.max(request.expiresAtMs, request.refreshExpiresAtMs ?? 0);
    this.put({ key, item, ttlMs: persists === true ? undefined : lastUseMs + keptForMs });
    return true;
  }

  release(key: TokenSetKey, generation: number, attempt: string, request: ReleaseRequest): boolean {
    const stored = this.#held(key, generation, attempt);
    if (stored === undefined) return false;
    if (request.forget === true) {
      this.put({ ...stored, item: { generation: generation + 1, committedBy: attempt, failure: request.failure } });
      return true;
    }
    const item: TokenSetItem = { ...stored.item, lease: undefined };
    if (request.doubt !== 'keep') item.doubt = request.doubt;
    if (request.failure !== undefined) item.failure = request.failure;
    if (request.due === 'remove') Object.assign(item, noDueKeys);
    else if (request.due !== 'keep' && item.dueShard !== undefined) item.dueAtMs = request.due.atMs;
    this.put({ ...stored, item });
    return true;
  }

  refuseRefreshToken(key: TokenSetKey, generation: number, attempt: string): boolean {
    return this.#change(this.#held(key, generation, attempt), { refreshRefused: true });
  }

  forget(key: TokenSetKey, generation: number, attempt: string): boolean {
    const stored = this.#at(key, generation);
    if (stored === undefined) return false;
    this.put({ ...stored, item: { generation: generation + 1, committedBy: attempt } });
    return true;
  }

  clearFailure(key: TokenSetKey, generation: number): boolean {
    return this.#change(this.#at(key, generation), { failure: undefined });
  }

  markWarm(key: TokenSetKey, expiresAtMs: number, warm: WarmMark): boolean {
    const stored = this.#sets.get(id(key));
    const dueKeys = warm.due === undefined ? {} : dueKeysOf(warm.due);
    return this.#change(stored?.item.expiresAtMs === expiresAtMs ? stored : undefined, { warmUntilMs: warm.warmUntilMs, ...dueKeys });
  }

  moveDue(key: TokenSetKey, generation: number, dueAtMs: number, newDueAtMs: number | undefined): boolean {
    const stored = this.#at(key, generation);
    if (stored?.item.dueAtMs !== dueAtMs) return false;
    return this.#change(stored, newDueAtMs === undefined ? noDueKeys : { dueAtMs: newDueAtMs });
  }

  due(shard: number, untilMs: number, limit: number): readonly DueEntry[] {
    return [...this.#sets.values()]
      .filter(({ item }) => item.dueShard === shard && (item.dueAtMs ?? Infinity) <= untilMs)
      .map(({ key, item }) => ({ key: { ...key }, dueAtMs: item.dueAtMs ?? 0, group: item.dueGroup }))
      .toSorted((one, other) => one.dueAtMs - other.dueAtMs)
      .slice(0, limit);
  }

  accountsOf(provider: string, after = ''): readonly AccountRef[] {
    const partitions = [...this.#accounts.keys()].filter((partition) => partition > `${provider}/${after}`).toSorted();
    return partitions.map((partition) => accountOf(partition)).filter((ref) => ref.provider === provider);
  }

  tokenSetsOf(ref: AccountRef): readonly { key: TokenSetKey; item: TokenSetItem }[] {
    return [...this.#sets.values()]
      .filter(({ key }) => key.partition === partitionOf(ref))
      .toSorted((one, other) => (one.key.sort < other.key.sort ? -1 : 1))
      .map(({ key, item }) => ({ key: { ...key }, item: copySet(item) }));
  }

  dataKeyAt(day: number): Uint8Array | undefined {
    return optionally(this.#dataKeys.get(day), copyBytes);
  }

  writeDataKey(day: number, wrapped: Uint8Array): boolean {
    if (this.#dataKeys.has(day)) return false;
    this.#dataKeys.set(day, copyBytes(wrapped));
    return true;
  }

  put({ key, item, ttlMs }: StoredSet): void {
    this.#setsBefore.set(id(key), this.#sets.get(id(key)));
    this.#sets.set(id(key), { key: { ...key }, item: copySet(item), ttlMs });
  }

  sweep(nowMs: number): number {
    const over = [...this.#sets.values()].filter(({ ttlMs }) => ttlMs !== undefined && ttlMs <= nowMs);
    for (const { key } of over) this.delete(key);
    return over.length;
  }

  delete(key: TokenSetKey): void {
    if (key.sort === '#') {
      this.#accountsBefore.set(key.partition, this.#accounts.get(key.partition));
      this.#accounts.delete(key.partition);
      return;
    }
    this.#setsBefore.set(id(key), this.#sets.get(id(key)));
    this.#sets.delete(id(key));
  }

  #at(key: TokenSetKey, generation: number): StoredSet | undefined {
    const stored = this.#sets.get(id(key));
    return stored?.item.generation === generation ? stored : undefined;
  }

  #held(key: TokenSetKey, generation: number, attempt: string): StoredSet | undefined {
    const stored = this.#at(key, generation);
    return stored?.item.lease?.by === attempt ? stored : undefined;
  }

  #change(stored: StoredSet | undefined, change: Partial<TokenSetItem>): boolean {
    if (stored === undefined) return false;
    this.put({ ...stored, item: { ...stored.item, ...change } });
    return true;
  }
}

const noDueKeys = { dueShard: undefined, dueAtMs: undefined, dueGroup: undefined };

function dueKeysOf({ shard, atMs, group }: Due): Partial<TokenSetItem> {
  return { dueShard: shard, dueAtMs: atMs, dueGroup: group };
}

function id(key: TokenSetKey): string {
  return `${key.partition} ${key.sort}`;
}

function optionally<T>(value: T | undefined, copy: (value: T) => T): T | undefined {
  return value === undefined ? undefined : copy(value);
}

function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function copyAccount(item: AccountItem): AccountItem {
  return { ...item, ref: { ...item.ref }, unanswered: { ...item.unanswered }, failure: item.failure && { ...item.failure } };
}

function copySet(item: TokenSetItem): TokenSetItem {
  return {
    ...item,
    sealed: optionally(item.sealed, copyBytes),
    lease: item.lease && { ...item.lease },
    doubt: item.doubt && { ...item.doubt },
    failure: item.failure && { ...item.failure },
  };
}
