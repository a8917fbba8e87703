import { describe, expect, test } from '@jest/globals';
import { identityOf, updateAccount, withBackOff, withReset, withSuccess } from '../../../functions/core/account-item.ts';
import { timing } from '../../../functions/core/timing.ts';
import { anAccount } from '../../support/account.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { handClock } from '../../support/ports.ts';
import { credentialsOf, providerOf } from '../../support/provider-bench.ts';
import { outage } from '../../support/renewal-bench.ts';

const now = 1_763_012_347_891;
const MINUTE = 60_000;
const ref = { provider: 'vidizmo', account: 'main' };

describe('the identity of an account', () => {
  const secret = { base_url: 'https://portal.example', username: 'jo', password: 'one' };
  const identity = (more: object, id = 'amino') => identityOf(providerOf(id), credentialsOf(providerOf(id), { ...secret, ...more }));

  test.each([
    ['host', { base_url: 'https://elsewhere.example' }],
    ["path on the host, which may be another tenant's", { base_url: 'https://portal.example/tenant' }],
    ['user', { username: 'joe' }],
  ])('is another one where the secret names another %s', (_what, more) => {
    expect(identity(more)).not.toBe(identity({}));
  });

  test.each(['client_id', 'issuer'])('is another one where the secret names another %s', (member) => {
    const movingimage = (value: string) => identity({ base_url: undefined, [member]: value }, 'movingimage');
    expect(movingimage('https://one.example')).not.toBe(movingimage('https://another.example'));
  });

  test('is the same one where only the password is another', () => {
    expect(identity({ password: 'another' })).toBe(identity({}));
  });
});

describe('a back-off', () => {
  const failure = { code: 'backing_off', atMs: now } as const;
  const trouble = { nowMs: now, sinceMs: now - 1, retryAtMs: undefined, providerError: undefined, fraction: 0 };

  test('is never moved earlier by a later failure', () => {
    const until = anAccount({ notBeforeMs: now + 10 * MINUTE, outages: 1, failure });
    expect(withBackOff(until, trouble, timing).notBeforeMs).toBe(now + 10 * MINUTE);
    expect(withBackOff(until, { ...trouble, retryAtMs: now + 11 * MINUTE }, timing).notBeforeMs).toBe(now + 11 * MINUTE);
  });

  test('that was written meanwhile outlasts a success, and one that is past does not', () => {
    const refused = anAccount({ notBeforeMs: now + 1, outages: 1, clientRefused: true, failure });
    expect(withSuccess(refused, now)).toEqual({ ...refused, revision: 5, clientRefused: false });
    expect(withSuccess({ ...refused, notBeforeMs: now }, now)).toEqual({ ...anAccount({ revision: 5 }), notBeforeMs: undefined });
  });
});

test('a reset forgets the log-ins that can no longer be answered, so that they block none, and keeps those under way', () => {
  const unanswered = { lost: now - timing.renewalDeadlineMs, underWay: now - timing.renewalDeadlineMs + 1 };
  expect(withReset(anAccount({ unanswered }), now, timing).unanswered).toEqual({ underWay: now - timing.renewalDeadlineMs + 1 });
});

test('an account that the table does not take is tried until the deadline, and no longer', async () => {
  const clock = handClock(now);
  const store = createMemoryStore({ onOperation: outage });
  const deadlineMs = now + timing.renewalDeadlineMs;
  await expect(updateAccount({ store, clock }, ref, deadlineMs, () => anAccount())).rejects.toMatchObject({ code: 'store_unavailable' });
  expect(clock.nowMs()).toBeGreaterThanOrEqual(deadlineMs);
  expect(clock.nowMs()).toBeLessThan(deadlineMs + 1_000);
});
