/** The checks of a suite that is no jest suite: said as they are made, counted at the end. */
export interface Checks {
  /** @param detail said beside it, whether it holds or not */
  check: (sentence: string, holds: boolean, detail?: string) => void;
  /** Says `N passed, N failed` and sets the exit code. */
  close: () => void;
}

/** @param say takes one line; standard output by default */
export function createChecks(say: (line: string) => void = print): Checks {
  let passed = 0;
  let failed = 0;
  return {
    check(sentence, holds, detail = '') {
      if (holds) passed += 1;
      else failed += 1;
      say(`${holds ? 'ok      ' : 'NOT OK  '}${sentence}${detail === '' ? '' : ` (${detail})`}`);
    },
    close() {
      say(`${passed} passed, ${failed} failed`);
      if (failed > 0) process.exitCode = 1;
    },
  };
}

/** Writes one line. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
