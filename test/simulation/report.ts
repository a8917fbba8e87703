import type { Checks } from '../support/processes/checks.ts';
import { print } from '../support/processes/checks.ts';
import { TICK_MS } from './day.ts';
import type { Fleet } from './fleet.ts';
import { plannedRenewals, type Observer } from './observer.ts';
import type { createSimulatedService } from './service.ts';

const CLOSE_ENOUGH = 0.05;

/** Says what the day came to, line by line. */
export function report(
  observer: Observer,
  { providers, queue }: Pick<ReturnType<typeof createSimulatedService>, 'providers' | 'queue'>,
  fleet: Fleet,
  mistakes: readonly string[],
  { check }: Checks,
): void {
  for (const [setClass, count] of observer.byClass) {
    const renewals = count.renewals / (fleet.size * setClass.share);
    const planned = plannedRenewals(setClass);
    const off = renewals / planned - 1;
    const detail = `${renewals.toFixed(2)} of ${planned.toFixed(2)}, ${(off * 100).toFixed(1)} %`;
    check(`sets that live ${setClass.name}: renewals a set as planned, within 5 %`, Math.abs(off) <= CLOSE_ENOUGH, detail);
    const { vends, waits, slowestWaitMs, refusals } = count;
    print(`        ${vends} vends, ${waits} waited (${slowestWaitMs} ms at most), ${refusals} refused with a time to try again`);
  }
  const { entriesRead, entriesDue, slowestOther, cameBack } = observer;
  const beyond = entriesRead / entriesDue - 1;
  check(
    'sets that live 1 h and more never made a caller wait, for missed ticks or an outage',
    observer.longWaited === 0,
    `${observer.longWaited}`,
  );
  check('no expired token was vended', observer.expired === 0, `${observer.expired}`);
  check('nobody was refused while a token lived', observer.refusedWhileLiving === 0, `${observer.refusedWhileLiving}`);
  check(
    'whoever came back at the time named got a token, once the provider was well',
    observer.cameBackForNothing === 0,
    `${cameBack} came back, ${observer.cameBackForNothing} for nothing`,
  );
  check(
    'the dispatcher read what was due and not backing off, within 5 %',
    Math.abs(beyond) <= CLOSE_ENOUGH,
    `${entriesRead} read, ${entriesDue} due, ${(beyond * 100).toFixed(1)} %`,
  );
  check('a slow provider delayed no other by more than a tick', slowestOther <= TICK_MS, `${slowestOther} ms`);
  const { down, ...others } = observer.logIns;
  const elsewhere = Object.values(others).reduce((sum, logIns) => sum + logIns, 0);
  check('no session died by a spent refresh token', providers.sessionsEnded === 0, `${providers.sessionsEnded}`);
  // A 503 leaves open whether the refresh token was spent, and a strict provider must not see it twice.
  check(
    'nobody logged in again but where an outage left a refresh token in doubt',
    elsewhere === 0,
    `${down} there, ${elsewhere} elsewhere`,
  );
  check('no message reached the dead letters', queue.crashed === 0, `${queue.crashed}`);
  check('nothing went wrong besides', mistakes.length === 0, mistakes[0]);
}
