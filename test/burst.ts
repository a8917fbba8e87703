// npm run test:burst: a thousand cold callers on one key, ten thousand on a hundred.
import { Crowd, type Seen, type Wanted } from './burst/crowd.ts';
import type { BurstReport } from './burst/instance.ts';
import { burstTiming, FACTOR } from './burst/setting.ts';
import { createChecks, print } from './support/processes/checks.ts';

const PROCESSES = 8;
const checks = createChecks();
const { check } = checks;
const lines: string[] = [];

const accountsOf = (name: string): string[] => Array.from({ length: 100 }, (_, index) => `${name}-${index}`);
const burst = async (crowd: Crowd, title: string, wanted: Wanted): Promise<{ seen: Seen; later: number }> => {
  print(title);
  const { reports, seen } = await crowd.burst(wanted);
  const sum = (of: (report: BurstReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  const byKey = Map.groupBy(
    reports.flatMap(({ tokens }) => Object.entries(tokens)),
    ([key]) => key,
  );
  const distinct = [...byKey.values()].map((entries) => new Set(entries.flatMap(([, tokens]) => tokens)).size);
  const slowestMs = Math.max(...reports.map((report) => report.slowestMs));
  const later = sum((report) => report.later);
  const odd = reports.map((report) => JSON.stringify(report.odd)).filter((words) => words !== '{}');
  check('every caller got a token', sum(({ answered }) => answered) === wanted.callers, odd.join(' '));
  check('everybody on a key got the same one', distinct.length === wanted.keys && distinct.every((tokens) => tokens === 1));
  check('whoever was told to come later was told when', sum(({ laterWithoutTime }) => laterWithoutTime) === 0);
  check(`exactly ${wanted.keys} log-ins`, seen.logIns === wanted.keys, `${seen.logIns}`);
  const tokens = distinct.reduce((total, each) => total + each, 0);
  lines.push(
    `${wanted.callers} callers on ${wanted.keys} keys: ${seen.logIns} log-ins, ${tokens} distinct tokens, slowest wait ${slowestMs} ms`,
  );
  return { seen, later };
};

const crowd = new Crowd(['one-0', 'alone-0', ...accountsOf('many')], 400);
await crowd.start();
await burst(crowd, '1,000 cold callers on one key, over 8 processes', {
  callers: 1_000,
  keys: 1,
  account: 'one',
  accountPerKey: true,
  instances: PROCESSES,
  keysApart: false,
});
await burst(crowd, '1,000 cold callers on one key, each at an instance of its own: they share the table alone', {
  callers: 1_000,
  keys: 1,
  account: 'alone',
  accountPerKey: true,
  instances: 1_000,
  keysApart: false,
});
await burst(crowd, '10,000 callers on 100 keys of 100 accounts', {
  callers: 10_000,
  keys: 100,
  account: 'many',
  accountPerKey: true,
  instances: PROCESSES,
  keysApart: false,
});
crowd.end();

// So slow that a hundred log-ins, two at a time, take longer than a caller may wait.
const slowCrowd = new Crowd(['shared'], 1_500);
await slowCrowd.start();
const shared = await burst(slowCrowd, '10,000 callers on 100 keys of one account', {
  callers: 10_000,
  keys: 100,
  account: 'shared',
  accountPerKey: false,
  instances: PROCESSES,
  // The account is what they fight for; eight processes polling for each key besides would only measure the database.
  keysApart: true,
});
check('never more than 2 log-ins of an account at once', shared.seen.mostAtOnce <= 2, `${shared.seen.mostAtOnce}`);
check(
  `who outwaited ${burstTiming.waiterBudgetMs / 1_000} s was told when to call again, and then got its token`,
  shared.later > 0,
  `${shared.later} times`,
);
slowCrowd.end();
print(`factor ${FACTOR}; ${lines.join('; ')}`);
checks.close();
process.exit();
