import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { providersById } from '../../functions/providers/index.ts';
import { startLocalStack, type LocalStack } from '../../infra/local/stack.ts';
import { viewLines } from '../../infra/local/log-view.ts';
import { tour, type Post } from '../support/provider-tour.ts';

interface Vended {
  status: number;
  body: { access_token: string; expires_in: number; provider: string; account: string; [member: string]: unknown };
}

describe('the whole service in one process', () => {
  const clock = { aheadMs: 0 };
  const now = Date.now;
  const lines: string[] = [];
  let stack: LocalStack;
  let showLines: () => void;

  const vend = async (account: string, body: object = {}, jwt = stack.callers.developer.jwt): Promise<Vended> => {
    const answer = await fetch(`${stack.url}/v1/tokens/${account}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${jwt}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const parsed: Vended['body'] = JSON.parse(await answer.text());
    return { status: answer.status, body: parsed };
  };
  const requests = () => Object.values(stack.simulators?.byProvider ?? {}).reduce((sum, { counters }) => sum + counters.requests, 0);

  beforeAll(async () => {
    Date.now = () => now() + clock.aheadMs;
    showLines = viewLines((line) => {
      lines.push(line);
      return undefined;
    });
    stack = await startLocalStack({
      lifeSeconds: 300,
      grants: [],
    });
  });
  afterEach(() => {
    clock.aheadMs = 0;
  });
  afterAll(async () => {
    await stack.stop();
    showLines();
    Date.now = now;
  });

  test('vends a token of every account, and then the same one without a call at its provider', async () => {
    expect(Object.keys(stack.accounts)).toContain('vidizmo/main');
    for (const account of Object.keys(stack.accounts)) {
      const first = await vend(account);
      const after = requests();
      const second = await vend(account);
      expect(first).toMatchObject({ status: 200, body: { access_token: expect.any(String), token_type: 'Bearer' } });
      expect(second.body.access_token).toBe(first.body.access_token);
      expect(second.body.expires_in).toBeLessThanOrEqual(first.body.expires_in);
      expect(`${first.body.provider}/${first.body.account}`).toBe(account);
      expect(requests()).toBe(after);
    }
  });

  test('lets the schedule renew what is due, through dispatcher, queue and worker', async () => {
    const { movingimage } = stack.simulators?.byProvider ?? {};
    const before = await vend('movingimage/main');
    const refreshes = movingimage?.counters.refreshes ?? 0;
    await stack.tick();
    expect(movingimage?.counters.refreshes).toBe(refreshes);
    clock.aheadMs = 250_000;
    await stack.tick();
    expect(movingimage?.counters.refreshes).toBe(refreshes + 1);
    expect(stack.aws.counters()['sqs.SendMessageBatch']).toBeGreaterThan(0);
    expect((await vend('movingimage/main')).body.access_token).not.toBe(before.body.access_token);
  });

  test.each([...providersById().keys()])(
    'takes %s through renewal, a log-in after its session has ended, and revocation',
    async (provider) => {
      const demo = stack.simulators?.accounts.find((account) => account.provider === provider);
      const simulator = demo && stack.simulators?.byProvider[demo.provider];
      if (!simulator) throw new Error(`${provider} has no simulator`);
      const post: Post = async (path, body = {}) => {
        const answer = await fetch(`${stack.url}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${stack.callers.developer.jwt}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        const text = await answer.text();
        const parsed: Record<string, unknown> = text === '' ? {} : JSON.parse(text);
        return { status: answer.status, body: parsed };
      };
      const logins = simulator.counters.logins;
      await tour(demo, post, simulator, async () => void (clock.aheadMs += 5_000));
      expect(simulator.counters.logins).toBeGreaterThanOrEqual(logins + 2);
    },
  );

  test('answers a caller without a grant, and one whom nobody vouches for, differently', async () => {
    const stranger = await vend('vidizmo/main', {}, await stack.callers.issuer.sign('stranger'));
    expect(stranger).toMatchObject({ status: 403, body: { code: 'no_grant' } });
    const nobody = await vend('vidizmo/main', {}, 'x.y.z');
    expect(nobody).toEqual({ status: 401, body: { message: 'Unauthorized' } });
  });

  test("gives the answer the id that the call's audit line has", async () => {
    const headers = { authorization: `Bearer ${stack.callers.developer.jwt}` };
    const answer = await fetch(`${stack.url}/v1/tokens/vidizmo/main`, { method: 'POST', headers });
    const audited = lines.findLast((line) => line.includes('"event":"vend"')) ?? '';
    expect(JSON.parse(audited)).toMatchObject({ detail: { request: answer.headers.get('apigw-requestid') } });
  });

  test('says in its lines what it did and never a token', async () => {
    const { body } = await vend('vidizmo/main');
    expect(lines.some((line) => line.includes('"event":"vend"'))).toBe(true);
    expect(lines.filter((line) => line.includes(body.access_token))).toEqual([]);
  });
});
