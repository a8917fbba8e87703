import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { attributes } from '../../functions/adapters/token-table-attributes.ts';
import { accountOf } from '../../functions/core/token-set.ts';
import { clientOf } from '../support/dynalite.ts';
import { startChild, type Child } from '../support/processes/child.ts';
import { startDatabase, type DatabaseProcess } from '../support/processes/database.ts';
import type { ProviderEvent } from '../support/processes/provider-messages.ts';
import { families } from './families.ts';
import type { InstanceEvent, InstanceSettings } from './instance.ts';
import { Ledger } from './ledger.ts';

const PROCESSES = 8;
const instanceFile = path.join(import.meta.dirname, 'instance.ts');
/** A killed process's last writes are in the database by then; its leases stand for seconds more. */
const LAST_WRITES_MS = 300;
/** How often a process is killed at the worst places, of all requests that reach the provider. */
const KILLED_AT_PROVIDER = 0.04;

/** What a campaign needs. */
export interface CampaignPlan {
  family: keyof typeof families;
  accounts: number;
  renewals: number;
  giveUpAfterMs: number;
}

/** Eight processes against one database and one provider, killed and started anew until enough renewals happened. */
export class Campaign {
  readonly ledger = new Ledger();
  readonly broken: string[] = [];
  readonly plan: CampaignPlan;
  settings!: Omit<InstanceSettings, 'incarnation'>;
  #database!: DatabaseProcess;
  #provider!: Child;
  readonly #instances = new Map<string, Child>();
  readonly #scans: Promise<void>[] = [];
  #started = 0;
  #over = false;

  constructor(plan: CampaignPlan) {
    this.plan = plan;
  }

  /** Runs it; what it saw stands in the ledger afterwards. Database and provider stay until {@link end}. */
  async run(): Promise<void> {
    const { family, accounts, renewals, giveUpAfterMs } = this.plan;
    const deadlineMs = Date.now() + giveUpAfterMs;
    this.#database = await startDatabase();
    const { endpoint, tableName } = this.#database;
    const providerUrl = await this.#startProvider();
    this.settings = { family, endpoint, tableName, providerUrl, accounts };
    for (let index = 0; index < PROCESSES; index++) this.#start();
    while (this.ledger.renewals < renewals && Date.now() < deadlineMs && this.broken.length === 0) {
      await wait(200 + Math.random() * 1_000);
      this.#kill(this.#anyIncarnation());
    }
    this.#over = true;
    for (const instance of this.#instances.values()) instance.send({ stop: true });
    await Promise.all([...this.#instances.values()].map(({ exited }) => exited));
    await Promise.all(this.#scans);
  }

  end(): void {
    this.#provider.kill();
    this.#database.child.kill();
  }

  #startProvider(): Promise<string> {
    const { server, settings } = families[this.plan.family];
    return new Promise((resolve) => {
      this.#provider = startChild<ProviderEvent>(server, settings(this.plan.accounts), (event) => {
        if (event.kind === 'ready') resolve(event.url);
        const request = this.ledger.take(event, Date.now());
        if (event.kind === 'handled') void this.#letGo(event.id, request?.attempt ?? '');
      });
    });
  }

  /** Most answers leave at once; the others meet a process that is dead, or dies with the new tokens in its hands. */
  async #letGo(id: number, attempt: string): Promise<void> {
    const killed = !this.#over && Math.random() < KILLED_AT_PROVIDER;
    const incarnation = attempt.split('-')[0] ?? '';
    if (killed && Math.random() < 0.5) this.#kill(incarnation);
    this.#provider.send({ go: id });
    if (!killed) return;
    await wait(Math.random() * 20);
    if (!this.#over) this.#kill(incarnation);
  }

  #start(): void {
    const incarnation = `i${++this.#started}`;
    const child = startChild<InstanceEvent>(instanceFile, { ...this.settings, incarnation }, (event) => {
      if (event.kind === 'vended') this.ledger.count(event.outcomes);
      else this.broken.push(event.error);
    });
    this.#instances.set(incarnation, child);
  }

  #anyIncarnation(): string {
    const all = [...this.#instances.keys()];
    return all[Math.floor(Math.random() * all.length)] ?? '';
  }

  #kill(incarnation: string): void {
    const instance = this.#instances.get(incarnation);
    if (!instance) return;
    this.#instances.delete(incarnation);
    this.ledger.kills += 1;
    instance.kill();
    this.#scans.push(this.#bury(instance, incarnation));
    this.#start();
  }

  /** Finds out what the killed process was at: the account whose lease it still holds. */
  async #bury(instance: Child, incarnation: string): Promise<void> {
    await instance.exited;
    await wait(LAST_WRITES_MS);
    const { endpoint, tableName } = this.#database;
    const client = clientOf(endpoint);
    const { Items = [] } = await client.send(
      new ScanCommand({
        TableName: tableName,
        FilterExpression: 'begins_with(#by, :incarnation)',
        ExpressionAttributeNames: { '#by': attributes.leaseBy },
        ExpressionAttributeValues: { ':incarnation': { S: `${incarnation}-` } },
      }),
    );
    client.destroy();
    for (const item of Items) {
      const { account } = accountOf(item[attributes.partition]?.S ?? '');
      this.ledger.wound(account, item[attributes.leaseBy]?.S ?? '');
    }
  }
}
