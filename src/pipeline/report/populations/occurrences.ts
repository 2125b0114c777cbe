// What schedules were to do, and what was done: what the service told of each instant, held against the instants that follow from the schedules as
// they stood in force. An instant of which no entry tells is an item, too: nobody was there when it came.
import type { LoggedEvent } from '../../event.js';
import { type Rhythm, dueTimes } from '../../due-times.js';
import { type Period, isWithin } from '../period.js';
import { FollowedReader } from './followed.js';
import { type Cell, type Item, type Population, type PopulationReader, pick, recordsOf, textOf, toPlace } from './population.js';

const occurrenceColumns = {
  what: 'run: a run was due; look: the source was due to be looked at; report: the report of a day was due; skipped: instants that were left out; untold: an instant that follows from the schedule, and of which no entry tells',
  schedule: 'the schedule, or what caused the run; of a report its day',
  pipeline: 'the pipeline',
  due: 'the instant that was due; of left-out ones the first',
  until: 'of left-out ones the last',
  expected: 'how many were due',
  actual:
    'how many took place; empty: not known, because it began less than a day before the last instant that was read and has no end yet',
  run: 'the run',
  state: 'how it ended, as far as was read; of left-out ones why; of an untold one that nothing says',
};

const ends: ReadonlySet<string> = new Set(['published', 'reused', 'failed', 'denied', 'withheld', 'cancelled']);

const types = [
  ...[
    'documents.applied',
    'schedule.paused',
    'schedule.resumed',
    'run.queued',
    'schedule.looked',
    'schedule.look-failed',
    'schedule.skipped',
  ],
  ...[...ends].map((state) => `run.${state}`),
  ...['daily-report.due', 'daily-report.failed', 'daily-report.made'],
];

export const occurrences: Population = {
  name: 'occurrences',
  title: 'What schedules were to do, and what was done',
  query:
    'every entry run.queued that names the instant at which it was due, with the end of that run, where the time of one of the two lies in the period (one that was under way over the border is in both); every schedule.looked and schedule.look-failed; every daily-report.due, with daily-report.made or …failed of the same day; every schedule.skipped, which counts the instants that were left out; and each instant of the period that follows from cron, zone and first day of a Schedule as documents.applied says that it stood in force, while it was not paused, and of which none of these entries tells',
  types,
  columns: Object.entries(occurrenceColumns).map(([name, means]) => ({ name, means })),
  open: (period) => new Occurrences(period),
};

class Occurrences implements PopulationReader {
  readonly #told: FollowedReader;
  readonly #calendars = new Map<string, Calendar>();

  constructor(private readonly period: Period) {
    this.#told = new FollowedReader(toldKind, period);
  }

