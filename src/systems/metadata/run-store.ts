// Runs of a workspace. A state changes in one place only, with its event and its place in the outbox, in the caller's transaction.
import type { EntityManager } from 'typeorm';

import type { Json } from '../../kernel/canonical-json.js';
import { toError } from '../../kernel/errors.js';
import { toLogged } from '../../pipeline/erasable.js';
import { tagClasses } from '../../pipeline/tags.js';
import { RunEventEntity } from './run-event.entity.js';
import { type RunState, isAllowed, isEnded, isResting } from './run-state.js';
import { type DocumentRef, RunEntity } from './run.entity.js';

/** `Transaction` has it; a store does not import what it is a part of. */
interface Log {
  /** Where a text can be erased; gives what stands for it. */
  readonly keepText: (text: string) => Promise<string>;
}
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
  /** The reference of the source. */
  readonly source?: string;
  /** Classes of tags that it touches; without them it waits for a worker that may touch everything. */
  readonly tags?: readonly string[];
  /** 0 to 9. */
  readonly priority?: number;
  readonly deadlineAt?: Date | null;
  readonly rerunOf?: string | null;
  readonly traceparent?: string | null;
  readonly reuse?: boolean;
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
  /** What went into staging so far, from whoever moved it; else what was last told of it. */
  readonly moved?: Moved;
  /** To `queued`: claimed not before. */
  readonly notBefore?: Date;
  /** To `queued`: after a failure that time can mend. */
  readonly retry?: boolean;
  /** To `queued` or `paused`: of a worker that is gone and may have left something on the target. */
  readonly abandoned?: boolean;
  /** A line for people. */
  readonly line?: string;
}

export interface Moved {
  readonly rows: number;
  readonly bytes: number;
  /** Ranges that nobody has loaded yet. */
  readonly openRanges?: number;
}

