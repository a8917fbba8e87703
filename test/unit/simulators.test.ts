import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createProviderFetch } from '../../functions/adapters/provider-fetch.ts';
import { createAuthority } from '../../infra/local/authority.ts';
import type { Authority } from '../../infra/local/authority.ts';
import { startAminoSimulator } from '../../infra/local/simulators/amino.ts';
import { startSimulators } from '../../infra/local/simulators/index.ts';
import type { Simulators, SimulatorsOptions } from '../../infra/local/simulators/index.ts';
import type { Simulator } from '../../infra/local/simulators/simulator.ts';
import { startVidizmoSimulator, vidizmoUser } from '../../infra/local/simulators/vidizmo.ts';
import { providersById } from '../../functions/providers/index.ts';
import { freePort } from '../support/free-port.ts';
import { createBench, providerOf, tokensOf, wallClock } from '../support/provider-bench.ts';

let authority: Authority;
const running: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  authority = await createAuthority();
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.close()));
});

function benchFor(...origins: readonly string[]) {
  return createBench({ privateOrigins: origins, authorities: Object.fromEntries(origins.map((origin) => [origin, authority.caPem])) });
}

async function start(options: Partial<SimulatorsOptions> = {}): Promise<Simulators> {
  const simulators = await startSimulators({ authority, ...options });
  running.push(simulators);
  return simulators;
}

function kept<S extends Simulator>(simulator: S): S {
  running.push(simulator);
  return simulator;
}

/** One request as another process would send it. @returns parsed JSON */
async function ask({ origin }: Simulator, path: string, body?: object, token?: string): Promise<unknown> {
  const fetch = createProviderFetch({ clock: wallClock, egress: { privateOrigins: [origin], authorities: { [origin]: authority.caPem } } });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const request = {
    method: body === undefined ? ('GET' as const) : ('POST' as const),
    url: `${origin}${path}`,
    headers,
    body: JSON.stringify(body),
  };
  const result = await fetch(request, Date.now() + 5000);
  return 'answer' in result ? JSON.parse(result.answer.text) : result;
}

describe('the simulators', () => {
  test('are there for every provider, each with an account that its provider takes', async () => {
    const { accounts, byProvider } = await start();
    expect(Object.keys(byProvider).toSorted()).toEqual([...providersById().keys()].toSorted());
    for (const { provider, secret } of accounts) expect(providersById().get(provider)?.credentials.safeParse(secret).success).toBe(true);
  });

  test('leave none running where one cannot start', async () => {
    const host = '127.0.0.1';
    const { byProvider } = await start({ host });
    const [free, taken] = [await freePort(), Number(new URL(byProvider.vidizmo.origin).port)];
    await expect(start({ host, ports: { amino: free, vidizmo: taken } })).rejects.toThrow('EADDRINUSE');
    await expect(start({ host, ports: { amino: free } })).resolves.toBeDefined();
  });

  test('know their tokens after a restart with the same key and ports', async () => {
    const first = await start({ signingKey: 'one' });
    const bench = benchFor(...first.origins);
    const held = await Promise.all(
      first.accounts.map(async ({ provider, secret }) => {
        const account = bench.account(provider, secret);
        return { provider, account, tokens: tokensOf(await account.login()) };
      }),
    );
    await first.close();
    const ports = Object.fromEntries(Object.entries(first.byProvider).map(([id, { origin }]) => [id, Number(new URL(origin).port)]));
    const second = await start({ signingKey: 'one', ports });
    expect(second.origins).toEqual(first.origins);
    for (const { provider, account, tokens } of held) {
      const simulator = second.byProvider[provider];
      expect(simulator.lives(tokens.accessToken.reveal())).toBe(true);
      const refreshes = Math.min(providerOf(provider).refresh.length, 1);
      expect((await account.refresh(tokens)).kind).toBe(refreshes === 1 ? 'ok' : 'failed');
      expect(simulator.counters).toMatchObject({ logins: 0, refreshes });
    }
  });

  test.each(['__proto__', 'constructor'])('know no user %s, whom nobody told them of', async (name) => {
    const simulators = await start();
    const bench = benchFor(...simulators.origins);
    for (const { provider, secret } of simulators.accounts) {
      const known = new Set(Object.values(simulators.byProvider).flatMap(({ control }) => Object.keys(control.users)));
      const entries = Object.entries(secret).map(([member, value]) => [member, known.has(String(value)) ? name : value] as const);
      expect(await bench.account(provider, Object.fromEntries(entries)).login()).toMatchObject({ failure: 'credentials_refused' });
    }
    expect([Object.hasOwn(Object.prototype, 'failures'), Object.hasOwn(Object, 'failures')]).toEqual([false, false]);
  });

  test('are steered and read over HTTP by another process', async () => {
    const vidizmo = kept(await startVidizmoSimulator({ authority }));
    await ask(vidizmo, '/_simulator/control', { fault: { answer: 'status', status: 503, times: 1 } });
    const account = benchFor(vidizmo.origin).account('vidizmo', {
      base_url: vidizmo.origin,
      email: vidizmoUser.email,
      password: vidizmoUser.password,
    });
    expect(await account.login()).toMatchObject({ code: 'http_503' });
    const { accessToken } = tokensOf(await account.login());
    expect(await ask(vidizmo, '/_simulator/counters')).toMatchObject({ requests: 2, logins: 1 });
    expect(await ask(vidizmo, '/_simulator/lives', undefined, accessToken.reveal())).toEqual({ lives: true });
    expect(await ask(vidizmo, '/_simulator/lives', undefined, 'another')).toEqual({ lives: false });
  });

  test('of VIDIZMO locks after five bad log-ins, also for the right password', async () => {
    const vidizmo = kept(await startVidizmoSimulator({ authority }));
    const bench = benchFor(vidizmo.origin);
    const secret = { base_url: vidizmo.origin, email: vidizmoUser.email, password: vidizmoUser.password };
    for (let n = 0; n < 5; n += 1) await bench.account('vidizmo', { ...secret, password: 'wrong' }).login();
    expect(await bench.account('vidizmo', secret).login()).toMatchObject({
      failure: 'credentials_refused',
      providerError: 'UserLockedException',
    });
    expect(vidizmo.counters).toMatchObject({ logins: 0, refused: 6, locked: 1 });
  });

  test('of Amino refuses sessions above the cap until one is logged out', async () => {
    const amino = kept(await startAminoSimulator({ authority, maxSessions: 1 }));
    const secret = {
      base_url: amino.origin,
      username: 'demo.subscriber@example.com',
      password: 'not-a-real-password-amino',
      logout_service: 'demo',
    };
    const account = benchFor(amino.origin).account('amino', secret);
    const tokens = tokensOf(await account.login());
    expect(await account.login()).toMatchObject({ kind: 'failed' });
    expect(await account.revoke(tokens)).toEqual({ kind: 'ok' });
    expect(await account.login()).toMatchObject({ kind: 'ok' });
  });
});
