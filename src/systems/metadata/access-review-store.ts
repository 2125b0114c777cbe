// Reviews of access of a workspace: who held what when one was opened, and what was decided of each.
import type { EntityManager } from 'typeorm';

export interface AccessReviewRow {
  readonly id: string;
  /** A person's id; null: the service. */
  readonly openedBy: string | null;
  readonly openedAt: Date;
  readonly dueAt: Date;
  readonly closedAt: Date | null;
  readonly overdueAt: Date | null;
  readonly items: number;
  readonly kept: number;
  readonly revoked: number;
}

/** What somebody holds: a role, an API key, the login of a clone. */
export interface Holding {
  readonly kind: 'role' | 'apikey' | 'clone';
  readonly personId: string;
  /** `requester@dev`, or the id of the key or clone. */
  readonly holds: string;
  readonly environment: string | null;
  readonly since: Date | null;
  readonly lastUsedAt: Date | null;
}

export interface AccessReviewItem extends Holding {
  readonly item: number;
  readonly decision: 'keep' | 'revoke' | null;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
  /** A commitment. */
  readonly reason: string | null;
  readonly effect: AccessEffect | null;
}

/** `waits`: for another administrator; `gone`: it was held no more. */
export type AccessEffect = 'done' | 'waits' | 'gone';

const columns = `r.id, r.opened_by AS "openedBy", r.opened_at AS "openedAt", r.due_at AS "dueAt", r.closed_at AS "closedAt", r.overdue_at AS "overdueAt",
  i.items, i.kept, i.revoked`;
const from = `bauta.access_review r CROSS JOIN LATERAL (
  SELECT count(*)::int AS items, (count(*) FILTER (WHERE n.decision = 'keep'))::int AS kept, (count(*) FILTER (WHERE n.decision = 'revoke'))::int AS revoked
    FROM bauta.access_review_item n WHERE n.workspace_id = r.workspace_id AND n.review_id = r.id) i`;
const itemColumns = `item, kind, person_id AS "personId", holds, environment, since, last_used_at AS "lastUsedAt", decision, decided_by AS "decidedBy",
  decided_at AS "decidedAt", reason, effect`;

