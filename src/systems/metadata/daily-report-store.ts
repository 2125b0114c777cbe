// Daily reports of a workspace: one row for each period, made once by whoever has it.
import type { EntityManager } from 'typeorm';

export interface NewDailyReport {
  /** The last day of the period, on the clocks of its zone: 2026-11-21. */
  readonly day: string;
  readonly from: Date;
  readonly to: Date;
  readonly zone: string;
  /** By which the entry that it is due is found in the log. */
  readonly key: string;
}

export interface StoredPaper {
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface DailyReportRow extends NewDailyReport {
  readonly attempts: number;
  readonly nextAt: Date;
  /** Why it could not be made at the last attempt. */
  readonly code: string | null;
  readonly madeAt: Date | null;
  /** Of the store. */
  readonly folder: string | null;
  readonly files: readonly StoredPaper[] | null;
}

const columns = `day, period_from AS "from", period_to AS "to", zone, key, attempts, next_at AS "nextAt", code, made_at AS "madeAt", folder, files`;

export class DailyReportStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** False: another process was first. */
  async insert({ day, from, to, zone, key }: NewDailyReport): Promise<boolean> {
    const rows = await this.manager.query<unknown[]>(
      `INSERT INTO bauta.daily_report (workspace_id, day, period_from, period_to, zone, key, next_at) VALUES ($1, $2, $3, $4, $5, $6, $4)
       ON CONFLICT DO NOTHING RETURNING day`,
      [this.workspaceId, day, from, to, zone, key],
    );
    return rows.length > 0;
  }

  /** Ours, unless it is made, or somebody is at it who was heard within `silentMs`. */
  async claim(day: string, holder: string, silentMs: number): Promise<DailyReportRow | undefined> {
    const [[row]] = await this.manager.query<[DailyReportRow[], number]>(
      `UPDATE bauta.daily_report SET holder = $3, heard_at = clock_timestamp(), attempts = attempts + 1
       WHERE workspace_id = $1 AND day = $2 AND made_at IS NULL
         AND (holder IS NULL OR heard_at <= clock_timestamp() - $4 * interval '1 millisecond') RETURNING ${columns}`,
      [this.workspaceId, day, holder, silentMs],
    );
    return row;
  }

  async hear(day: string, holder: string): Promise<void> {
    await this.manager.query(
      'UPDATE bauta.daily_report SET heard_at = clock_timestamp() WHERE workspace_id = $1 AND day = $2 AND holder = $3 AND made_at IS NULL',
      [this.workspaceId, day, holder],
    );
  }

  /** False: somebody else has it meanwhile, or made it. */
  async end(
    day: string,
    holder: string,
    made: { readonly at: Date; readonly folder: string; readonly files: readonly StoredPaper[] },
  ): Promise<boolean> {
    const [, count] = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.daily_report SET made_at = $4, folder = $5, files = $6, holder = NULL, code = NULL
       WHERE workspace_id = $1 AND day = $2 AND holder = $3 AND made_at IS NULL`,
      [this.workspaceId, day, holder, made.at, made.folder, JSON.stringify(made.files)],
    );
    return count === 1;
  }

  /** False: somebody else has it meanwhile, or made it. */
  async fail(day: string, holder: string, code: string | null, nextAt: Date): Promise<boolean> {
    const [, count] = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.daily_report SET code = $4, next_at = $5, holder = NULL
       WHERE workspace_id = $1 AND day = $2 AND holder = $3 AND made_at IS NULL`,
      [this.workspaceId, day, holder, code, nextAt],
    );
    return count === 1;
  }

  async find(day: string): Promise<DailyReportRow | undefined> {
    const [row] = await this.manager.query<DailyReportRow[]>(
      `SELECT ${columns} FROM bauta.daily_report WHERE workspace_id = $1 AND day = $2`,
      [this.workspaceId, day],
    );
    return row;
  }

  /** Newest first. */
  async list(limit: number, before = '9'): Promise<readonly DailyReportRow[]> {
    return this.manager.query<DailyReportRow[]>(
      `SELECT ${columns} FROM bauta.daily_report WHERE workspace_id = $1 AND day < $2 ORDER BY day DESC LIMIT $3`,
      [this.workspaceId, before, limit],
    );
  }

  /** Of periods that have ended: how many are not made, and for how long the oldest of them. */
  async overdue(): Promise<{ readonly count: number; readonly seconds: number }> {
    const [row] = await this.manager.query<{ count: number; seconds: number }[]>(
      `SELECT count(*)::float8 AS count, coalesce(extract(epoch FROM clock_timestamp() - min(period_to)), 0)::float8 AS seconds
       FROM bauta.daily_report WHERE workspace_id = $1 AND made_at IS NULL`,
      [this.workspaceId],
    );
    return row ?? { count: 0, seconds: 0 };
  }
}
