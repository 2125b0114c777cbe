// The log is watched: every process looks, the cursor's row lets one of them count what is new, and what it finds odd is told in the same transaction.
// So each entry is counted once, each anomaly is told once, and no entry is ever read again.
import { toTimestamp } from '../../kernel/clock.js';
import { addUp, toSigns, watchedTypes } from '../../pipeline/anomaly.js';
import { type Event } from '../../pipeline/event.js';
import { type Anomaly, findAnomalies, findSilence, keptMs } from '../../pipeline/find-anomalies.js';
import type { Transaction } from '../../systems/metadata/metadata.js';
import type { Watch } from '../../pipeline/watch.js';
import { type LookingOptions, Rounds } from '../rounds.js';
import { readWatches } from '../watches/watches.js';
import { openIncidents } from './open-incidents.js';

const LOOK_MS = 5000;
const AT_ONCE = 2000;
const MINUTE_MS = 60_000;

export interface AnomalyClockOptions extends LookingOptions {
  /** For tests: how often it looks by itself; 0: never. */
  readonly lookMs?: number;
  /** For tests: how many entries are read at once. */
  readonly atOnce?: number;
}

export class AnomalyClock {
  private readonly rounds: Rounds;
  private stopped = false;

  constructor(private readonly options: AnomalyClockOptions) {
    this.rounds = new Rounds(() => this.lookOnce(), options.lookMs ?? LOOK_MS, options.failed);
  }

  /** Never throws. */
  look(): Promise<void> {
    return this.rounds.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.rounds.stop();
  }

  private async lookOnce(): Promise<void> {
    const { metadata, clock, failed } = this.options;
    const read = async (workspace: string): Promise<void> => {
      while (!this.stopped && (await metadata.within(workspace, (transaction) => this.readOn(transaction))));
    };
    for (const { workspace_id } of await metadata.query<{ workspace_id: string }>('SELECT workspace_id FROM bauta.find_unwatched()'))
      await read(workspace_id).catch(failed);
    const overdue = await metadata.query<Overdue>('SELECT workspace_id, name, pipeline, due_at FROM bauta.find_overdue_schedules($1)', [
      new Date(clock.now() - MINUTE_MS),
    ]);
    for (const workspace of new Set(overdue.map(({ workspace_id }) => workspace_id)))
      await metadata.within(workspace, (transaction) => this.tellSilence(transaction, overdue)).catch(failed);
  }

  /** False: there is nothing more, or another process reads. */
  private async readOn(transaction: Transaction): Promise<boolean> {
    const { anomalies, events } = transaction;
    const [oldest] = await transaction.log.logs();
    const cursor = oldest && (await anomalies.lockCursor(oldest.name));
    if (!cursor) return false;
    const next = await events.logAfter(cursor.log);
    const size = await events.size(cursor.log);
    if (cursor.position >= size) {
      if (next !== undefined) await anomalies.moveCursor({ ...cursor, log: next, position: 0 });
      return next !== undefined;
    }
    const end = Math.min(size, cursor.position + (this.options.atOnce ?? AT_ONCE));
    const entries = await events.entries(cursor, end - cursor.position, watchedTypes);
    const told = entries.map(({ text }) => toEvent(text));
    const first = cursor.startedAt ? [] : await events.entries(cursor, 1);
    const startedAt = toEarliest(cursor.startedAt, [...first.map(({ text }) => toEvent(text)), ...told]);
    const counted = addUp(told.flatMap(toSigns));
    await anomalies.add(counted);
    const nowMs = this.options.clock.now();
    const judging = {
      watches: await readWatches(transaction),
      ...{ startedAt: (startedAt ?? new Date(nowMs)).toISOString(), since: cursor.since.toISOString() },
    };
    const fresh = new Set(counted.map(({ bucket }) => bucket));
    for (const one of findAnomalies(await anomalies.ofSubjects(counted), judging))
      if (isOf(one, fresh)) await this.tell(transaction, one, judging.watches[one.rule]);
    await anomalies.forget(new Date(nowMs - keptMs));
    await anomalies.moveCursor({ log: cursor.log, position: end, startedAt });
    return true;
  }

  private async tellSilence(transaction: Transaction, overdue: readonly Overdue[]): Promise<void> {
    const { silence } = await readWatches(transaction);
    const dues = overdue
      .filter(({ workspace_id }) => workspace_id === transaction.workspaceId)
      .map(({ name, pipeline, due_at }) => ({ schedule: name, pipeline, at: due_at.toISOString() }));
    for (const one of findSilence(dues, this.options.clock.now(), silence)) await this.tell(transaction, one, silence);
  }

  private async tell(transaction: Transaction, one: Anomaly, { playbook }: Watch): Promise<void> {
    const { clock } = this.options;
    const nowMs = clock.now();
    const anomaly = await transaction.anomalies.keep(one, new Date(nowMs));
    if (anomaly === undefined) return;
    const { rule, subject, environment, pipeline, window, amount, expected } = one;
    const at = toTimestamp(nowMs);
    const data = { anomaly, rule, subject, environment: environment || null, pipeline: pipeline || null, window, amount, expected };
    await transaction.audit({ type: 'anomaly.found', at, data });
    await transaction.notifications.note({ type: 'anomaly.found', at, data: { anomaly, rule, environment, pipeline } });
    if (playbook !== undefined) await openIncidents(transaction, one, { anomaly, playbook, clock });
  }
}

interface Overdue {
  readonly workspace_id: string;
  readonly name: string;
  readonly pipeline: string;
  readonly due_at: Date;
}

/** What is too large for an entry is none of what is watched for. */
function toEvent(text: string): Event {
  const event = JSON.parse(text) as Omit<Event, 'data'> & Partial<Pick<Event, 'data'>>;
  return { ...event, data: event.data ?? {} };
}

/** How far back the log goes, as far as it was read. */
function toEarliest(known: Date | null, events: readonly Event[]): Date | null {
  const times = [...(known ? [known.getTime()] : []), ...events.map(({ at }) => Date.parse(at)).filter((at) => !Number.isNaN(at))];
  return times.length === 0 ? null : new Date(Math.min(...times));
}

/** Only of stretches in which something was counted now: of the others it was said. */
const isOf = ({ window, rule }: Anomaly, fresh: ReadonlySet<string>): boolean =>
  rule === 'outside-hours' ? [...fresh].some((bucket) => bucket.slice(0, 10) === window.slice(0, 10)) : fresh.has(window);