export class AccessReviewStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** What is held at this instant. That a role was used is known by the keys of who has it; by log-ins of an issuer it is not. */
  holdings(at: Date): Promise<readonly Holding[]> {
    return this.manager.query<Holding[]>(
      `SELECT kind, "personId", holds, environment, since, "lastUsedAt" FROM (
         SELECT 'role' AS kind, g.person_id AS "personId", CASE g.environment WHEN '' THEN g.role ELSE g.role || '@' || g.environment END AS holds,
           nullif(g.environment, '') AS environment, g.granted_at AS since, (
             SELECT max(u.used_at) FROM bauta.token t JOIN bauta.token_use u ON u.token_id = t.id WHERE t.person_id = g.person_id) AS "lastUsedAt"
           FROM bauta.role_grant g WHERE g.workspace_id = $1
         UNION ALL
         SELECT 'apikey', t.person_id, t.id::text, NULL, t.created_at, u.used_at
           FROM bauta.token t LEFT JOIN bauta.token_use u ON u.token_id = t.id
           WHERE t.workspace_id = $1 AND t.revoked_at IS NULL AND t.expires_at > $2
         UNION ALL
         SELECT 'clone', c.requested_by, c.id, c.environment, c.created_at, c.redeemed_at
           FROM bauta.clone c WHERE c.workspace_id = $1 AND c.state IN ('making', 'ready')
       ) held ORDER BY "personId", kind, holds`,
      [this.workspaceId, at],
    );
  }

  /** False: one is open. */
  async open(
    { id, openedBy, openedAt, dueAt }: Pick<AccessReviewRow, 'id' | 'openedBy' | 'openedAt' | 'dueAt'>,
    held: readonly Holding[],
  ): Promise<boolean> {
    const made = await this.manager.query<unknown[]>(
      `INSERT INTO bauta.access_review (workspace_id, id, opened_by, opened_at, due_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (workspace_id) WHERE closed_at IS NULL DO NOTHING RETURNING id`,
      [this.workspaceId, id, openedBy, openedAt, dueAt],
    );
    if (made.length === 0) return false;
    await this.manager.query(
      `INSERT INTO bauta.access_review_item (workspace_id, review_id, item, kind, person_id, holds, environment, since, last_used_at)
       SELECT $1, $2, h.n, h.kind, h.person, h.holds, h.environment, h.since, h.used
         FROM unnest($3::text[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[])
           WITH ORDINALITY AS h (kind, person, holds, environment, since, used, n)`,
      [
        ...[this.workspaceId, id, held.map(({ kind }) => kind), held.map(({ personId }) => personId), held.map(({ holds }) => holds)],
        ...[held.map(({ environment }) => environment), held.map(({ since }) => since), held.map(({ lastUsedAt }) => lastUsedAt)],
      ],
    );
    return true;
  }

  async find(id: string): Promise<AccessReviewRow | undefined> {
    return (await this.select('r.id = $2', [id]))[0];
  }

  /** One decision at a time of a review, until the transaction ends. */
  async lock(id: string): Promise<AccessReviewRow | undefined> {
    await this.manager.query('SELECT FROM bauta.access_review WHERE workspace_id = $1 AND id = $2 FOR UPDATE', [this.workspaceId, id]);
    return this.find(id);
  }

  /** Newest first; `after` is the id of the last one of the page before. */
  list({ limit, after }: { readonly limit: number; readonly after?: string }): Promise<readonly AccessReviewRow[]> {
    return this.select(
      `($2::uuid IS NULL OR (r.opened_at, r.id) < (SELECT a.opened_at, a.id FROM bauta.access_review a WHERE a.workspace_id = $1 AND a.id = $2))
       ORDER BY r.opened_at DESC, r.id DESC LIMIT $3`,
      [after ?? null, limit],
    );
  }

  items(id: string, { limit, after = 0 }: { readonly limit: number; readonly after?: number }): Promise<readonly AccessReviewItem[]> {
    return this.manager.query<AccessReviewItem[]>(
      `SELECT ${itemColumns} FROM bauta.access_review_item WHERE workspace_id = $1 AND review_id = $2 AND item > $3 ORDER BY item LIMIT $4`,
      [this.workspaceId, id, after, limit],
    );
  }

  async findItem(id: string, item: number): Promise<AccessReviewItem | undefined> {
    return (await this.items(id, { limit: 1, after: item - 1 })).find((one) => one.item === item);
  }

  async decide(
    id: string,
    item: number,
    by: {
      readonly decision: 'keep' | 'revoke';
      readonly personId: string;
      readonly at: Date;
      readonly reason: string;
      readonly effect: AccessEffect;
    },
  ): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.access_review_item SET decision = $4, decided_by = $5, decided_at = $6, reason = $7, effect = $8
       WHERE workspace_id = $1 AND review_id = $2 AND item = $3`,
      [this.workspaceId, id, item, by.decision, by.personId, by.at, by.reason, by.effect],
    );
  }

  async close(id: string, at: Date): Promise<void> {
    await this.manager.query('UPDATE bauta.access_review SET closed_at = $3 WHERE workspace_id = $1 AND id = $2', [
      this.workspaceId,
      id,
      at,
    ]);
  }

  /** True for the one who tells it. */
  async tellOverdue(id: string, at: Date): Promise<boolean> {
    const [rows] = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.access_review SET overdue_at = $3 WHERE workspace_id = $1 AND id = $2 AND overdue_at IS NULL AND closed_at IS NULL RETURNING id`,
      [this.workspaceId, id, at],
    );
    return rows.length > 0;
  }

  private select(where: string, parameters: readonly unknown[]): Promise<readonly AccessReviewRow[]> {
    return this.manager.query<AccessReviewRow[]>(`SELECT ${columns} FROM ${from} WHERE r.workspace_id = $1 AND ${where}`, [
      this.workspaceId,
      ...parameters,
    ]);
  }
}
