// Schedules of a workspace: what the clock has decided of each. What a schedule says is its document.
import type { EntityManager } from 'typeorm';

export interface ScheduleRow {
  readonly name: string;
  readonly version: number;
  /** Every instant up to here is decided: there is a run for it, or it was skipped. */
  readonly decidedTo: Date;
  /** Null: paused, or never again. */
  readonly nextDueAt: Date | null;
  readonly lastRunId: string | null;
  /** Of the source as it was when somebody looked last; null: nobody did. */
  readonly catalogueDigest: string | null;
  readonly pausedAt: Date | null;
  /** A person's id. */
  readonly pausedBy: string | null;
}

const columns = `name, version, decided_to AS "decidedTo", next_due_at AS "nextDueAt", last_run_id AS "lastRunId",
  catalogue_digest AS "catalogueDigest",
  paused_at AS "pausedAt", paused_by AS "pausedBy"`;

export class ScheduleStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** A version was applied. One that is paused stays paused. */
  async put(row: {
    readonly name: string;
    readonly version: number;
    readonly pipeline: string;
    readonly overlap: boolean;
    readonly decidedTo: Date;
    readonly nextDueAt: Date | null;
  }): Promise<void> {
    const { name, version, pipeline, overlap, decidedTo, nextDueAt } = row;
    await this.manager.query(
      `INSERT INTO bauta.schedule AS s (workspace_id, name, version, pipeline, overlap, decided_to, next_due_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (workspace_id, name) DO UPDATE SET version = $3, pipeline = $4, overlap = $5, decided_to = $6,
         catalogue_digest = CASE WHEN s.pipeline = $4 THEN s.catalogue_digest END,
         next_due_at = CASE WHEN s.paused_at IS NULL THEN $7::timestamptz END`,
      [this.workspaceId, name, version, pipeline, overlap, decidedTo, nextDueAt],
    );
  }

  async find(name: string): Promise<ScheduleRow | undefined> {
    return (await this.among([name]))[0];
  }

  async among(names: readonly string[]): Promise<readonly ScheduleRow[]> {
    return this.select('name = ANY ($2::text[])', names);
  }

  /** For a change; waits for who changes it now. */
  async lock(name: string): Promise<ScheduleRow | undefined> {
    return (await this.select('name = ANY ($2::text[]) FOR UPDATE', [name]))[0];
  }

  /** For the clock: undefined when another replica has it, or when it is not due any more. */
  async lockDue(name: string, at: Date): Promise<ScheduleRow | undefined> {
    return (await this.select('name = ANY ($2::text[]) AND next_due_at <= $3 FOR UPDATE SKIP LOCKED', [name], at))[0];
  }

  async decide(name: string, decidedTo: Date, nextDueAt: Date | null, lastRunId: string | null): Promise<void> {
    await this.manager.query(
      'UPDATE bauta.schedule SET decided_to = $3, next_due_at = $4, last_run_id = coalesce($5, last_run_id) WHERE workspace_id = $1 AND name = $2',
      [this.workspaceId, name, decidedTo, nextDueAt, lastRunId],
    );
  }

  async keepCatalogue(name: string, digest: string, lastRunId: string | null): Promise<void> {
    await this.manager.query(
      'UPDATE bauta.schedule SET catalogue_digest = $3, last_run_id = coalesce($4, last_run_id) WHERE workspace_id = $1 AND name = $2',
      [this.workspaceId, name, digest, lastRunId],
    );
  }

  async pause(name: string, at: Date, personId: string): Promise<void> {
    await this.manager.query(
      'UPDATE bauta.schedule SET paused_at = $3, paused_by = $4, next_due_at = NULL WHERE workspace_id = $1 AND name = $2',
      [this.workspaceId, name, at, personId],
    );
  }

  /** What was due in between is decided: nothing of it is run. */
  async resume(name: string, decidedTo: Date, nextDueAt: Date | null): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.schedule SET paused_at = NULL, paused_by = NULL, decided_to = $3, next_due_at = $4 WHERE workspace_id = $1 AND name = $2`,
      [this.workspaceId, name, decidedTo, nextDueAt],
    );
  }

  /** Is there a run of the pipeline that has not ended? Until the transaction ends no other schedule gets an answer for that pipeline. */
  async isRunning(pipeline: string): Promise<boolean> {
    await this.manager.query(`SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('bauta run ' || $1 || ' ' || $2, 0))`, [
      this.workspaceId,
      pipeline,
    ]);
    const found = await this.manager.query<unknown[]>(
      'SELECT FROM bauta.run WHERE workspace_id = $1 AND pipeline = $2 AND ended_at IS NULL LIMIT 1',
      [this.workspaceId, pipeline],
    );
    return found.length > 0;
  }

  private select(condition: string, names: readonly string[], at?: Date): Promise<readonly ScheduleRow[]> {
    return this.manager.query<ScheduleRow[]>(`SELECT ${columns} FROM bauta.schedule WHERE workspace_id = $1 AND ${condition}`, [
      ...[this.workspaceId, names],
      ...(at ? [at] : []),
    ]);
  }
}