  take(logged: LoggedEvent): readonly Item[] {
    const items = [...this.#told.take(logged)];
    const { event } = logged;
    if (event.type === 'documents.applied') return [...items, ...this.#apply(logged)];
    const calendar = this.#calendars.get(scheduleOf(event) ?? '');
    if (!calendar) return items;
    if (event.type === 'schedule.paused') return [...items, ...calendar.pause(event.at)];
    if (event.type === 'schedule.resumed') return [...items, ...calendar.resume(event.at)];
    return [...items, ...calendar.tell(event)];
  }

  end(asOf: string): readonly Item[] {
    // What came to be due a moment before may still be told.
    const untilMs = Date.parse(asOf) - ON_TIME_MS;
    return [...this.#told.end(asOf), ...[...this.#calendars.values()].flatMap((one) => one.settle(untilMs))];
  }

  #apply(logged: LoggedEvent): readonly Item[] {
    const { at, data } = logged.event;
    return recordsOf(data['documents']).flatMap((one) => {
      const due = recordsOf([one['due'] ?? null])[0];
      if (one['kind'] !== 'Schedule' || !due || typeof one['name'] !== 'string' || typeof due['cron'] !== 'string') return [];
      const before = this.#calendars.get(one['name']);
      const items = before?.settle(Date.parse(at)) ?? [];
      const rhythm = { cron: due['cron'], timeZone: textOf(due, 'timeZone') ?? 'UTC', ...toStartDate(due['startDate']) };
      const of = { schedule: one['name'], version: pick(one, 'version'), pipeline: pick(due, 'pipeline'), entry: toPlace(logged) };
      this.#calendars.set(one['name'], new Calendar(this.period, { ...of, rhythm }, Date.parse(at), before?.paused ?? false));
      return items;
    });
  }
}

interface InForce {
  readonly schedule: string;
  readonly version: Cell;
  readonly pipeline: Cell;
  readonly entry: string;
  readonly rhythm: Rhythm;
}

/** One version of a schedule while it is in force. It holds what was told of late; older instants are settled. */
class Calendar {
  readonly #told = new Set<number>();
  #skipped: { readonly fromMs: number; readonly toMs: number }[] = [];
  #settledMs: number;

  constructor(
    private readonly period: Period,
    private readonly of: InForce,
    sinceMs: number,
    public paused: boolean,
  ) {
    this.#settledMs = Math.max(sinceMs, Date.parse(period.from) - 1);
  }

  tell({ type, at, data }: LoggedEvent['event']): readonly Item[] {
    if (type === 'schedule.skipped') {
      const [fromMs, toMs] = [Date.parse(textOf(data, 'from') ?? ''), Date.parse(textOf(data, 'to') ?? '')];
      this.#skipped.push({ fromMs, toMs });
    } else this.#told.add(Date.parse(textOf(data, 'due') ?? ''));
    const oldMs = Date.parse(at) - LATEST_MS;
    return oldMs - this.#settledMs > DAY_MS ? this.settle(oldMs) : [];
  }

  pause(at: string): readonly Item[] {
    const items = this.settle(Date.parse(at));
    this.paused = true;
    return items;
  }

  resume(at: string): readonly Item[] {
    this.#settledMs = Math.max(this.#settledMs, Date.parse(at));
    this.paused = false;
    return [];
  }

  /** Every instant up to there is told by now, or never will be. */
  settle(untilMs: number): readonly Item[] {
    if (this.paused || !(untilMs > this.#settledMs)) return [];
    const items: Item[] = [];
    for (const { atMs } of toDue(this.of.rhythm, this.#settledMs)) {
      if (atMs > untilMs) break;
      const isTold = this.#told.has(atMs) || this.#skipped.some(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs);
      const at = new Date(atMs).toISOString();
      if (!isTold && isWithin(this.period, at)) items.push(this.#toItem(at));
    }
    this.#settledMs = untilMs;
    for (const atMs of this.#told) if (atMs <= untilMs) this.#told.delete(atMs);
    this.#skipped = this.#skipped.filter(({ toMs }) => toMs > untilMs);
    return items;
  }

  #toItem(at: string): Item {
    const { schedule, version, pipeline, entry } = this.of;
    const cells: Record<string, Cell> = {
      ...{ what: 'untold', schedule: `Schedule ${schedule} version ${version ?? ''}`, pipeline, due: at },
      ...{ expected: 1, actual: 0, state: 'no entry tells of it' },
    };
    return { at, entries: [entry], cells: Object.keys(occurrenceColumns).map((name) => cells[name] ?? null) };
  }
}

/** What a log says that no service wrote is no reason to fail. */
function* toDue(rhythm: Rhythm, afterMs: number): ReturnType<typeof dueTimes> {
  try {
    yield* dueTimes(rhythm, afterMs);
  } catch {
    return;
  }
}

const toStartDate = (value: unknown): { readonly startDate?: string } => (typeof value === 'string' ? { startDate: value } : {});

function scheduleOf({ type, data }: LoggedEvent['event']): string | undefined {
  if (type.startsWith('schedule.')) return textOf(data, 'schedule') ?? undefined;
  return typeof data['due'] === 'string' ? /^Schedule (.+) version \d+$/.exec(textOf(data, 'cause') ?? '')?.[1] : undefined;
}

const DAY_MS = 86_400_000;
/** As the scheduler has it: so late a run is on time. */
const ON_TIME_MS = 5 * 60_000;
/** Nothing is caught up later than that. */
const LATEST_MS = 8 * DAY_MS;

const ofReport = 'daily-report.';
const toReportKey = (data: LoggedEvent['event']['data']): string => `daily report ${textOf(data, 'day') ?? ''}`;

/** One that failed is tried again. */
function takeReport(cells: Record<string, Cell>, state: string, data: LoggedEvent['event']['data']): boolean {
  if (state === 'due') Object.assign(cells, { what: 'report', schedule: toReportKey(data), due: textOf(data, 'to'), expected: 1 });
  Object.assign(cells, { state, actual: state === 'made' ? 1 : 0 });
  return state === 'made';
}

const toldKind: ConstructorParameters<typeof FollowedReader>[0] = {
  names: Object.keys(occurrenceColumns),
  begins: ({ type, data }) => {
    if (type === 'daily-report.due') return toReportKey(data);
    return type === 'run.queued' && typeof data['due'] === 'string' ? (textOf(data, 'run') ?? undefined) : undefined;
  },
  goesOn: ({ type, data }) => {
    if (type.startsWith(ofReport)) return toReportKey(data);
    return ends.has(type.slice('run.'.length)) ? (textOf(data, 'run') ?? undefined) : undefined;
  },
  left: (cells, at, asOf) => {
    if (['queued', 'due'].includes(String(cells['state'])) && Date.parse(asOf) - Date.parse(at) < DAY_MS) cells['actual'] = null;
  },
  take: (cells, { type, data }) => {
    if (type.startsWith(ofReport)) return takeReport(cells, type.slice(ofReport.length), data);
    const state = type.slice('run.'.length);
    if (state === 'queued')
      Object.assign(cells, {
        ...{ what: 'run', schedule: textOf(data, 'cause'), pipeline: textOf(data, 'pipeline'), due: textOf(data, 'due') },
        ...{ expected: 1, actual: 0, run: textOf(data, 'run'), state: 'queued' },
      });
    else Object.assign(cells, { state, actual: ['published', 'reused'].includes(state) ? 1 : 0 });
    return state !== 'queued';
  },
  alone: ({ type, data }) => {
    if (type === 'schedule.skipped')
      return {
        ...{ what: 'skipped', schedule: textOf(data, 'schedule'), due: textOf(data, 'from'), until: textOf(data, 'to') },
        ...{ expected: pick(data, 'count'), actual: 0, state: textOf(data, 'reason') },
      };
    if (type !== 'schedule.looked' && type !== 'schedule.look-failed') return undefined;
    const looked = type === 'schedule.looked';
    return {
      ...{ what: 'look', schedule: textOf(data, 'schedule'), due: textOf(data, 'due'), run: textOf(data, 'run') },
      ...{ expected: 1, actual: looked ? 1 : 0, state: looked ? 'looked' : textOf(data, 'code') },
    };
  },
};
