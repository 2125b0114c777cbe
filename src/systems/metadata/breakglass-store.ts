// Break-glass of a workspace: what was issued, what was used, and who looked at it afterwards.
import type { EntityManager } from 'typeorm';

export interface NewBreakglass {
  readonly id: string;
  /** Of its entry in the outbox. */
  readonly key: string;
  readonly gate: string;
  readonly environment: string;
  readonly service: string;
  readonly commit: string;
  /** A commitment. */
  readonly reason: string;
  readonly askedBy: string;
  /** Two. */
  readonly approvedBy: readonly string[];
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

export interface BreakglassUse {
  readonly useId: string;
  /** The one that counts. */
  readonly first: boolean;
  readonly offline: boolean;
  readonly usedAt: Date;
  readonly receivedBy: string;
}

export interface BreakglassRow extends NewBreakglass {
  readonly note: string | null;
  readonly unreviewedAt: Date | null;
  readonly uses: readonly { readonly first: boolean; readonly offline: boolean; readonly usedAt: string; readonly receivedBy: string }[];
  readonly reviewedBy: string | null;
  readonly reviewedAt: Date | null;
  readonly comment: string | null;
}

const columns = `b.id, b.key, b.gate, b.environment, b.service, b.commit, b.reason, b.asked_by AS "askedBy", b.approved_by AS "approvedBy",
  b.issued_at AS "issuedAt", b.expires_at AS "expiresAt", b.note, b.unreviewed_at AS "unreviewedAt", r.reviewed_by AS "reviewedBy",
  r.reviewed_at AS "reviewedAt", r.comment, (
    SELECT coalesce(json_agg(json_build_object('first', u.first, 'offline', u.offline, 'receivedBy', u.received_by,
        'usedAt', pg_catalog.to_char(u.used_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY u.first DESC, u.received_at), '[]')
    FROM bauta.breakglass_use u WHERE u.workspace_id = b.workspace_id AND u.breakglass_id = b.id) AS uses`;
const from = `bauta.breakglass b LEFT JOIN bauta.breakglass_review r ON r.workspace_id = b.workspace_id AND r.breakglass_id = b.id`;

export class BreakglassStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  async insert(of: NewBreakglass): Promise<void> {
    const { id, key, gate, environment, service, commit, reason, askedBy, approvedBy, issuedAt, expiresAt } = of;
    await this.manager.query(
      `INSERT INTO bauta.breakglass (workspace_id, id, key, gate, environment, service, commit, reason, asked_by, approved_by, issued_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      [this.workspaceId, id, key, gate, environment, service, commit, reason, askedBy, approvedBy, issuedAt, expiresAt],
    );
  }

  async find(id: string): Promise<BreakglassRow | undefined> {
    return (await this.select('b.id = $2', [id]))[0];
  }

  /** One use or one review of it at a time, until the transaction ends. */
  async lock(id: string): Promise<BreakglassRow | undefined> {
    await this.manager.query(`SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('bauta breakglass ' || $1, 0))`, [id]);
    return this.find(id);
  }

  /** Newest first; `after` is the id of the last one of the page before. */
  list({ limit, after }: { readonly limit: number; readonly after?: string }): Promise<readonly BreakglassRow[]> {
    return this.select(
      `($2::uuid IS NULL OR (b.issued_at, b.id) < (SELECT a.issued_at, a.id FROM bauta.breakglass a WHERE a.workspace_id = $1 AND a.id = $2))
       ORDER BY b.issued_at DESC, b.id DESC LIMIT $3`,
      [after ?? null, limit],
    );
  }

  async keepNote(id: string, note: string): Promise<void> {
    await this.manager.query('UPDATE bauta.breakglass SET note = $3 WHERE workspace_id = $1 AND id = $2', [this.workspaceId, id, note]);
  }

  async findUse(id: string, useId: string): Promise<{ readonly first: boolean } | undefined> {
    const [row] = await this.manager.query<{ first: boolean }[]>(
      'SELECT first FROM bauta.breakglass_use WHERE workspace_id = $1 AND breakglass_id = $2 AND use_id = $3',
      [this.workspaceId, id, useId],
    );
    return row;
  }

  /** The database itself has one first use of each. MUST be given one that this transaction locked. */
  async use(id: string, { useId, first, offline, usedAt, receivedBy }: BreakglassUse): Promise<void> {
    await this.manager.query(
      `INSERT INTO bauta.breakglass_use (workspace_id, breakglass_id, use_id, first, offline, used_at, received_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [this.workspaceId, id, useId, first, offline, usedAt, receivedBy],
    );
  }

  async review(id: string, by: { readonly personId: string; readonly at: Date; readonly comment: string }): Promise<void> {
    await this.manager.query(
      'INSERT INTO bauta.breakglass_review (workspace_id, breakglass_id, reviewed_by, reviewed_at, comment) VALUES ($1, $2, $3, $4, $5)',
      [this.workspaceId, id, by.personId, by.at, by.comment],
    );
  }

  /** True for the one who tells it. */
  async tellUnreviewed(id: string, at: Date): Promise<boolean> {
    const [rows] = await this.manager.query<[unknown[], number]>(
      'UPDATE bauta.breakglass SET unreviewed_at = $3 WHERE workspace_id = $1 AND id = $2 AND unreviewed_at IS NULL RETURNING id',
      [this.workspaceId, id, at],
    );
    return rows.length > 0;
  }

  private select(where: string, parameters: readonly unknown[]): Promise<readonly BreakglassRow[]> {
    return this.manager.query<BreakglassRow[]>(`SELECT ${columns} FROM ${from} WHERE b.workspace_id = $1 AND ${where}`, [
      this.workspaceId,
      ...parameters,
    ]);
  }
}
