import assert from 'node:assert/strict';
import type { Steps } from './steps.ts';
import type { World } from './world.ts';

/** The operator's command line against a deployed stage, with AWS credentials and past the HTTP API. */
export async function accountSteps(steps: Steps, { deployments, simulators }: World, stage: string): Promise<void> {
  const account = (...args: string[]) => deployments.account(stage, ...args);
  const { counters } = simulators.byProvider.amino;

  await steps.check('account -- list and show: every account is well', async () => {
    const list = await account('list');
    for (const { provider } of simulators.accounts) assert.match(list, new RegExp(`${provider}/main +well`), list);
    assert.match(await account('show', 'amino/main'), /amino\/main/);
  });
  await steps.check('account -- reset and revoke', async () => {
    await account('reset', 'amino/main');
    const { revocations } = counters;
    const printed = await account('revoke', 'amino/main');
    assert.equal(counters.revocations, revocations + 1, printed);
  });
  await steps.check('account -- check: the provider takes the secret, which is not printed', async () => {
    const { logins } = counters;
    const printed = await account('check', 'amino/main');
    assert.equal(counters.logins, logins + 1, printed);
    for (const { secret } of simulators.accounts) assert.ok(!printed.includes(String(secret['password'])));
  });
}
