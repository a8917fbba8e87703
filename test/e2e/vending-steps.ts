import assert from 'node:assert/strict';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { DeployedStack } from './cloud.ts';
import { tour } from '../support/provider-tour.ts';
import { until } from './steps.ts';
import type { Steps } from './steps.ts';
import type { World } from './world.ts';

/** Stores the demo account of every provider, as the README's `aws secretsmanager create-secret` does. */
export async function storeSecrets({ simulators }: World, prefix: string): Promise<void> {
  const secrets = new SecretsManagerClient();
  for (const { provider, account, secret } of simulators.accounts) {
    await secrets.send(new CreateSecretCommand({ Name: `${prefix}/${provider}/${account}`, SecretString: JSON.stringify(secret) }));
  }
}

/** A caller with a grant gets a token of every provider, and gets the same one again without a call to the provider. */
export async function vendSteps(steps: Steps, { caller, simulators }: World, stack: DeployedStack): Promise<void> {
  const operator = await caller.tokenFor('operator');
  for (const { provider, account } of simulators.accounts) {
    const url = `${stack.url}/v1/tokens/${provider}/${account}`;
    const simulator = simulators.byProvider[provider];
    const first = await steps.need(`${provider}: a caller with a grant gets a token`, async () => {
      const answer = await caller.post(url, operator);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.equal(answer.body['token_type'], 'Bearer');
      assert.ok(Number(answer.body['expires_in']) > 0);
      return answer.body;
    });
    await steps.check(`${provider}: the same token again, with no call to the provider`, async () => {
      const requests = simulator.counters.requests;
      const answer = await caller.post(url, operator);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.equal(answer.body['access_token'], first['access_token']);
      assert.ok(Number(answer.body['expires_in']) <= Number(first['expires_in']));
      assert.equal(simulator.counters.requests, requests);
    });
  }
}

/** Who has no token, a token for something else, or no grant. */
export async function refusalSteps(steps: Steps, { caller }: World, stack: DeployedStack): Promise<void> {
  const main = `${stack.url}/v1/tokens/vidizmo/main`;
  await steps.check('no token: 401 by API Gateway', async () => {
    assert.equal((await caller.post(main)).status, 401);
  });
  await steps.check('a token without the scope: 403 by API Gateway', async () => {
    assert.equal((await caller.post(main, await caller.tokenFor('operator', 'openid'))).status, 403);
  });
  await steps.check('no grant: 403 of our own, the same for an account that exists and one that does not', async () => {
    const stranger = await caller.tokenFor('stranger');
    const existing = await caller.post(main, stranger);
    const missing = await caller.post(`${stack.url}/v1/tokens/vidizmo/nowhere`, stranger);
    assert.equal(existing.status, 403);
    assert.equal(existing.body['code'], 'no_grant');
    assert.deepEqual(missing.body, existing.body);
  });
  await steps.check('a grant to vend is none to revoke', async () => {
    const importer = await caller.tokenFor('importer');
    assert.equal((await caller.post(main, importer)).status, 200);
    assert.equal((await caller.post(`${main}/revoke`, importer)).status, 403);
  });
  await steps.check('an unknown path: 404 of our own, without a token', async () => {
    const answer = await caller.get(`${stack.url}/v2/nothing`);
    assert.equal(answer.status, 404);
    assert.equal(answer.body['code'], 'not_found');
  });
}

/** Every provider through renewal, a log-in after its session has ended, and revocation, seen by its simulator's counters. */
export async function tourSteps(steps: Steps, { caller, simulators }: World, stack: DeployedStack): Promise<void> {
  const operator = await caller.tokenFor('operator');
  for (const demo of simulators.accounts) {
    await steps.check(`${demo.provider}: renewed, by log-in where the session has ended, and revoked where it can be`, () =>
      tour(
        demo,
        (path, body) => caller.post(`${stack.url}${path}`, operator, body),
        simulators.byProvider[demo.provider],
        () => new Promise((resolve) => setTimeout(resolve, 1_000)),
      ),
    );
  }
}

/** The schedule renews what is in use, a changed secret is noticed, and an operator sees and revokes. */
export async function renewalSteps(steps: Steps, world: World, stack: DeployedStack, prefix: string): Promise<void> {
  const { caller, simulators } = world;
  const operator = await caller.tokenFor('operator');
  const { counters } = simulators.byProvider.vidizmo;
  const show = async () => (await caller.get(`${stack.url}/v1/accounts/vidizmo/main`, operator)).body;

  await steps.check('the schedule renews it before its end, without a caller', async () => {
    const before = counters.refreshes;
    await until('a refresh at the provider', 200_000, async () => (counters.refreshes > before ? true : undefined));
    const answer = await caller.post(`${stack.url}/v1/tokens/vidizmo/main`, operator);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.ok(Number(answer.body['expires_in']) > 60);
  });
  await steps.check("the operator sees the account's state", async () => {
    const body = await show();
    assert.equal(body['state'], 'well', JSON.stringify(body));
    assert.equal(body['proven'], true);
  });
  await steps.check('a secret changed while running is taken in at once, by its event', async () => {
    const before = (await show())['secret_version'];
    const { secret } = simulators.accounts.find(({ provider }) => provider === 'vidizmo') ?? {};
    const input = { SecretId: `${prefix}/vidizmo/main`, SecretString: JSON.stringify({ ...secret, life_seconds: 160 }) };
    await new SecretsManagerClient().send(new PutSecretValueCommand(input));
    await until('the new version', 30_000, async () => ((await show())['secret_version'] === before ? undefined : true));
  });
  await steps.check('a revoked token is dead at the provider, and the next vend gives another', async () => {
    const url = `${stack.url}/v1/tokens/vidizmo/main`;
    const { access_token: old } = (await caller.post(url, operator)).body;
    const revoked = await caller.post(`${url}/revoke`, operator);
    assert.equal(revoked.status, 204, JSON.stringify(revoked.body));
    const answer = await until('another token', 30_000, async () => {
      const { status, body } = await caller.post(url, operator);
      return status === 200 && body['access_token'] !== old ? body : undefined;
    });
    assert.notEqual(answer['access_token'], old);
    assert.ok(counters.revocations > 0);
  });
}
