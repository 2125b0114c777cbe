// Which periods of a log a daily report is due about. Pure: each goes on where the one before ended, so that nothing falls between two of them, whatever
// became of the zone meanwhile; a period ends at a midnight of the zone.
import { toLocalTimestamp } from '../../kernel/zone.js';
import { dueTimes } from '../../pipeline/due-times.js';

/** What was done before midnight may be told a little later. */
export const SETTLE_MS = 5 * 60_000;
const DAY_MS = 86_400_000;

export interface ReportDay {
  /** The last day of it, on the clocks of the zone. */
  readonly day: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Known {
  /** The last that there is; null: there is none. */
  readonly last: { readonly day: string; readonly toMs: number } | null;
  /** When the log began. */
  readonly beganMs: number;
}

/** Those that have ended, oldest first. Where there is none yet: the one before now, if the log had begun, and no older one. */
export function findReportDays(zone: string, { last, beganMs }: Known, nowMs: number): readonly ReportDay[] {
  const ends: number[] = [];
  // Two days back there is a midnight to begin with in every zone.
  const startMs = last?.toMs ?? nowMs - SETTLE_MS - 3 * DAY_MS;
  for (const { atMs } of dueTimes({ cron: '0 0 * * *', timeZone: zone }, startMs)) {
    if (atMs > nowMs - SETTLE_MS) break;
    ends.push(atMs);
  }
  const [from, to] = ends.slice(-2);
  if (!last) return from === undefined || to === undefined || beganMs >= to ? [] : [{ day: toDayOf(zone, to), fromMs: from, toMs: to }];
  const found: ReportDay[] = [];
  let before = last;
  for (const toMs of ends) {
    const day = toDayOf(zone, toMs);
    // In another zone than before the same day may end again: then the period goes on to the next.
    if (day <= before.day) continue;
    found.push({ day, fromMs: before.toMs, toMs });
    before = { day, toMs };
  }
  return found;
}

const toDayOf = (zone: string, endMs: number): string => toLocalTimestamp(zone, endMs - 1).slice(0, 10);
