import { createAuthority } from '../../infra/local/authority.ts';
import { trustAuthority } from '../../infra/local/environment.ts';
import { startSimulators, type DemoAccount, type Simulators } from '../../infra/local/simulators/index.ts';
import { startLocalStack, type LocalStack } from '../../infra/local/stack.ts';
import { startDatabase } from '../support/processes/database.ts';

/** A local stack whose simulators know many users. */
export interface CrowdedStack {
  stack: LocalStack;
  simulators: Simulators;
  /** `provider/account` of every account */
  accounts: readonly string[];
  /** @returns log-ins that succeeded so far, at all simulators */
  logIns(): number;
  stop(): Promise<void>;
}

/** How crowded it is. */
export interface Crowding {
  /** in all; each simulated provider has its share */
  accounts: number;
  lifeSeconds: number;
  /** of every answer of a simulator, ms */
  latencyMs: number;
  tickMs?: number | undefined;
  /** the database in a process of its own: under load one event loop for everything would measure that loop */
  databaseApart?: boolean | undefined;
}

/** Of a stack with accounts of its own. */
const TABLE = 'local-own';

/** Starts the whole service in this process with many accounts of every simulated provider. */
export async function startCrowdedStack({
  accounts: count,
  lifeSeconds,
  latencyMs,
  tickMs,
  databaseApart,
}: Crowding): Promise<CrowdedStack> {
  const authority = await createAuthority();
  const host = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1';
  const simulators = await startSimulators({ authority, host, settings: { lifeSeconds, latencyMs } });
  const distrust = trustAuthority(authority.caPem);
  const { length: providers } = simulators.accounts;
  const entries = simulators.accounts.flatMap((demo, index) => {
    const own = Math.floor(count / providers) + (index < count % providers ? 1 : 0);
    return Array.from({ length: own }, (_, user): [string, DemoAccount['secret']] => [
      `${demo.provider}/crowd-${user}`,
      anotherUser(simulators, demo, `user-${user}@example.com`),
    ]);
  });
  const database = databaseApart === true ? await startDatabase(TABLE) : undefined;
  const environment = database === undefined ? {} : { AWS_ENDPOINT_URL_DYNAMODB: database.endpoint };
  const stack = await startLocalStack({ accounts: Object.fromEntries(entries), tickMs, environment });
  return {
    stack,
    simulators,
    accounts: entries.map(([name]) => name),
    logIns: () => Object.values(simulators.byProvider).reduce((sum, { counters }) => sum + counters.logins, 0),
    async stop() {
      await stack.stop();
      await simulators.close();
      database?.child.kill();
      distrust();
    },
  };
}

/** The demo account's secret for another user of the same powers. */
function anotherUser({ byProvider }: Simulators, { provider, secret }: DemoAccount, name: string): DemoAccount['secret'] {
  const known = byProvider[provider].control.users;
  const member = Object.keys(secret).find((key) => Object.hasOwn(known, String(secret[key])));
  if (member === undefined) throw new Error(`the demo account of ${provider} names no user`);
  const demo = known[String(secret[member])];
  if (demo) known[name] = { ...demo };
  return { ...secret, [member]: name };
}
