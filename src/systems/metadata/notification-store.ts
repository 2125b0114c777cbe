// Notices of a workspace, and the notifications that came of them.
import type { EntityManager } from 'typeorm';

import type { Json } from '../../kernel/canonical-json.js';

export interface Notice {
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly data: Readonly<Record<string, Json>>;
}

export interface NewNotification {
  readonly noticeId: string;
  readonly channel: string;
  readonly event: string;
  /** What it is about: the same event about the same subject is not told again within a while. */
  readonly subject: string;
  readonly message: object;
}

export interface NotificationRow extends Omit<NewNotification, 'noticeId'> {
  readonly id: string;
  readonly state: 'waiting' | 'sent' | 'repeated' | 'dead';
  readonly attempts: number;
  readonly nextAt: Date;
  readonly error: string | null;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
}

const columns = `id, channel, event, subject, message, state, attempts, next_at AS "nextAt", error, created_at AS "createdAt", ended_at AS "endedAt"`;

export class NotificationStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  async note(event: Omit<Notice, 'id'>): Promise<void> {
    await this.manager.query('INSERT INTO bauta.notice (workspace_id, event) VALUES ($1, $2)', [this.workspaceId, JSON.stringify(event)]);
  }

  /** Undefined: another process has it, or had it. It is gone when the transaction ends. */
  async takeNotice(id: string): Promise<Notice | undefined> {
    const [row] = await this.manager.query<{ event: Omit<Notice, 'id'> }[]>(
      'SELECT event FROM bauta.notice WHERE workspace_id = $1 AND id = $2 FOR UPDATE SKIP LOCKED',
      [this.workspaceId, id],
    );
    if (row) await this.manager.query('DELETE FROM bauta.notice WHERE workspace_id = $1 AND id = $2', [this.workspaceId, id]);
    return row && { id, ...row.event };
  }

  /** `repeated` when the last one of this channel about the subject said the same, less than so long ago. */
  async insert({ noticeId, channel, event, subject, message }: NewNotification, quietMs: number): Promise<void> {
    await this.manager.query(
      `INSERT INTO bauta.notification (workspace_id, notice_id, channel, event, subject, message, state, ended_at)
       SELECT $1, $2, $3, $4, $5, $6, CASE WHEN said THEN 'repeated' ELSE 'waiting' END, CASE WHEN said THEN clock_timestamp() END
       FROM (SELECT EXISTS (SELECT FROM (SELECT event, created_at FROM bauta.notification
           WHERE workspace_id = $1 AND channel = $3 AND subject = $5 AND state <> 'repeated' ORDER BY created_at DESC LIMIT 1) AS last
         WHERE last.event = $4 AND last.created_at > clock_timestamp() - $7 * interval '1 millisecond') AS said) AS before
       ON CONFLICT DO NOTHING`,
      [this.workspaceId, noticeId, channel, event, subject, JSON.stringify(message), quietMs],
    );
  }

  /** Ours for so long, unless somebody was quicker; after that another process sends it again. */
  async claim(id: string, leaseMs: number): Promise<NotificationRow | undefined> {
    const [rows] = await this.manager.query<[NotificationRow[], number]>(
      `UPDATE bauta.notification SET attempts = attempts + 1, next_at = clock_timestamp() + $3 * interval '1 millisecond'
       WHERE workspace_id = $1 AND id = $2 AND state = 'waiting' AND next_at <= clock_timestamp() RETURNING ${columns}`,
      [this.workspaceId, id, leaseMs],
    );
    return rows[0];
  }

  async end(id: string, state: 'sent' | 'dead', error: string | null = null): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.notification SET state = $3, error = $4, ended_at = clock_timestamp() WHERE workspace_id = $1 AND id = $2`,
      [this.workspaceId, id, state, error],
    );
  }

  async retry(id: string, afterMs: number, error: string): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.notification SET next_at = clock_timestamp() + $3 * interval '1 millisecond', error = $4 WHERE workspace_id = $1 AND id = $2`,
      [this.workspaceId, id, afterMs, error],
    );
  }

  /** A dead one is tried anew. False: there is none. */
  async revive(id: string): Promise<boolean> {
    const [rows] = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.notification SET state = 'waiting', attempts = 0, next_at = clock_timestamp(), error = NULL, ended_at = NULL
       WHERE workspace_id = $1 AND id = $2 AND state = 'dead' RETURNING id`,
      [this.workspaceId, id],
    );
    return rows.length > 0;
  }

  async find(id: string): Promise<NotificationRow | undefined> {
    const [row] = await this.manager.query<NotificationRow[]>(
      `SELECT ${columns} FROM bauta.notification WHERE workspace_id = $1 AND id = $2`,
      [this.workspaceId, id],
    );
    return row;
  }

  /** Newest first; `before` is the id of the last one of the page before. */
  async list(
    limit: number,
    filter: { readonly state?: string; readonly channel?: string },
    before?: string,
  ): Promise<readonly NotificationRow[]> {
    return this.manager.query<NotificationRow[]>(
      `SELECT ${columns} FROM bauta.notification n WHERE workspace_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR channel = $3)
         AND ($4::uuid IS NULL OR (n.created_at, n.id) < (SELECT b.created_at, b.id FROM bauta.notification b WHERE b.workspace_id = $1 AND b.id = $4))
       ORDER BY n.created_at DESC, n.id DESC LIMIT $5`,
      [this.workspaceId, filter.state ?? null, filter.channel ?? null, before ?? null, limit],
    );
  }

  async forget(olderThanDays: number): Promise<void> {
    await this.manager.query(
      `DELETE FROM bauta.notification WHERE workspace_id = $1 AND state <> 'waiting' AND created_at < clock_timestamp() - $2 * interval '1 day'`,
      [this.workspaceId, olderThanDays],
    );
  }
}
