// npm run test:kill [-- --family fake|oidc] [-- --renewals N]: real processes, SIGKILL, and what is left of the sessions.
import { parseArgs } from 'node:util';
import { judgeCampaign, vendEveryAccount } from './kill/aftermath.ts';
import { Campaign, type CampaignPlan } from './kill/campaign.ts';
import { families } from './kill/families.ts';
import { createChecks, print } from './support/processes/checks.ts';

const MINUTE_MS = 60_000;
const { values } = parseArgs({ options: { family: { type: 'string' }, renewals: { type: 'string' } } });

const plans: readonly CampaignPlan[] = [
  { family: 'fake', accounts: 200, renewals: Number(values.renewals ?? 2_000), giveUpAfterMs: 6 * MINUTE_MS },
  { family: 'oidc', accounts: 200, renewals: Number(values.renewals ?? 2_000), giveUpAfterMs: 6 * MINUTE_MS },
];

const checks = createChecks();
for (const plan of plans.filter(({ family }) => values.family === undefined || values.family === family)) {
  const startedMs = Date.now();
  print(`8 processes, ${plan.accounts} accounts, ${plan.renewals} renewals against ${families[plan.family].title}`);
  const campaign = new Campaign(plan);
  await campaign.run();
  judgeCampaign(campaign, await vendEveryAccount(campaign), checks);
  campaign.end();
  print(`${Math.round((Date.now() - startedMs) / 1_000)} s`);
}
checks.close();
process.exit();
