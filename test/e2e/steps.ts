/** One run of steps: prints each with its duration, counts, and goes on after a failure where it can. */
export interface Steps {
  /**
   * A check of its own: its failure is counted and the run goes on.
   *
   * @returns what the work gave, or undefined where it failed
   */
  check<T>(title: string, work: () => Promise<T>): Promise<T | undefined>;
  /** A step that everything after it stands on: its failure is counted and thrown on. */
  need<T>(title: string, work: () => Promise<T>): Promise<T>;
  /** prints `N passed, N failed`; @returns whether nothing failed */
  close(): boolean;
}

/** @param within a step that takes longer has failed, ms */
export function createSteps(within: number): Steps {
  let passed = 0;
  let failed = 0;

  async function need<T>(title: string, work: () => Promise<T>): Promise<T> {
    const started = Date.now();
    const seconds = (): string => `${((Date.now() - started) / 1000).toFixed(1)} s`;
    try {
      const result = await bounded(work(), within);
      passed += 1;
      print(`ok      ${title} (${seconds()})`);
      return result;
    } catch (error) {
      failed += 1;
      print(`FAILED  ${title} (${seconds()})\n${indent(error instanceof Error ? (error.stack ?? error.message) : String(error))}`);
      throw error;
    }
  }

  return {
    need,
    check: (title, work) => need(title, work).catch(() => undefined),
    close() {
      print(`\n${passed} passed, ${failed} failed`);
      return failed === 0;
    },
  };
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/**
 * Asks again until the answer is there.
 *
 * @param look gives undefined while it is not
 * @param withinMs how long to ask
 */
export async function until<T>(what: string, withinMs: number, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`within ${withinMs / 1000} s there was not: ${what}`);
}

async function bounded<T>(work: Promise<T>, withinMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`took longer than ${withinMs / 1000} s`)), withinMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '        ');
}
