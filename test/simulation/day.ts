const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const DAY_MS = 24 * HOUR;
export const TICK_MS = MINUTE;

/** When the counted day begins; what comes before it lets every set get into its stride. */
export const DAY_START_MS = Date.UTC(2026, 2, 29);

/** Sets that live equally long. */
export interface SetClass {
  name: string;
  lifeMs: number;
  /** of all sets */
  share: number;
  /** between two vends of one set, ms: often enough that it stays warm */
  vendEvery: readonly [number, number];
}

export const classes: readonly SetClass[] = [
  { name: '300 s', lifeMs: 300 * SECOND, share: 0.1, vendEvery: [200 * SECOND, 600 * SECOND] },
  { name: '1 h', lifeMs: HOUR, share: 0.3, vendEvery: [20 * MINUTE, 60 * MINUTE] },
  { name: '1 day', lifeMs: DAY_MS, share: 0.6, vendEvery: [3 * HOUR, 6 * HOUR] },
];

/** The four providers, each with a quarter of every class. */
export const providerIds = ['steady', 'down', 'slow', 'limited'] as const;
export type ProviderId = (typeof providerIds)[number];

/** A stretch of the day, ms since its start. */
export interface Stretch {
  fromMs: number;
  toMs: number;
}

const stretch = (hour: number, minutes: number): Stretch => ({ fromMs: hour * HOUR, toMs: hour * HOUR + minutes * MINUTE });

/** What goes wrong, each for itself. */
export const troubles = {
  missedTicks: stretch(6, 10),
  down: stretch(10, 5),
  slow: stretch(14, 30),
  limited: stretch(18, 5),
} as const;

/** What the slow provider takes then, ms, and everybody otherwise. */
export const SLOW_MS = 8 * SECOND;
export const LATENCY_MS = 400;
/** What the limiting provider asks for, seconds. */
export const RETRY_AFTER_SECONDS = 20;

/** @param margin further time after its end, ms */
export function isIn({ fromMs, toMs }: Stretch, nowMs: number, margin = 0): boolean {
  const atMs = nowMs - DAY_START_MS;
  return atMs >= fromMs && atMs < toMs + margin;
}
