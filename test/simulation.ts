// npm run test:simulation [-- --sets N] [-- --workers N]: a day of the schedule with the real core on a virtual clock.
import { parseArgs } from 'node:util';
import { keyOf } from '../functions/core/token-set.ts';
import { DAY_MS, DAY_START_MS, isIn, LATENCY_MS, TICK_MS, troubles } from './simulation/day.ts';
import { EventClock } from './simulation/event-clock.ts';
import { Fleet } from './simulation/fleet.ts';
import { Observer, plannedPeriodMs } from './simulation/observer.ts';
import { report } from './simulation/report.ts';
import { createSimulatedService } from './simulation/service.ts';
import { createChecks, print } from './support/processes/checks.ts';
import { WorldRandomness } from './support/world/instance.ts';

const SEED = 29;
const FIRST_LOGIN_MS = 10 * LATENCY_MS;
const { values } = parseArgs({ options: { sets: { type: 'string', default: '5000' }, workers: { type: 'string', default: '20' } } });
const startedMs = performance.now();

const fleet = new Fleet(Number(values.sets));
const warmUpMs = FIRST_LOGIN_MS + plannedPeriodMs(DAY_MS);
const clock = new EventClock(DAY_START_MS - warmUpMs);
const observer = new Observer(fleet);
const randomness = new WorldRandomness(SEED);
const random = randomness.forInstance(0);
const service = createSimulatedService({ clock, fleet, observer, random, workers: Number(values.workers) });
const mistakes: string[] = [];

async function vend(index: number, comesBack: boolean): Promise<void> {
  const ref = fleet.refOf(index);
  const begunMs = clock.nowMs();
  // A worker that tried meanwhile may have named a later time.
  const isFree = (service.store.accountAt(ref)?.notBeforeMs ?? 0) <= begunMs;
  const providerIsWell = isFree && service.providers.isWell(fleet.providerOf(index));
  const outcome = await service.vend({ caller: 'simulation', ref, parameters: {}, minTtlSeconds: 0 });
  const nowMs = clock.nowMs();
  const livesUntilMs = service.store.tokenSetAt(keyOf(ref, {}))?.expiresAtMs ?? 0;
  observer.vended({ index, startedMs: begunMs, nowMs, outcome, comesBack, providerIsWell, livesUntilMs });
  if (outcome.kind === 'answered') return;
  const retryAtMs = outcome.kind === 'renewing' ? outcome.retryAtMs : outcome.kind === 'refused' ? outcome.refusal.retryAtMs : undefined;
  if (retryAtMs === undefined) mistakes.push(`${ref.account} was refused without a time`);
  else clock.at(retryAtMs + 1, () => begin(vend(index, true)));
}

/** A caller that comes again and again, so that its set stays warm. */
function call(index: number): void {
  const [least, most] = fleet.classOf(index).vendEvery;
  begin(vend(index, false));
  clock.at(clock.nowMs() + least + random.fraction() * (most - least), () => call(index));
}

function tick(): void {
  if (!isIn(troubles.missedTicks, clock.nowMs())) begin(service.tick());
  clock.at(clock.nowMs() + TICK_MS, tick);
}

function begin(work: Promise<unknown>): void {
  work.catch((error: unknown) => mistakes.push(String(error)));
}

for (let index = 0; index < fleet.size; index++) {
  // A set's first log-in is over when the day begins.
  const agoMs = FIRST_LOGIN_MS + random.fraction() * plannedPeriodMs(fleet.classOf(index).lifeMs);
  clock.at(DAY_START_MS - agoMs, () => call(index));
}
clock.at(DAY_START_MS - warmUpMs, tick);
print(`${fleet.size} sets for a simulated day, ${values.workers} workers`);
for (const hour of [0, 6, 12, 18]) {
  const tell = () => print(`        ${String(hour).padStart(2, '0')}:00 after ${Math.round((performance.now() - startedMs) / 1_000)} s`);
  clock.at(DAY_START_MS + (hour / 24) * DAY_MS, tell);
}
await clock.runUntil(DAY_START_MS + DAY_MS);

const checks = createChecks();
report(observer, service, fleet, mistakes, checks);
const seconds = Math.round((performance.now() - startedMs) / 1_000);
print(`${seconds} s, ${Math.round(process.memoryUsage().rss / 1024 ** 2)} MB`);
checks.close();
