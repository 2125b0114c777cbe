// Waivers of a workspace: findings that do not count until an instant, because somebody asked and somebody else agreed.
import type { EntityManager } from 'typeorm';

export const waiverScopes = ['repository', 'image', 'environment'] as const;
export type WaiverScope = (typeof waiverScopes)[number];

export interface NewWaiver {
  readonly rule: string;
  /** 32 hex digits; null: every finding of the rule. */
  readonly fingerprint: string | null;
  readonly scopeKind: WaiverScope | null;
  readonly scope: string | null;
  /** A commitment. */
  readonly reason: string;
  readonly askedBy: string;
  readonly approval: string;
  readonly until: Date;
}

export interface WaiverRow extends NewWaiver {
  readonly id: string;
  readonly grantedAt: Date;
  readonly endedAt: Date | null;
}

const columns = `id, rule, encode(fingerprint, 'hex') AS fingerprint, scope_kind AS "scopeKind", scope, reason, asked_by AS "askedBy", approval, until,
  granted_at AS "grantedAt", ended_at AS "endedAt"`;

export class WaiverStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  async insert({ rule, fingerprint, scopeKind, scope, reason, askedBy, approval, until }: NewWaiver): Promise<string> {
    const [row] = await this.manager.query<[{ id: string }]>(
      `INSERT INTO bauta.waiver (workspace_id, rule, fingerprint, scope_kind, scope, reason, asked_by, approval, until)
       VALUES ($1, $2, decode($3, 'hex'), $4, $5, $6, $7, $8, $9) RETURNING id`,
      [this.workspaceId, rule, fingerprint, scopeKind, scope, reason, askedBy, approval, until],
    );
    return row.id;
  }

  async find(id: string): Promise<WaiverRow | undefined> {
    const [row] = await this.manager.query<WaiverRow[]>(`SELECT ${columns} FROM bauta.waiver WHERE workspace_id = $1 AND id = $2`, [
      ...[this.workspaceId, id],
    ]);
    return row;
  }

  /** Newest first, ended and over ones too. */
  async list({ limit, after }: { readonly limit: number; readonly after?: string }): Promise<readonly WaiverRow[]> {
    return this.manager.query<WaiverRow[]>(
      `SELECT ${columns} FROM bauta.waiver WHERE workspace_id = $1
         AND ($3::uuid IS NULL OR (granted_at, id) < (SELECT granted_at, id FROM bauta.waiver WHERE workspace_id = $1 AND id = $3))
       ORDER BY granted_at DESC, id DESC LIMIT $2`,
      [this.workspaceId, limit, after ?? null],
    );
  }

  /** Those that hold at that instant. */
  async standing(at: Date): Promise<readonly WaiverRow[]> {
    return this.manager.query<WaiverRow[]>(
      `SELECT ${columns} FROM bauta.waiver WHERE workspace_id = $1 AND ended_at IS NULL AND granted_at <= $2 AND until > $2 ORDER BY rule, id`,
      [this.workspaceId, at],
    );
  }

  /** Before its time; false: it does not stand. */
  async end(id: string, endedBy: string, at: Date): Promise<boolean> {
    const [rows] = await this.manager.query<[{ id: string }[], number]>(
      `UPDATE bauta.waiver SET ended_at = clock_timestamp(), ended_by = $3
       WHERE workspace_id = $1 AND id = $2 AND ended_at IS NULL AND until > $4 RETURNING id`,
      [this.workspaceId, id, endedBy, at],
    );
    return rows.length === 1;
  }
}
