import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DeployedStack } from './cloud.ts';
import { accountSteps } from './account-steps.ts';
import { assemblyOf } from './deployments.ts';
import { addedSince, functionLogs, listEverything } from './leftovers.ts';
import type { Listing } from './leftovers.ts';
import { root, run } from './processes.ts';
import { sendUnworkable } from './queue-steps.ts';
import { repair } from './repair.ts';
import { sampleAppSteps } from './sample-app-steps.ts';
import { createSteps, print } from './steps.ts';
import type { Steps } from './steps.ts';
import { refusalSteps, renewalSteps, storeSecrets, tourSteps, vendSteps } from './vending-steps.ts';
import { startWorld } from './world.ts';
import type { World } from './world.ts';

// The deployment test: the real CDK CLI deploys the real stacks into an emulated AWS, and everything is called from outside.

/** No step takes longer, not even on a slow machine with everything still to be installed. */
const stepWithinMs = 300_000;

const elsewhere = `
What the emulator cannot check, and where it is checked instead (suite infra of npm test holds the template):
  conditions on kms:EncryptionContext, the resource of ssm:GetParametersByPath   the template's exact statements
  identities other than roles (users, root, SSO, federated, Cognito)             recorded events (npm test)
  TTL, backups, encryption and tags of the table                                 the template; the TTL is set from it above
  rotation of the issuer's keys                                                  the local gateway (npm test)
  dashboard, alarms on AWS's own metrics, custom domain, access logs, network    the template
  throttles, memory, concurrency, quotas                                         nowhere but in AWS`;

async function main(steps: Steps): Promise<void> {
  await steps.need('the package is built', () =>
    run(process.execPath, ['infra/bootstrap.mjs', '--bin', 'tsc', '-p', 'tsconfig.build.json'], {}),
  );
  const world = await steps.need('emulator, issuer and simulators are up', () => startWorld());
  try {
    await everyStep(steps, world);
  } finally {
    await world.stop();
  }
}

/** For whoever looks into a failure. */
async function keepLogs({ emulator, cloud }: World): Promise<void> {
  const directory = path.join(root, '.cache', 'e2e');
  await writeFile(path.join(directory, 'emulator.log'), emulator.logs());
  await writeFile(path.join(directory, 'functions.log'), await functionLogs(cloud));
}

async function everyStep(steps: Steps, world: World): Promise<void> {
  await steps.need('cdk bootstrap', () => world.deployments.bootstrap());
  const before = await listEverything(world.cloud);
  try {
    await liveSteps(steps, world);
  } finally {
    await keepLogs(world);
  }
  await destroyEverything(steps, world, before);
}

/** Everything that is seen of deployments while they run. */
async function liveSteps(steps: Steps, world: World): Promise<void> {
  const blue = await deployStage(steps, world, 'blue');
  await steps.need('the operator stores the secrets', () => storeSecrets(world, 'tokens-blue'));
  await vendSteps(steps, world, blue);
  await refusalSteps(steps, world, blue);
  const deadLetter = await sendUnworkable(blue);
  const green = await deployStage(steps, world, 'green');
  await stagesApart(steps, world, blue, green);
  await sampleAppSteps(steps, world);
  await renewalSteps(steps, world, blue, 'tokens-blue');
  await tourSteps(steps, world, blue);
  await accountSteps(steps, world, 'blue');
  await deadLetter(steps);
}

async function deployStage(steps: Steps, { deployments, cloud }: World, name: string): Promise<DeployedStack> {
  return steps.need(`npm run deploy -- --stage ${name}`, async () => {
    await deployments.deploy(name);
    const stack = await cloud.stack(`tokens-${name}`, assemblyOf(name));
    const repaired = await repair(stack, cloud);
    print(`        ${Object.keys(stack.template).length} resources; the emulator left out: ${repaired.join(', ') || 'nothing'}`);
    return stack;
  });
}

/** Two stages in one account share nothing: the second has no secrets yet, and so no accounts. */
async function stagesApart(steps: Steps, { caller }: World, blue: DeployedStack, green: DeployedStack): Promise<void> {
  await steps.check('two stages live side by side and share nothing', async () => {
    const operator = await caller.tokenFor('operator');
    assert.equal((await caller.post(`${green.url}/v1/tokens/vidizmo/main`, operator)).status, 403);
    assert.equal((await caller.post(`${blue.url}/v1/tokens/vidizmo/main`, operator)).status, 200);
  });
}

async function destroyEverything(steps: Steps, { deployments, cloud, simulators }: World, before: Listing): Promise<void> {
  await steps.need('the sample app is destroyed', () => deployments.destroySample());
  await steps.need('npm run destroy -- --stage green', () => deployments.destroy('green'));
  await steps.need('npm run destroy -- --stage blue', () => deployments.destroy('blue'));
  await steps.check("nothing is left but keys that wait for deletion and the operator's secrets", async () => {
    const { secrets = [], keys = [], ...rest } = addedSince(before, await listEverything(cloud));
    print(`        left: secrets ${secrets.join(', ')}; keys ${keys.join(', ')}`);
    assert.deepEqual(
      Object.entries(rest).flatMap(([kind, names]) => names.map((name) => `${kind} ${name}`)),
      [],
    );
    const stored = ['tokens-blue', 'sample-tokens'].flatMap((prefix) =>
      simulators.accounts.map(({ provider, account }) => `${prefix}/${provider}/${account}`),
    );
    assert.deepEqual(secrets.toSorted(), stored.toSorted());
    assert.ok(keys.every((key) => key.endsWith(' PendingDeletion')));
  });
}

const steps = createSteps(stepWithinMs);
// A step that failed has been counted and printed; anything else is a mistake of this script.
await main(steps).catch(() => undefined);
print(elsewhere);
process.exitCode = steps.close() ? 0 : 1;
