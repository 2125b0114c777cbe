// What is due becomes runs. Every replica looks; of one schedule one of them decides, and the key of a run (pipeline and due instant) is unique besides.
import { nextDue } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import type { ScheduleDefinition } from '../../pipeline/definition.js';
import type { Metadata, ScheduleRow, Transaction } from '../../systems/metadata/metadata.js';
import { requestRun, toLook, toWanted } from '../runs/runs.js';
import { answerDatasets } from '../triggers/triggers.js';
import { type Decided, decide } from './decide.js';
import { getSchedule } from './stored-schedule.js';

const AT_ONCE = 1000;
const SESSIONS = 4;

export interface SchedulerOptions {
  readonly metadata: Metadata;
  readonly clock: Clock;
  /** Told of a schedule that could not be decided; it is due still, at the next tick. */
  readonly failed: (error: unknown) => void;
}

export class Scheduler {
  constructor(private readonly options: SchedulerOptions) {}

  /** Decides everything that is due now, and answers what happened. */
  async tick(): Promise<void> {
    await this.decideDue();
    await answerDatasets(this.options);
  }

  private async decideDue(): Promise<void> {
    const { metadata, clock, failed } = this.options;
    const now = new Date(clock.now());
    const due = await metadata.query<{ workspace_id: string; name: string }>(
      'SELECT workspace_id, name FROM bauta.find_due_schedules($1, $2)',
      [now, AT_ONCE],
    );
    // Each replica begins elsewhere, so that they share the work.
    const from = Math.floor(Math.random() * due.length);
    const waiting = [...due.slice(from), ...due.slice(0, from)];
    const work = async (): Promise<void> => {
      for (let one = waiting.pop(); one; one = waiting.pop()) {
        const { workspace_id, name } = one;
        await metadata.within(workspace_id, (transaction) => this.decide(transaction, name, now)).catch(failed);
      }
    };
    await Promise.all(Array.from({ length: SESSIONS }, work));
  }

  private async decide(transaction: Transaction, name: string, now: Date): Promise<void> {
    const row = await transaction.schedules.lockDue(name, now);
    if (!row) return;
    const schedule = await getSchedule(transaction, row);
    if (!schedule.overlap && (await transaction.schedules.isRunning(schedule.pipeline))) return;
    const decided = decide(schedule, schedule, row.decidedTo.getTime(), now.getTime());
    let lastRunId: string | null = null;
    for (const dueAt of decided.run) {
      if (schedule.when === 'schema-changed') {
        await transaction.run(toLook(transaction.workspaceId, row, dueAt));
        continue;
      }
      const id = await this.request(transaction, schedule, row, dueAt, now);
      // Another schedule of the pipeline was first: the run that is there is the one for this instant.
      if (id === undefined) await this.tellSkipped(transaction, row, 'taken', { count: 1, from: dueAt, to: dueAt }, now);
      lastRunId = id ?? lastRunId;
    }
    if (decided.skipped) await this.tellSkipped(transaction, row, 'missed', decided.skipped, now);
    await transaction.schedules.decide(name, decided.decidedTo, nextDue(schedule, decided.decidedTo.getTime()), lastRunId);
  }

  private request(
    transaction: Transaction,
    { pipeline, parameters }: ScheduleDefinition,
    { name, version }: ScheduleRow,
    dueAt: Date,
    now: Date,
  ): Promise<string | undefined> {
    const cause = { kind: 'Schedule', name, version };
    return requestRun(transaction, {
      pipeline,
      requestedBy: null,
      dueAt,
      cause,
      nowMs: now.getTime(),
      ...toWanted(parameters, dueAt.getTime()),
    });
  }

  private tellSkipped(
    transaction: Transaction,
    { name, version }: ScheduleRow,
    reason: 'missed' | 'taken',
    { count, from, to }: NonNullable<Decided['skipped']>,
    now: Date,
  ): Promise<void> {
    const data = { schedule: name, version, reason, count, from: from.toISOString(), to: to.toISOString() };
    return transaction.audit({ type: 'schedule.skipped', at: toTimestamp(now.getTime()), data });
  }
}
