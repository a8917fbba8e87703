import { get } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Checks } from '../support/processes/checks.ts';
import { print } from '../support/processes/checks.ts';
import type { Campaign } from './campaign.ts';
import { FACTOR, LOCK_WINDOW_MS, users } from './families.ts';
import { killableInstance } from './instance.ts';

const TOGETHER = 8;

/** Vends every account as any caller would, until it answers, and tries each token at the provider. @returns accounts that came to nothing */
export async function vendEveryAccount({ settings }: Campaign): Promise<string[]> {
  const { vend } = killableInstance({ ...settings, incarnation: 'last' });
  const left = users(settings.accounts);
  const bricked: string[] = [];
  const untilMs = Date.now() + LOCK_WINDOW_MS + 20_000;
  const worker = async (): Promise<void> => {
    for (let account = left.pop(); account !== undefined; account = left.pop()) {
      const ref = { provider: settings.family, account };
      let used = false;
      while (!used && Date.now() < untilMs) {
        const outcome = await vend({ caller: 'test', ref, parameters: {}, minTtlSeconds: 0 }).catch(() => undefined);
        used = outcome?.kind === 'answered' && (await use(settings.providerUrl, outcome.tokenSet.accessToken.reveal()));
        if (!used) await wait(200);
      }
      if (!used) bricked.push(account);
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, worker));
  return bricked;
}

function use(providerUrl: string, token: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = get(`${providerUrl}/use`, { agent: false, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 204);
    });
    request.on('error', reject);
  });
}

/** Says what the campaign amounts to. */
export function judgeCampaign({ ledger, plan, broken }: Campaign, bricked: readonly string[], { check }: Checks): void {
  const logIns = ledger.total((account) => account.logIns.length);
  const lost = ledger.total((account) => account.lost);
  const lostAccounts = [...ledger.accounts].filter(([, account]) => account.lost > 0);
  const healed = lost - lostAccounts.filter(([user]) => bricked.includes(user)).reduce((sum, [, account]) => sum + account.lost, 0);
  const unexplained = [...ledger.accounts].filter(([, { logIns: sent, wounds }]) => sent.length > 1 + wounds.length);
  check(`${plan.renewals} renewals happened`, ledger.renewals >= plan.renewals, `${ledger.renewals}`);
  check('no process met a mistake', broken.length === 0, broken[0]);
  check('no session died at the provider by a spent refresh token', ledger.sessionsDied === 0, `${ledger.sessionsDied}`);
  check('the provider refused nothing', ledger.refusedByProvider === 0, `${ledger.refusedByProvider}`);
  check('each log-in after an account’s first one has a kill under that account’s lease', unexplained.length === 0, explain(unexplained));
  check('log-ins are at most the first ones and the kills', logIns <= plan.accounts + ledger.kills, `${logIns}`);
  check('at most 2 log-ins of an account were without an answer together', ledger.mostUnanswered <= 2, `${ledger.mostUnanswered}`);
  check('every account vends a living token again by itself', bricked.length === 0, bricked.slice(0, 5).join(' '));
  print(`outcomes of vends: ${JSON.stringify(ledger.outcomes)}`);
  print(
    `factor ${FACTOR}, ${ledger.renewals} renewals, ${ledger.kills} kills, ${lost} sessions lost between rotation and commit, ` +
      `${healed} healed, ${logIns} log-ins for ${plan.accounts} accounts`,
  );
}

function explain(accounts: readonly [string, { logIns: readonly unknown[]; wounds: readonly unknown[] }][]): string {
  return accounts.map(([user, { logIns, wounds }]) => `${user}: ${logIns.length} log-ins, ${wounds.length} kills`).join('; ');
}
