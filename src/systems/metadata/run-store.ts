// Runs of a workspace. A state changes in one place only, with its event and its place in the outbox, in the caller's transaction.
import { type EntityManager, In, LessThan } from 'typeorm';

import { toError } from '../../kernel/errors.js';
import { RunEventEntity } from './run-event.entity.js';
import { type RunState, isAllowed, isEnded, isResting } from './run-state.js';
import { type DocumentRef, RunEntity } from './run.entity.js';

/** `Transaction` has it; a store does not import what it is a part of. */
type Audit = (type: string, data: Readonly<Record<string, string | number | null>>, actor?: string) => Promise<void>;

export interface RunRow extends Readonly<Omit<RunEntity, 'state'>> {
  readonly state: RunState;
}

export interface NewRun {
  readonly id: string;
  readonly pipeline: string;
  readonly documents: readonly DocumentRef[];
  readonly environment: string;
  readonly requestedBy: string | null;
  readonly dueAt: Date | null;
  /** Absent: a person. */
  readonly cause?: DocumentRef;
}

/** What a transition is made on: a worker names itself and the attempt it was given, and is refused when either is not so any more. */
export interface Move {
  readonly to: RunState;
  readonly actor?: string;
  /** Only if this worker has the run in this attempt. */
  readonly held?: { readonly workerId: string; readonly attempt: number };
  /** The worker that takes it. */
  readonly workerId?: string;
  readonly summary?: object;
}

export interface RunFilter {
  readonly pipeline?: string;
  readonly state?: string;
  readonly environments?: readonly string[];
}

export interface RunEventView {
  readonly seq: number;
  readonly at: string;
  readonly state: RunState;
  readonly attempt: number;
}

export class RunStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
    private readonly audit: Audit,
  ) {}

  /** False when a run of this pipeline for this instant is there already. */
  async insert(run: NewRun): Promise<boolean> {
    const { id, pipeline, documents, environment, requestedBy, dueAt, cause } = run;
    const made = await this.manager.query<unknown[]>(
      `INSERT INTO bauta.run (id, workspace_id, pipeline, documents, environment, requested_by, due_at, cause)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (workspace_id, pipeline, due_at) DO NOTHING RETURNING id`,
      [
        ...[id, this.workspaceId, pipeline, JSON.stringify(documents), environment, requestedBy, dueAt],
        cause ? JSON.stringify(cause) : null,
      ],
    );
    if (made.length === 0) return false;
    await this.append(id, 'queued', 1, null);
    const by = cause ? { cause: `${cause.kind} ${cause.name} version ${cause.version}` } : {};
    await this.audit('run.queued', { run: id, pipeline, attempt: 1, due: dueAt?.toISOString() ?? null, ...by }, requestedBy ?? undefined);
    return true;
  }

  /** Throws RUN_TRANSITION_ILLEGAL, or RUN_TAKEN_OVER where `held` does not hold. Locks the run until the transaction ends. */
  async transition(id: string, { to, actor, held, workerId, summary }: Move): Promise<RunRow> {
    const run = await this.lock(id);
    if (held && (run.workerId !== held.workerId || run.attempt !== held.attempt)) throw toError('RUN_TAKEN_OVER', { run: id });
    if (!isAllowed(run.state, to)) throw toError('RUN_TRANSITION_ILLEGAL', { run: id, name: run.state, expected: to });
    const now = new Date();
    const attempt = to === 'queued' ? run.attempt + 1 : run.attempt;
    const worker = isResting(to) ? null : (workerId ?? run.workerId);
    await this.manager
      .createQueryBuilder()
      .update(RunEntity)
      .set({
        ...{ state: to, attempt, workerId: worker },
        ...(to === 'planning' ? { startedAt: now } : {}),
        ...(to === 'queued' ? { movedRows: '0' } : {}),
        ...(isEnded(to) ? { endedAt: now } : {}),
        ...(summary ? { summary } : {}),
      })
      .where('id = :id', { id })
      .execute();
    await this.append(id, to, attempt, worker);
    await this.audit(`run.${to}`, { run: id, from: run.state, attempt }, actor);
    return { ...run, state: to, attempt, workerId: worker };
  }

  async find(id: string): Promise<RunRow | undefined> {
    return ((await this.manager.findOneBy(RunEntity, { id, workspaceId: this.workspaceId })) ?? undefined) as RunRow | undefined;
  }

  /** Newest first: ids sort by time. */
  async list(limit: number, { environments, ...filter }: RunFilter, before?: string): Promise<readonly RunRow[]> {
    const where = {
      ...{ workspaceId: this.workspaceId, ...filter },
      ...(environments === undefined ? {} : { environment: In([...environments]) }),
      ...(before === undefined ? {} : { id: LessThan(before) }),
    };
    return (await this.manager.find(RunEntity, { where, order: { id: 'DESC' }, take: limit })) as unknown as readonly RunRow[];
  }

  async events(id: string, after: number): Promise<readonly RunEventView[]> {
    const rows = await this.manager
      .createQueryBuilder(RunEventEntity, 'e')
      .where('e.runId = :id AND e.workspaceId = :workspaceId AND e.seq > :after', { id, workspaceId: this.workspaceId, after })
      .orderBy('e.seq')
      .getMany();
    return rows.map(({ seq, at, state, attempt }) => ({ seq, at: at.toISOString(), state: state as RunState, attempt }));
  }

  async requestCancel(id: string): Promise<void> {
    await this.manager.update(RunEntity, { id, workspaceId: this.workspaceId }, { cancelRequestedAt: new Date() });
  }

  async setMovedRows(id: string, rows: number): Promise<void> {
    await this.manager.update(RunEntity, { id, workspaceId: this.workspaceId }, { movedRows: String(rows) });
  }

  /** Throws RESOURCE_UNKNOWN. The row stays locked until the transaction ends. */
  async lock(id: string): Promise<RunRow> {
    const where = { id, workspaceId: this.workspaceId };
    const run = await this.manager.findOne(RunEntity, { where, lock: { mode: 'pessimistic_write' } });
    if (!run) throw toError('RESOURCE_UNKNOWN', { type: 'run' });
    return run as unknown as RunRow;
  }

  private async append(runId: string, state: RunState, attempt: number, workerId: string | null): Promise<void> {
    await this.manager.query(
      `INSERT INTO bauta.run_event (workspace_id, run_id, seq, state, attempt, worker_id)
       SELECT $1, $2, coalesce(max(seq), 0) + 1, $3, $4, $5 FROM bauta.run_event WHERE run_id = $2`,
      [this.workspaceId, runId, state, attempt, workerId],
    );
  }
}
