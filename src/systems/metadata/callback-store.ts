// What native callers of gates asked, until they are told.
import type { EntityManager } from 'typeorm';

import type { Json } from '../../kernel/canonical-json.js';

export interface NewCallback {
  readonly id: string;
  readonly gate: string;
  readonly via: 'github' | 'gitlab' | 'azure';
  readonly delivery: string;
  readonly digest: string;
  readonly asked: Json;
  readonly place: Json;
  readonly sealed: Uint8Array | null;
  readonly untilAt: Date;
}

/** What was decided, as it is told. */
export interface Verdict {
  readonly decisionId: string;
  readonly allow: boolean;
  readonly comment: string;
  readonly expiresAt: string;
}

export interface CallbackRow extends NewCallback {
  readonly verdict: Verdict | null;
  readonly state: 'waiting' | 'told' | 'dead';
  readonly attempts: number;
  readonly nextAt: Date;
  readonly error: string | null;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
}

const columns = `id, gate, via, delivery, digest, asked, place, sealed, verdict, state, attempts, next_at AS "nextAt", until_at AS "untilAt", error,
  created_at AS "createdAt", ended_at AS "endedAt"`;

export class CallbackStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** The id under which it waits, or that of the same one that came before. */
  async insert(row: NewCallback): Promise<{ readonly id: string; readonly isNew: boolean }> {
    const { id, gate, via, delivery, digest, asked, place, sealed, untilAt } = row;
    const inserted = await this.manager.query<{ id: string }[]>(
      `INSERT INTO bauta.callback (workspace_id, id, gate, via, delivery, digest, asked, place, sealed, until_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id`,
      [
        ...[this.workspaceId, id, gate, via, delivery, digest, JSON.stringify(asked), JSON.stringify(place)],
        ...[sealed === null ? null : Buffer.from(sealed), untilAt],
      ],
    );
    if (inserted[0]) return { id, isNew: true };
    const [known] = await this.manager.query<{ id: string }[]>(
      `SELECT id FROM bauta.callback WHERE workspace_id = $1 AND gate = $2 AND via = $3 AND (digest = $4 OR delivery = $5)
       ORDER BY created_at DESC LIMIT 1`,
      [this.workspaceId, gate, via, digest, delivery],
    );
    return { id: known?.id ?? id, isNew: false };
  }

  /** Ours for so long, unless somebody was quicker; after that another process takes it up. */
  async claim(id: string, leaseMs: number): Promise<CallbackRow | undefined> {
    const [rows] = await this.manager.query<[CallbackRow[], number]>(
      `UPDATE bauta.callback SET attempts = attempts + 1, next_at = clock_timestamp() + $3 * interval '1 millisecond'
       WHERE workspace_id = $1 AND id = $2 AND state = 'waiting' AND next_at <= clock_timestamp() RETURNING ${columns}`,
      [this.workspaceId, id, leaseMs],
    );
    return rows[0];
  }

  async decide(id: string, verdict: Verdict): Promise<void> {
    await this.manager.query('UPDATE bauta.callback SET verdict = $3 WHERE workspace_id = $1 AND id = $2', [
      ...[this.workspaceId, id, JSON.stringify(verdict)],
    ]);
  }

  async end(id: string, state: 'told' | 'dead', error: string | null = null): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.callback SET state = $3, error = $4, sealed = NULL, ended_at = clock_timestamp() WHERE workspace_id = $1 AND id = $2`,
      [this.workspaceId, id, state, error],
    );
  }

  async retry(id: string, afterMs: number, error: string): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.callback SET next_at = clock_timestamp() + $3 * interval '1 millisecond', error = $4 WHERE workspace_id = $1 AND id = $2`,
      [this.workspaceId, id, afterMs, error],
    );
  }

  /** Newest first; `before` is the id of the last one of the page before. */
  list(gate: string, limit: number, before?: string): Promise<CallbackRow[]> {
    return this.manager.query<CallbackRow[]>(
      `SELECT ${columns} FROM bauta.callback c WHERE workspace_id = $1 AND gate = $2
         AND ($3::uuid IS NULL OR (c.created_at, c.id) < (SELECT b.created_at, b.id FROM bauta.callback b WHERE b.workspace_id = $1 AND b.id = $3))
       ORDER BY c.created_at DESC, c.id DESC LIMIT $4`,
      [this.workspaceId, gate, before ?? null, limit],
    );
  }

  /** A delivery that is older than that is refused by its own time. */
  async forget(olderThanDays: number): Promise<void> {
    await this.manager.query(
      `DELETE FROM bauta.callback WHERE workspace_id = $1 AND state <> 'waiting' AND created_at < clock_timestamp() - $2 * interval '1 day'`,
      [this.workspaceId, olderThanDays],
    );
  }
}
