import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock, Randomness } from '../core/ports.ts';

/** 96 bits: 16 characters of base64url without padding. */
const attemptBytes = 12;

/** @returns the machine's clock */
export function createSystemClock(): Clock {
  return { nowMs: () => Date.now(), sleep: (ms) => wait(ms) };
}

/** @returns randomness; attempt ids come from the machine's secure source, fractions (jitter only) do not */
export function createSystemRandomness(): Randomness {
  return { fraction: () => Math.random(), attemptId: () => randomBytes(attemptBytes).toString('base64url') };
}
