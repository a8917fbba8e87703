import path from 'node:path';
import { startChild, type Child } from '../support/processes/child.ts';
import { startDatabase, type DatabaseProcess } from '../support/processes/database.ts';
import type { ProviderEvent } from '../support/processes/provider-messages.ts';
import type { Burst, BurstReport } from './instance.ts';
import { behaviour } from './setting.ts';

const PROCESSES = 8;
const tokenServer = path.join(import.meta.dirname, '..', 'support', 'processes', 'token-server.ts');
const instanceFile = path.join(import.meta.dirname, 'instance.ts');

/** What the provider saw of one burst. */
export interface Seen {
  logIns: number;
  mostAtOnce: number;
}

/** A burst as it is asked for. */
export interface Wanted extends Omit<Burst, 'callers'> {
  callers: number;
  /** over all processes */
  instances: number;
  /** the callers of one key are in one process; otherwise every process has callers of every key */
  keysApart: boolean;
}

/** Eight processes that ask all at once, one database, one provider. */
export class Crowd {
  readonly #users: readonly string[];
  readonly #latencyMs: number;
  #database!: DatabaseProcess;
  #provider!: Child;
  #processes: Child[] = [];
  #onReport: (report: BurstReport) => void = () => {};
  #seen: Seen = { logIns: 0, mostAtOnce: 0 };
  #underWay = new Set<number>();

  /**
   * @param users whom the provider knows
   * @param latencyMs what the provider takes for an answer
   */
  constructor(users: readonly string[], latencyMs: number) {
    this.#users = users;
    this.#latencyMs = latencyMs;
  }

  async start(): Promise<void> {
    this.#database = await startDatabase();
    const { endpoint, tableName } = this.#database;
    const providerUrl = await this.#startProvider();
    const ready = Array.from({ length: PROCESSES }, () => this.#startProcess({ endpoint, tableName, providerUrl }));
    await Promise.all(ready);
  }

  /** @returns what callers and provider saw; the callers of all processes begin together */
  async burst({ callers, instances, keysApart, ...burst }: Wanted): Promise<{ reports: readonly BurstReport[]; seen: Seen }> {
    this.#seen = { logIns: 0, mostAtOnce: 0 };
    const reports: BurstReport[] = [];
    const done = Promise.withResolvers<void>();
    this.#onReport = (report) => {
      if (reports.push(report) === PROCESSES) done.resolve();
    };
    const numbers = Array.from({ length: callers }, (_, caller) => caller);
    for (const [index, child] of this.#processes.entries()) {
      const placeOf = (caller: number): number =>
        keysApart ? (caller % burst.keys) % PROCESSES : Math.floor((caller * PROCESSES) / callers);
      const own = numbers.filter((caller) => placeOf(caller) === index);
      child.send({ ...burst, callers: own, instances: instances / PROCESSES } satisfies Burst);
    }
    await done.promise;
    return { reports, seen: this.#seen };
  }

  end(): void {
    for (const child of [...this.#processes, this.#provider, this.#database.child]) child.kill();
  }

  #startProcess(settings: object): Promise<void> {
    return new Promise((resolve) => {
      const child = startChild<{ ready: true } | BurstReport>(instanceFile, settings, (message) => {
        if ('ready' in message) resolve();
        else this.#onReport(message);
      });
      this.#processes.push(child);
    });
  }

  #startProvider(): Promise<string> {
    return new Promise((resolve) => {
      const settings = { behaviour, users: this.#users, latencyMs: this.#latencyMs };
      this.#provider = startChild<ProviderEvent>(tokenServer, settings, (event) => {
        if (event.kind === 'ready') resolve(event.url);
        if (event.kind === 'arrived') this.#arrived(event.id);
        if (event.kind === 'handled') this.#provider.send({ go: event.id });
        if (event.kind === 'closed') this.#underWay.delete(event.id);
      });
    });
  }

  #arrived(id: number): void {
    this.#underWay.add(id);
    this.#seen.logIns += 1;
    this.#seen.mostAtOnce = Math.max(this.#seen.mostAtOnce, this.#underWay.size);
  }
}
