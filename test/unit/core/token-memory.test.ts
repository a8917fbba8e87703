import { describe, expect, test } from '@jest/globals';
import { createTokenMemory } from '../../../functions/core/token-memory.ts';
import { handClock } from '../../support/ports.ts';

const MOST = 5_000;
const nothing = { view: {}, account: undefined, readAtMs: 0 };

function filled(entries: number) {
  const clock = handClock(1_793_456_789_012);
  const memory = createTokenMemory({ clock });
  const put = (id: string, forMs = 10_000) => memory.put(id, nothing, clock.nowMs() + forMs);
  for (let index = 0; index < entries; index++) put(`set ${index}`);
  return { clock, memory, put };
}

describe('the memory of one instance', () => {
  test('holds 5,000 token sets, and forgets the oldest one for the next', () => {
    const { memory, put } = filled(MOST);
    expect(memory.get('set 0')).toBe(nothing);
    put('one more');
    expect([memory.get('set 0'), memory.get('set 1'), memory.get('one more')]).toEqual([undefined, nothing, nothing]);
  });

  test('counts a set that is put in again as the newest, and no other one goes for it', () => {
    const { memory, put } = filled(MOST);
    put('set 0');
    expect(memory.get('set 1')).toBe(nothing);
    put('one more');
    expect([memory.get('set 0'), memory.get('set 1')]).toEqual([nothing, undefined]);
  });

  test('answers until a moment, and from that moment on no more', () => {
    const { clock, memory, put } = filled(0);
    put('a set', 1_000);
    clock.advance(999);
    expect(memory.get('a set')).toBe(nothing);
    clock.advance(1);
    expect(memory.get('a set')).toBeUndefined();
  });

  test('forgets what it held where the newer one is of no use any more', () => {
    const { memory, put } = filled(1);
    put('set 0', 0);
    expect(memory.get('set 0')).toBeUndefined();
  });
});
