import type { AccountItem } from './account.ts';
import type { View } from './judge.ts';
import type { Clock } from './ports.ts';

/** What memory keeps of a token set: both items as they were read, opened. */
export interface Remembered {
  view: View;
  account: AccountItem | undefined;
  /** before either of them was read: what was read may be that old; ms since the epoch */
  readAtMs: number;
}

/** The memory of one function instance: token set key → opened token set. */
export interface TokenMemory {
  get(id: string): Remembered | undefined;
  /** @param untilMs when it stops answering, ms since the epoch */
  put(id: string, remembered: Remembered, untilMs: number): void;
}

// An instance that meets more token sets than this within ten seconds reads the table again for the oldest.
const MOST_ENTRIES = 5_000;

/** @returns an empty memory; the oldest entry goes when it is full */
export function createTokenMemory({ clock }: { clock: Clock }): TokenMemory {
  const entries = new Map<string, { remembered: Remembered; untilMs: number }>();
  return {
    get(id) {
      const entry = entries.get(id);
      if (!entry) return undefined;
      if (clock.nowMs() < entry.untilMs) return entry.remembered;
      entries.delete(id);
      return undefined;
    },
    put(id, remembered, untilMs) {
      entries.delete(id);
      if (untilMs <= clock.nowMs()) return;
      const oldest = entries.size >= MOST_ENTRIES ? entries.keys().next().value : undefined;
      if (oldest !== undefined) entries.delete(oldest);
      entries.set(id, { remembered, untilMs });
    },
  };
}
