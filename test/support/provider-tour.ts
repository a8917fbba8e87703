import assert from 'node:assert/strict';
import type { DemoAccount } from '../../infra/local/simulators/index.ts';
import { credentialsOf, providerOf } from './provider-bench.ts';

/** What a tour needs of a provider's simulator. */
interface Seen {
  counters: { logins: number; refreshes: number; revocations: number };
  control: { era: number };
}

/** How the service is called: the answer's status and its parsed body ({} where there is none). */
export type Post = (path: string, body?: object) => Promise<{ status: number; body: Record<string, unknown> }>;

/**
 * A provider's whole life, seen by its simulator's counters: a vend, a renewal (by refresh where the provider has one, else by
 * log-in), a log-in after the session has ended there, and a revocation where the provider can.
 *
 * @param again waits a little, or moves the clock, because two renewals have a spacing between them
 */
export async function tour(demo: DemoAccount, post: Post, { counters, control }: Seen, again: () => Promise<void>): Promise<void> {
  const account = `${demo.provider}/${demo.account}`;
  const provider = providerOf(demo.provider);
  const { refreshWith, revocationEnds } = provider.traits(credentialsOf(provider, demo.secret));
  const byRefresh = refreshWith !== 'none';
  const vend = `/v1/tokens/${account}`;
  const other = async (body: object, than: unknown): Promise<Record<string, unknown>> => {
    for (let tries = 0; tries < 60; tries++) {
      const answer = await post(vend, body);
      if (answer.status === 200 && answer.body['fingerprint'] !== than) return answer.body;
      assert.ok([200, 429, 503].includes(answer.status), `${account}: ${answer.status} ${JSON.stringify(answer.body)}`);
      await again();
    }
    throw new assert.AssertionError({ message: `${account}: no other token came` });
  };

  const first = await other({}, undefined);
  const { refreshes, logins } = { ...counters };
  const second = await other({ rejected: first['fingerprint'] }, first['fingerprint']);
  assert.equal(counters.refreshes > refreshes, byRefresh, `${account}: a rejected token is renewed by refresh, where there is one`);
  assert.equal(counters.logins, logins + (byRefresh ? 0 : 1), `${account}: a refresh is no log-in, and without one it takes one`);

  const before = counters.logins;
  control.era += 1;
  const third = await other({ rejected: second['fingerprint'] }, second['fingerprint']);
  assert.equal(counters.logins, before + 1, `${account}: where the session has ended, one log-in follows`);

  const { revocations } = counters;
  assert.equal((await post(`${vend}/revoke`)).status, 204);
  assert.equal(counters.revocations > revocations, revocationEnds !== 'nothing', `${account}: revoked where the provider can`);
  await other({}, third['fingerprint']);
  assert.equal(counters.logins, before + 2, `${account}: what was revoked starts anew`);
}
