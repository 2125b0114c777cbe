// Holds on dataset versions of a workspace: one at a time for each. The log has every one of them; here is which stands.
import type { EntityManager } from 'typeorm';

export interface HoldRow {
  readonly id: string;
  readonly runId: string;
  readonly until: Date;
  readonly placedAt: Date;
}

export interface NewHold {
  /** A commitment: the text can be erased. */
  readonly reason: string;
  readonly placedBy: string;
  readonly until: Date;
}

export class HoldStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** Undefined: nothing holds it at that instant. MUST be in a transaction that locked the version. */
  async find(runId: string, at: Date): Promise<HoldRow | undefined> {
    const [row] = await this.manager.query<HoldRow[]>(
      `SELECT id, run_id AS "runId", until, placed_at AS "placedAt" FROM bauta.hold
       WHERE workspace_id = $1 AND run_id = $2 AND lifted_at IS NULL AND until > $3`,
      [this.workspaceId, runId, at],
    );
    return row;
  }

  /** In the place of the one before, which is over or ends earlier. MUST be in a transaction that locked the version. */
  async place(runId: string, { reason, placedBy, until }: NewHold): Promise<void> {
    await this.manager.query(
      `INSERT INTO bauta.hold (workspace_id, run_id, reason, placed_by, until) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (workspace_id, run_id) WHERE lifted_at IS NULL
       DO UPDATE SET reason = excluded.reason, placed_by = excluded.placed_by, until = excluded.until, placed_at = clock_timestamp()`,
      [this.workspaceId, runId, reason, placedBy, until],
    );
  }

  async lift(id: string, liftedBy: string): Promise<void> {
    await this.manager.query(
      'UPDATE bauta.hold SET lifted_at = clock_timestamp(), lifted_by = $3 WHERE workspace_id = $1 AND id = $2 AND lifted_at IS NULL',
      [this.workspaceId, id, liftedBy],
    );
  }
}
