// What counts of the log say: which stretch of time is not as those before it. Pure, and the more is counted in a stretch the more is said of it, so
// that a log read in pieces says what the whole of it says.
import { type AnomalySubject, type Counted, keyOf } from './anomaly.js';
import { HISTORY_DAYS, LEARNING_DAYS, type Watch, type WatchHours, type WatchRule, weekdays } from './watch.js';
import { offsetAt } from '../kernel/zone.js';

export interface Anomaly extends AnomalySubject {
  /** RFC 3339: where the stretch begins. Of one subject and stretch there is one anomaly. */
  readonly window: string;
  /** How many there were, as far as was counted. */
  readonly amount: number;
  /** More than so many, or of bursts as many, are too many. */
  readonly expected: number;
}

export interface Judging {
  readonly watches: Readonly<Record<WatchRule, Watch>>;
  /** RFC 3339: of the first entry that was read. */
  readonly startedAt: string;
  /** RFC 3339: what began before is learned from and not told. */
  readonly since: string;
}

const DAY_MS = 86_400_000;
const toDay = (at: string | number): number => Math.floor(new Date(at).getTime() / DAY_MS);
const fromDay = (day: number): string => new Date(day * DAY_MS).toISOString();

/** `counts`: everything that was counted of each subject in it, in any order. In a fixed order. */
export function findAnomalies(counts: readonly Counted[], judging: Judging): readonly Anomaly[] {
  const series = new Map<string, Counted[]>();
  for (const one of counts) series.set(keyOf(one), [...(series.get(keyOf(one)) ?? []), one]);
  return [...series.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, own]) =>
      judge(
        [...own].sort((a, b) => (a.bucket < b.bucket ? -1 : 1)),
        judging,
      ),
    )
    .filter(({ window }) => window >= judging.since);
}

type Judge = (own: readonly Counted[], watch: Watch, startedAt: string) => readonly Anomaly[];

function judge(own: readonly Counted[], { watches, startedAt }: Judging): readonly Anomaly[] {
  const [first] = own;
  const watch = first && watches[first.rule];
  return first && watch?.on ? judges[first.rule](own, watch, startedAt) : [];
}

const toAnomaly = ({ rule, subject, environment, pipeline, bucket, amount }: Counted, expected: number, window = bucket): Anomaly => ({
  ...{ rule, subject, environment, pipeline, window, amount, expected },
});

/**
 * A day is one too many when it has more than the mean and `sigmas` standard deviations of the days before it: at most 28, those without any
 * counted as 0, as far as the log goes back, at least 7. A deviation of less than 1 counts as 1, and a day of fewer than `atLeast` is none.
 */
const judgeSpike: Judge = (own, { sigmas, atLeast }, startedAt) => {
  const days = new Map(own.map((one) => [toDay(one.bucket), one.amount]));
  return own.flatMap((one) => {
    const day = toDay(one.bucket);
    const length = Math.min(HISTORY_DAYS, day - toDay(startedAt));
    if (length < LEARNING_DAYS || one.amount < atLeast) return [];
    const before = Array.from({ length }, (_, i) => days.get(day - 1 - i) ?? 0);
    const mean = before.reduce((sum, amount) => sum + amount, 0) / length;
    const deviation = Math.sqrt(before.reduce((sum, amount) => sum + (amount - mean) ** 2, 0) / length);
    const expected = Math.floor(mean + sigmas * Math.max(1, deviation));
    return one.amount > expected ? [toAnomaly(one, expected)] : [];
  });
};

/** Who comes when the log has been there for a week, and was never there before. */
const judgeFirst: Judge = ([first], _, startedAt) =>
  first && toDay(first.bucket) - toDay(startedAt) >= LEARNING_DAYS ? [toAnomaly({ ...first, amount: 1 }, 0)] : [];

const judgeBurst: Judge = (own, { atLeast }) => own.flatMap((one) => (one.amount >= atLeast ? [toAnomaly(one, atLeast)] : []));

/** Of a person, a pipeline and a day (UTC) one, from the first quarter of an hour that is outside. */
const judgeHours: Judge = (own, { hours }) => {
  const outside = own.filter(({ bucket }) => !isWithinHours(hours, Date.parse(bucket)));
  const days = [...new Set(outside.map(({ bucket }) => toDay(bucket)))];
  return days.map((day) => {
    const ofDay = outside.filter(({ bucket }) => toDay(bucket) === day);
    const amount = ofDay.reduce((sum, one) => sum + one.amount, 0);
    return toAnomaly({ ...ofDay[0]!, amount }, 0, fromDay(day));
  });
};

const judges: Readonly<Record<WatchRule, Judge>> = {
  ...{ detokenisations: judgeSpike, clones: judgeSpike, 'first-seen': judgeFirst, 'outside-hours': judgeHours },
  ...{ residual: judgeBurst, denials: judgeBurst, 'failed-log-ins': judgeBurst, 'protection-weakened': judgeBurst, silence: () => [] },
};

export function isWithinHours({ timeZone, days, from, until }: WatchHours, atMs: number): boolean {
  const local = new Date(atMs + offsetAt(timeZone, atMs));
  const minutes = local.getUTCHours() * 60 + local.getUTCMinutes();
  const day = weekdays[(local.getUTCDay() + 6) % 7]!;
  return days.includes(day) && minutes >= toMinutes(from) && minutes < toMinutes(until);
}

function toMinutes(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
}

export interface Due {
  readonly schedule: string;
  readonly pipeline: string;
  /** RFC 3339. */
  readonly at: string;
}

/** A schedule was due so long ago, and nothing was decided of it: no run, no look, not even that it was left out. Nothing is in the log where something was due. */
export function findSilence(dues: readonly Due[], nowMs: number, { on, graceMinutes }: Watch): readonly Anomaly[] {
  if (!on) return [];
  return dues
    .filter(({ at }) => nowMs - Date.parse(at) >= graceMinutes * 60_000)
    .map(({ schedule, pipeline, at }) => ({
      ...{ rule: 'silence' as const, subject: `schedule ${schedule}`, environment: '', pipeline, window: at, amount: 0, expected: 1 },
    }));
}

/** What is older is no more needed to judge what comes; of `first-seen` the first is needed for good. */
export const keptMs = (HISTORY_DAYS + LEARNING_DAYS) * DAY_MS;
