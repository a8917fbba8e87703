import assert from 'node:assert/strict';

/** What a tour needs of a provider's simulator. */
interface Seen {
  counters: { logins: number; refreshes: number; revocations: number };
  control: { era: number };
}

/** How the service is called: the answer's status and its parsed body ({} where there is none). */
export type Post = (path: string, body?: object) => Promise<{ status: number; body: Record<string, unknown> }>;

/** Providers whose revocation can be seen at the simulator; movingimage's older log-in has none. */
export const revokes: Readonly<Record<string, boolean>> = { amino: true, movingimage: true, 'movingimage-vms': false, vidizmo: true };

/**
 * A provider's whole life, seen by its simulator's counters: a vend, a renewal by refresh, a log-in after the session has ended
 * there, and a revocation.
 *
 * @param account `provider/account`
 * @param again waits a little, or moves the clock, because two renewals have a spacing between them
 */
export async function tour(account: string, post: Post, { counters, control }: Seen, again: () => Promise<void>): Promise<void> {
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
  assert.ok(counters.refreshes > refreshes, `${account}: a rejected token is renewed by refresh`);
  assert.equal(counters.logins, logins, `${account}: a refresh is no log-in`);

  control.era += 1;
  const third = await other({ rejected: second['fingerprint'] }, second['fingerprint']);
  assert.equal(counters.logins, logins + 1, `${account}: where the session has ended, one log-in follows`);

  const { revocations } = counters;
  assert.equal((await post(`${vend}/revoke`)).status, 204);
  assert.equal(counters.revocations > revocations, revokes[account.split('/')[0] ?? ''], `${account}: revoked where the provider can`);
  await other({}, third['fingerprint']);
  assert.equal(counters.logins, logins + 2, `${account}: what was revoked starts anew`);
}