/** One line of what a run said: names, counts and codes, never a value of a row. */
export interface RunLine {
  readonly at: string;
  readonly attempt: number;
  readonly state: RunState;
  readonly text: string;
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

/** A transition with what is told of the stage that it ended. */
export interface RunStep extends RunEventView {
  readonly workerId: string | null;
  readonly rows: number | null;
  readonly bytes: number | null;
}

/** One thing that is told of a run while it goes: `Told` of the data plane. */
export interface RunTold {
  readonly seq: number;
  readonly attempt: number;
  readonly told: Json;
}

const LINES = 1000;

export class RunStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
    private readonly audit: Audit,
    private readonly log: Log,
  ) {}

  /** False when a run of this pipeline for this instant is there already. */
  async insert(run: NewRun): Promise<boolean> {
    const { source = '', tags = null, priority = 5, deadlineAt = null, rerunOf = null, traceparent = null, reuse = false } = run;
    const { id, pipeline, documents, environment, requestedBy, dueAt, cause } = run;
    const made = await this.manager.query<unknown[]>(
      `INSERT INTO bauta.run (id, workspace_id, pipeline, documents, environment, requested_by, due_at, source, tags, priority, deadline_at,
         rerun_of, cause, traceparent, reuse)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9::text[], '{${tagClasses.join(',')}}'), $10, $11, $12, $13, $14, $15)
       ON CONFLICT (workspace_id, pipeline, due_at) DO NOTHING RETURNING id`,
      [
        ...[id, this.workspaceId, pipeline, JSON.stringify(documents), environment, requestedBy, dueAt],
        ...[source, tags, priority, deadlineAt, rerunOf],
        cause ? JSON.stringify(cause) : null,
        ...[traceparent, reuse],
      ],
    );
    if (made.length === 0) return false;
    await this.append(id, 'queued', 1, null);
    const wanted = reuse ? { reuse: 'wanted' } : {};
    const by = cause ? { cause: `${cause.kind} ${cause.name} version ${cause.version}` } : {};
    await this.audit(
      'run.queued',
      { run: id, pipeline, attempt: 1, due: dueAt?.toISOString() ?? null, priority, rerunOf, ...wanted, ...by },
      requestedBy ?? undefined,
    );
    return true;
  }

  /** Throws RUN_TRANSITION_ILLEGAL, or RUN_TAKEN_OVER where `held` does not hold. Locks the run until the transaction ends. */
  async transition(id: string, move: Move): Promise<RunRow> {
    const { to, actor, held, workerId, moved, line, summary } = move;
    const run = await this.lock(id);
    if (held && (run.workerId !== held.workerId || run.attempt !== held.attempt)) throw toError('RUN_TAKEN_OVER', { run: id });
    if (!isAllowed(run.state, to)) throw toError('RUN_TRANSITION_ILLEGAL', { run: id, name: run.state, expected: to });
    const attempt = to === 'queued' ? run.attempt + 1 : run.attempt;
    const worker = isResting(to) ? null : (workerId ?? run.workerId);
    if (line !== undefined) await this.say(id, line);
    await this.manager
      .createQueryBuilder()
      .update(RunEntity)
      .set({ state: to, attempt, workerId: worker, ...toChanges(run, move), ...(summary ? { summary: await this.keep(summary) } : {}) })
      .where('id = :id', { id })
      .execute();
    const told = moved ?? { rows: Number(run.movedRows), bytes: Number(run.movedBytes) };
    await this.append(id, to, attempt, worker, run.state === 'extracting' ? told : undefined);
    await this.audit(`run.${to}`, { run: id, from: run.state, attempt }, actor);
    return { ...run, state: to, attempt, workerId: worker };
  }

  async find(id: string): Promise<RunRow | undefined> {
    return ((await this.manager.findOneBy(RunEntity, { id, workspaceId: this.workspaceId })) ?? undefined) as RunRow | undefined;
  }

  /** Newest first: ids sort by time, as bytes. Whatever the filter, an index has them in that order. */
  async list(limit: number, { pipeline, state, environments }: RunFilter, before?: string): Promise<readonly RunRow[]> {
    const query = this.manager
      .createQueryBuilder(RunEntity, 'r')
      .where('r.workspaceId = :workspaceId', { workspaceId: this.workspaceId })
      .orderBy('r.id COLLATE "C"', 'DESC')
      .limit(limit);
    if (pipeline !== undefined) query.andWhere('r.pipeline = :pipeline', { pipeline });
    if (state !== undefined) query.andWhere('r.state = :state', { state });
    if (environments !== undefined) query.andWhere('r.environment = ANY (:environments)', { environments });
    if (before !== undefined) query.andWhere('r.id COLLATE "C" < :before', { before });
    return (await query.getMany()) as unknown as readonly RunRow[];
  }

  /** How many there are in each state; states without one are left out. Reads a tally, not the runs. */
  async count(): Promise<readonly { readonly state: RunState; readonly count: number }[]> {
    const rows = await this.manager.query<{ state: RunState; count: string }[]>(
      'SELECT state, sum(runs) AS count FROM bauta.run_tally WHERE workspace_id = $1 GROUP BY state HAVING sum(runs) > 0 ORDER BY state',
      [this.workspaceId],
    );
    return rows.map(({ state, count }) => ({ state, count: Number(count) }));
  }

  /** What a list of something else says of its runs. */
  async among(ids: readonly string[]): Promise<readonly Pick<RunRow, 'id' | 'state' | 'dueAt'>[]> {
    if (ids.length === 0) return [];
    return this.manager.query<Pick<RunRow, 'id' | 'state' | 'dueAt'>[]>(
      'SELECT id, state, due_at AS "dueAt" FROM bauta.run WHERE workspace_id = $1 AND id = ANY ($2::text[])',
      [this.workspaceId, ids],
    );
  }

  async events(id: string, after: number): Promise<readonly RunEventView[]> {
    const rows = await this.manager
      .createQueryBuilder(RunEventEntity, 'e')
      .where('e.runId = :id AND e.workspaceId = :workspaceId AND e.seq > :after', { id, workspaceId: this.workspaceId, after })
      .orderBy('e.seq')
      .getMany();
    return rows.map(({ seq, at, state, attempt }) => ({ seq, at: at.toISOString(), state: state as RunState, attempt }));
  }

  /** Every transition, oldest first, with what the stages moved. */
  async steps(id: string): Promise<readonly RunStep[]> {
    const rows = await this.manager.find(RunEventEntity, { where: { runId: id, workspaceId: this.workspaceId }, order: { seq: 'ASC' } });
    const count = (text: string | null): number | null => (text === null ? null : Number(text));
    return rows.map(({ seq, at, state, attempt, workerId, rows: moved, bytes }) => ({
      ...{ seq, at: at.toISOString(), state: state as RunState, attempt, workerId, rows: count(moved), bytes: count(bytes) },
    }));
  }

  /** The newest lines, oldest first, and how many there are. */
  async lines(id: string): Promise<{ readonly lines: readonly RunLine[]; readonly of: number }> {
    const rows = await this.manager.query<{ at: Date; attempt: number; state: RunState; text: string; of: number }[]>(
      `SELECT at, attempt, state, text, count(*) OVER ()::integer AS of FROM bauta.run_line WHERE run_id = $1 AND workspace_id = $2
       ORDER BY seq DESC LIMIT ${LINES}`,
      [id, this.workspaceId],
    );
    const lines = rows.map(({ at, attempt, state, text }) => ({ at: at.toISOString(), attempt, state, text })).reverse();
    return { lines, of: rows[0]?.of ?? 0 };
  }

  /** A line in the stage in which the run is now. */
  async say(id: string, text: string): Promise<void> {
    await this.manager.query(
      `INSERT INTO bauta.run_line (workspace_id, run_id, attempt, state, text)
       SELECT workspace_id, id, attempt, state, $3 FROM bauta.run WHERE id = $1 AND workspace_id = $2`,
      [id, this.workspaceId, text],
    );
  }

  /** What is told to whoever follows the run; after `after`, in order. */
  async told(id: string, after: number): Promise<readonly RunTold[]> {
    return this.manager.query<RunTold[]>(
      'SELECT seq, attempt, told FROM bauta.run_told WHERE run_id = $1 AND workspace_id = $2 AND seq > $3 ORDER BY seq',
      [id, this.workspaceId, after],
    );
  }

  /** Of one worker only: the one that has the run in this attempt. */
  async tell(id: string, attempt: number, told: Json): Promise<void> {
    await this.manager.query(
      `INSERT INTO bauta.run_told (workspace_id, run_id, seq, attempt, told)
       SELECT r.workspace_id, r.id, (SELECT coalesce(max(t.seq), 0) + 1 FROM bauta.run_told t WHERE t.run_id = r.id), $3, $4
       FROM bauta.run r WHERE r.id = $1 AND r.workspace_id = $2 AND r.attempt = $3`,
      [id, this.workspaceId, attempt, JSON.stringify(await this.keep(told as object))],
    );
  }

  /** MUST be called with the run locked. */
  async markLate(run: RunRow): Promise<void> {
    await this.manager.update(RunEntity, { id: run.id, workspaceId: this.workspaceId }, { lateAt: new Date() });
    await this.say(run.id, `late: it was to have ended by ${run.deadlineAt?.toISOString() ?? ''}`);
    const { id, pipeline, state, attempt, deadlineAt } = run;
    await this.audit('run.late', { run: id, pipeline, state, attempt, deadline: deadlineAt?.toISOString() ?? null });
  }

  async requestPause(id: string): Promise<void> {
    await this.manager.update(RunEntity, { id, workspaceId: this.workspaceId }, { pauseRequestedAt: new Date() });
  }

  /** Classes of tags that were found to be touched beside those that the documents name. */
  async addTags(id: string, tags: readonly string[]): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.run SET tags = ARRAY(SELECT DISTINCT t FROM unnest(tags || $3::text[]) AS t ORDER BY t) WHERE id = $1 AND workspace_id = $2`,
      [id, this.workspaceId, tags],
    );
  }

  async requestCancel(id: string): Promise<void> {
    await this.manager.update(RunEntity, { id, workspaceId: this.workspaceId }, { cancelRequestedAt: new Date() });
  }

  async setMoved(id: string, { rows, bytes, openRanges = 0 }: Moved): Promise<void> {
    const moved = { movedRows: String(rows), movedBytes: String(bytes), openRanges };
    await this.manager.update(RunEntity, { id, workspaceId: this.workspaceId }, moved);
  }

  /** Throws RESOURCE_UNKNOWN. The row stays locked until the transaction ends. */
  async lock(id: string): Promise<RunRow> {
    const where = { id, workspaceId: this.workspaceId };
    const run = await this.manager.findOne(RunEntity, { where, lock: { mode: 'pessimistic_write' } });
    if (!run) throw toError('RESOURCE_UNKNOWN', { type: 'run' });
    return run as unknown as RunRow;
  }

  /** What people wrote in it stands elsewhere, where it can be erased: `LogStore.withTexts` gives it back. */
  private async keep(said: object): Promise<object> {
    const kept = new Map<string, Promise<string>>();
    const keep = (text: string): Promise<string> => {
      const known = kept.get(text) ?? this.log.keepText(text);
      kept.set(text, known);
      return known;
    };
    return (await toLogged(JSON.parse(JSON.stringify(said)) as Json, keep)) as object;
  }

  private async append(runId: string, state: RunState, attempt: number, workerId: string | null, moved?: Moved): Promise<void> {
    await this.manager.query(
      `INSERT INTO bauta.run_event (workspace_id, run_id, seq, state, attempt, worker_id, rows, bytes)
       SELECT $1, $2, coalesce(max(seq), 0) + 1, $3, $4, $5, $6, $7 FROM bauta.run_event WHERE run_id = $2`,
      [this.workspaceId, runId, state, attempt, workerId, moved?.rows ?? null, moved?.bytes ?? null],
    );
  }
}

/** What a transition changes beside state, attempt and worker. */
function toChanges(run: RunRow, { to, moved, notBefore, retry, abandoned }: Move): Partial<RunEntity> {
  const now = new Date();
  const idle = to === 'queued' || to === 'paused';
  return {
    ...(to === 'planning' ? { startedAt: now } : {}),
    ...(to === 'extracting' ? { abandoned: false } : {}),
    ...(idle ? { movedRows: '0', movedBytes: '0', notBefore: notBefore ?? null, pauseRequestedAt: null } : {}),
    ...(idle && abandoned ? { abandoned } : {}),
    ...(retry ? { retries: run.retries + 1 } : {}),
    ...(moved && !idle ? { movedRows: String(moved.rows), movedBytes: String(moved.bytes) } : {}),
    ...(isEnded(to) ? { endedAt: now } : {}),
  };
}
