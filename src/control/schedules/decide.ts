// What becomes of what is due: run, skipped, or not decided yet. Pure: the time is an argument.
import { type Rhythm, dueTimes } from '../../documents/documents.js';
import type { ScheduleDefinition } from '../../pipeline/definition.js';

/** So late a run is still on time: a service that was restarted at the wrong moment misses nothing. */
export const ON_TIME_MS = 5 * 60_000;
/** What is caught up at most, the latest first: of one schedule, and how far back. */
export const CAUGHT_UP = 100;
export const LOOK_BACK_MS = 7 * 86_400_000;

export interface Decided {
  /** Each gets a run. */
  readonly run: readonly Date[];
  /** These do not. */
  readonly skipped?: { readonly count: number; readonly from: Date; readonly to: Date };
  readonly decidedTo: Date;
}

type Way = Pick<ScheduleDefinition, 'catchUp' | 'overlap'>;

/**
 * Of everything due after `decidedToMs` and until now. With catch-up each gets a run, one at a time where they must not overlap: the rest stays
 * undecided. Without it only the latest does, if it is on time.
 */
export function decide(rhythm: Rhythm, { catchUp, overlap }: Way, decidedToMs: number, nowMs: number): Decided {
  const due: number[] = [];
  const dropped = { count: 0, from: 0, to: 0 };
  const drop = (atMs: number): void => {
    if (dropped.count++ === 0) dropped.from = atMs;
    dropped.to = atMs;
  };
  const keep = catchUp ? CAUGHT_UP : 1;
  const startMs = Math.max(decidedToMs, nowMs - LOOK_BACK_MS);
  // What is older than that is not counted one by one: the skipped ones begin with the first of them.
  const [old] = startMs > decidedToMs ? dueTimes(rhythm, decidedToMs) : [];
  if (old && old.atMs <= startMs) drop(old.atMs);
  for (const { atMs } of dueTimes(rhythm, startMs)) {
    if (atMs > nowMs) break;
    due.push(atMs);
    if (due.length > keep) drop(due.shift() ?? atMs);
  }
  if (!catchUp && due[0] !== undefined && nowMs - due[0] > ON_TIME_MS) drop(due.pop() ?? 0);
  const run = catchUp && !overlap ? due.slice(0, 1) : due;
  return {
    run: run.map((atMs) => new Date(atMs)),
    ...(dropped.count > 0 ? { skipped: { count: dropped.count, from: new Date(dropped.from), to: new Date(dropped.to) } } : {}),
    decidedTo: new Date(run.at(-1) ?? Math.max(decidedToMs, dropped.to)),
  };
}
