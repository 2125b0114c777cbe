// Who holds the snapshots of a workspace's runs. What is told of one is what another session of the source needs to take it over.
import type { EntityManager } from 'typeorm';

export interface HolderRow {
  readonly id: string;
  /** Null: a process that does nothing else. */
  readonly workerId: string | null;
  readonly moment: string;
  readonly snapshot: string;
  readonly backend: string;
  readonly openedAtMs: number;
  /** Nobody renewed it in time: it ends itself, or is gone. */
  readonly expired: boolean;
}

export class HolderStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  async add(runId: string, row: Omit<HolderRow, 'expired'>, leaseMs: number): Promise<void> {
    const { id, workerId, moment, snapshot, backend, openedAtMs } = row;
    await this.manager.query(
      `INSERT INTO bauta.snapshot_holder (id, workspace_id, run_id, worker_id, moment, snapshot, backend, opened_at_ms, lease_until)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp() + $9 * interval '1 millisecond')`,
      [id, this.workspaceId, runId, workerId, moment, snapshot, backend, openedAtMs, leaseMs],
    );
  }

  /** The newest first. */
  async of(runId: string): Promise<readonly HolderRow[]> {
    return this.manager.query<HolderRow[]>(
      `SELECT id, worker_id AS "workerId", moment, snapshot, backend, opened_at_ms::float8 AS "openedAtMs", lease_until < clock_timestamp() AS expired
       FROM bauta.snapshot_holder WHERE workspace_id = $1 AND run_id = $2 ORDER BY since DESC`,
      [this.workspaceId, runId],
    );
  }

  /** Somebody works on the run: whoever holds its snapshot goes on. */
  async renew(runId: string, leaseMs: number): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.snapshot_holder SET lease_until = clock_timestamp() + $3 * interval '1 millisecond' WHERE workspace_id = $1 AND run_id = $2`,
      [this.workspaceId, runId, leaseMs],
    );
  }

  /** Those of one worker, or all: who has no row any more lets go. */
  async remove(runId: string, workerId?: string): Promise<void> {
    await this.manager.query(
      'DELETE FROM bauta.snapshot_holder WHERE workspace_id = $1 AND run_id = $2 AND ($3::uuid IS NULL OR worker_id = $3)',
      [this.workspaceId, runId, workerId ?? null],
    );
  }

  async removeOne(id: string): Promise<void> {
    await this.manager.query('DELETE FROM bauta.snapshot_holder WHERE workspace_id = $1 AND id = $2', [this.workspaceId, id]);
  }

  /** Whether this one is still wanted. */
  async isWanted(id: string): Promise<boolean> {
    const rows = await this.manager.query<object[]>(
      'SELECT FROM bauta.snapshot_holder WHERE workspace_id = $1 AND id = $2 AND lease_until > clock_timestamp()',
      [this.workspaceId, id],
    );
    return rows.length > 0;
  }
}
