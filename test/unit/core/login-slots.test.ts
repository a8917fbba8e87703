import { describe, expect, test } from '@jest/globals';
import type { AccountItem } from '../../../functions/core/account.ts';
import { slotState, withAnswer, withSlotTaken } from '../../../functions/core/login-slots.ts';
import { timing } from '../../../functions/core/timing.ts';
import { anAccount } from '../../support/account.ts';

const now = 1_763_012_347_891;
const rules = { timing };
const HOUR = 3_600_000;

const someAccount = (more: Partial<AccountItem> = {}) => anAccount({ proven: false, ...more });
const saw = (refused: number) => ({ refused, nextLoginAtMs: undefined, movedToMs: undefined });

describe('a log-in slot', () => {
  test('is free on an account that never logged in', () => {
    expect(slotState(someAccount(), now, rules)).toEqual({ kind: 'free', probe: false });
  });

  test('is given to one at a time while the secret is unproven', () => {
    const account = someAccount({ unanswered: { a: now - 1_000 } });
    expect(slotState(account, now, rules)).toEqual({ kind: 'wait', retryAtMs: now - 1_000 + timing.renewalDeadlineMs });
  });

  test('is given to two at a time once the secret is proven', () => {
    const one = someAccount({ proven: true, unanswered: { a: now - 1_000 } });
    const two = someAccount({ proven: true, unanswered: { a: now - 1_000, b: now - 500 } });
    expect(slotState(one, now, rules).kind).toBe('free');
    expect(slotState(two, now, rules).kind).toBe('wait');
  });

  test('counts refused and unanswered log-ins together', () => {
    const account = someAccount({ refused: 1, unanswered: { a: now - 60_000 } });
    expect(slotState(account, now, rules)).toEqual({ kind: 'blocked', because: 'unanswered', retryAtMs: now - 60_000 + 15 * 60_000 });
  });

  test('comes back when an unanswered log-in lapses, sooner once the secret is proven', () => {
    const sent = { a: now - 70_000, b: now - 65_000 };
    expect(slotState(someAccount({ unanswered: sent }), now, rules).kind).toBe('blocked');
    expect(slotState(someAccount({ unanswered: sent, proven: true }), now, rules)).toEqual({ kind: 'free', probe: false });
  });

  test('comes back after the lock window that the provider is known for', () => {
    const account = someAccount({ refused: 1, unanswered: { a: now - 70_000 } });
    expect(slotState(account, now, { timing, lockWindowMs: 60_000 }).kind).toBe('free');
  });

  test('after two refusals is a probe, and only when its time has come', () => {
    const account = someAccount({ refused: 2, nextLoginAtMs: now + 5 });
    expect(slotState(account, now, rules)).toEqual({ kind: 'blocked', because: 'refused', retryAtMs: now + 5 });
    expect(slotState(account, now + 5, rules)).toEqual({ kind: 'free', probe: true });
  });
});

test('taking a slot drops the entries that have lapsed, so that an account does not grow with every lost answer', () => {
  const unanswered = { old: now - timing.provenLapseMs, young: now - timing.provenLapseMs + 1 };
  const account = withSlotTaken(someAccount({ proven: true, unanswered }), 'mine', now, false, rules);
  expect(account.unanswered).toEqual({ young: now - timing.provenLapseMs + 1, mine: now });
});

describe('probes', () => {
  test('come after one hour, then six, then twenty-four', () => {
    let account = someAccount({ refused: 1 });
    account = withAnswer(withSlotTaken(account, 'a', now, false, rules), 'a', 'refused', saw(1), now, rules);
    expect(account.nextLoginAtMs).toBe(now + HOUR);
    account = withSlotTaken(account, 'b', now + HOUR, true, rules);
    expect(account.nextLoginAtMs).toBe(now + 7 * HOUR);
    account = withAnswer(account, 'b', 'refused', saw(2), now + HOUR, rules);
    expect(account.nextLoginAtMs).toBe(now + 7 * HOUR);
    account = withSlotTaken(account, 'c', now + 7 * HOUR, true, rules);
    expect(account.nextLoginAtMs).toBe(now + 31 * HOUR);
  });
});

describe('the answer of a log-in', () => {
  test('removes its own entry and leaves those of others', () => {
    const account = withAnswer(someAccount({ unanswered: { a: now, b: now } }), 'a', 'success', saw(0), now, rules);
    expect(account.unanswered).toEqual({ b: now });
    expect(account.proven).toBe(true);
  });

  test('that is a success clears the refusals that its slot saw', () => {
    expect(withAnswer(someAccount({ refused: 1, unanswered: { a: now } }), 'a', 'success', saw(1), now, rules).refused).toBe(0);
  });

  test('that is a success keeps a refusal that came after its slot', () => {
    expect(withAnswer(someAccount({ refused: 1, unanswered: { a: now } }), 'a', 'success', saw(0), now, rules).refused).toBe(1);
  });

  test('that was never sent only gives the slot back', () => {
    const account = withAnswer(someAccount({ refused: 1, unanswered: { a: now } }), 'a', 'unsent', saw(1), now, rules);
    expect(account).toMatchObject({ refused: 1, unanswered: {}, proven: false, revision: 5 });
  });
});
