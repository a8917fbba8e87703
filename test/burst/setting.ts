import { scaleTiming, timing, type Timing } from '../../functions/core/timing.ts';
import { aProvider, traitsOf } from '../support/world/a-provider.ts';
import { strictRotation, type Behaviour } from '../support/world/fake-provider.ts';

/**
 * The protocol's durations are divided by it. An embedded database that a thousand callers ask at once, on two cores that it shares
 * with them, is not DynamoDB: with the durations of production this suite would measure the machine.
 */
export const FACTOR = 1 / 4;
export const burstTiming: Timing = scaleTiming(timing, FACTOR);
export const FUNCTION_MS = 30_000 / FACTOR;
export const STORE_TIMEOUT_MS = 20_000;

export const behaviour: Behaviour = { ...strictRotation, revocationEnds: 'nothing' };

export const burstProvider = aProvider('burst', traitsOf(behaviour));
