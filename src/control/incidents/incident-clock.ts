// What a playbook says is done about each incident, step by step, until every step has ended. Every process looks; the incident's row lets one of them
// take a step, and what the step changes is one transaction with that it was taken. So who dies leaves it as it was before the step, and the next look
// of anybody goes on. What keeps people from the copy waits for nothing; evidence is collected when that has ended, however it did.
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError, toKnownError } from '../../kernel/errors.js';
import { isolating } from '../../pipeline/playbook.js';
import type { IncidentRow, IncidentStep, Metadata, Transaction } from '../../systems/metadata/metadata.js';
import { Rounds } from '../rounds.js';
import { type Taken, takeStep } from './take-step.js';

const LOOK_MS = 2000;
/** A step that is not at its end by then, however often it was tried, has failed; the others do not wait for it any more. */
const LONGEST_MS = 10 * 60_000;

export interface IncidentClockOptions {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly approvalHours: number;
  /** Told of every failure; the next look tries again. */
  readonly failed: (error: unknown) => void;
  /** For tests: how often it looks by itself; 0: never. */
  readonly lookMs?: number;
}

export class IncidentClock {
  private readonly rounds: Rounds;

  constructor(private readonly options: IncidentClockOptions) {
    this.rounds = new Rounds(() => this.lookOnce(), options.lookMs ?? LOOK_MS, options.failed);
  }

  /** Never throws. */
  look(): Promise<void> {
    return this.rounds.run();
  }

  stop(): Promise<void> {
    return this.rounds.stop();
  }

  private async lookOnce(): Promise<void> {
    const { metadata, failed } = this.options;
    const found = await metadata.query<{ workspace_id: string; id: string }>(
      'SELECT workspace_id, id FROM bauta.find_incidents_under_way()',
    );
    for (const { workspace_id, id } of found) await this.goOn(workspace_id, id).catch(failed);
  }

  private async goOn(workspace: string, id: string): Promise<void> {
    const steps = await this.options.metadata.within(workspace, ({ incidents }) => incidents.steps(id));
    for (const { position } of steps) if (!(await this.take(workspace, id, position))) return;
  }

  /** False: another process is at this incident. */
  private async take(workspace: string, id: string, position: number): Promise<boolean> {
    const { metadata } = this.options;
    try {
      return await metadata.within(workspace, (transaction) =>
        this.withStep(transaction, id, position, async (incident, step, steps) => {
          const { clock, approvalHours } = this.options;
          const taken = await takeStep({ transaction, incident, step, steps, clock, approvalHours });
          await this.keep(transaction, incident, step, taken);
        }),
      );
    } catch (error) {
      // What the step had changed is undone with its transaction; that it went wrong is one of its own.
      const { code, class: kind } = toKnownError(error);
      return metadata.within(workspace, (transaction) =>
        this.withStep(transaction, id, position, async (incident, step) => {
          const isLast = kind !== 'UnavailableError' || this.isLate(step);
          await this.keep(transaction, incident, { ...step, tries: step.tries + 1 }, { state: isLast ? 'failed' : 'waiting', error: code });
        }),
      );
    }
  }

  private async withStep(
    { incidents }: Transaction,
    id: string,
    position: number,
    work: (incident: IncidentRow, step: IncidentStep, steps: readonly IncidentStep[]) => Promise<void>,
  ): Promise<boolean> {
    const incident = await incidents.find(id, 'FOR UPDATE SKIP LOCKED');
    if (!incident) return false;
    const steps = await incidents.steps(id);
    const step = steps.find((one) => one.position === position);
    if (step && step.endedAt === null && mayBegin(step, steps)) await work(incident, step, steps);
    return true;
  }

  private isLate({ startedAt }: IncidentStep): boolean {
    return startedAt !== null && this.options.clock.now() - startedAt.getTime() > LONGEST_MS;
  }

  private async keep(
    transaction: Transaction,
    incident: IncidentRow,
    step: IncidentStep,
    { state, detail, errand, error }: Taken,
  ): Promise<void> {
    const now = new Date(this.options.clock.now());
    const startedAt = step.startedAt ?? now;
    const [ended, code] =
      state === 'asked' && this.isLate(step)
        ? (['failed', toError('INCIDENT_STEP_LATE', { name: step.step }).code] as const)
        : [state, error ?? null];
    const isEnded = ended !== 'waiting' && ended !== 'asked';
    await transaction.incidents.keepStep(incident.id, {
      ...{ ...step, state: ended, error: code, detail: detail ?? step.detail, startedAt, endedAt: isEnded ? now : null },
      errand: errand === undefined ? step.errand : errand,
    });
    if (!isEnded) return;
    const { id, rule, environment, pipeline } = incident;
    const at = toTimestamp(now.getTime());
    const data = {
      incident: id,
      rule,
      environment,
      dataset: pipeline,
      step: step.step,
      outcome: ended,
      error: code,
      detail: detail ?? step.detail,
    };
    await transaction.audit({ type: 'incident.step', at, data });
    if (ended === 'failed')
      await transaction.notifications.note({
        ...{ type: 'incident.step-failed', at },
        data: { incident: id, rule, environment, pipeline, step: step.step, ...(code === null ? {} : { code }) },
      });
  }
}

/** What isolates waits for nothing; the rest for what stands before it and isolates, whether that was done or failed. */
const mayBegin = ({ step, position }: IncidentStep, steps: readonly IncidentStep[]): boolean =>
  isolating.has(step) || steps.every((one) => one.position >= position || one.endedAt !== null);
