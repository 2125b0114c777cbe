// Where the publication of a workspace's log stands, and the entries from there on, as they were signed. A place is moved only by who holds the lease,
// and only from where he found it: of two processes that both believe to have it, one notices.
import type { EntityManager } from 'typeorm';

import { parseCheckpoint } from '../../pipeline/audit/audit.js';
import type { Event } from '../../pipeline/event.js';

export const eventStreams = ['audit', 'lineage', 'usage'] as const;

export type EventStream = (typeof eventStreams)[number];

/** The next entry that is to be published. */
export interface EventPlace {
  readonly log: string;
  readonly position: number;
}

/** An entry as the log has it. */
export interface SignedEntry {
  readonly position: number;
  readonly type: string;
  readonly runId: string | null;
  /** The canonical JSON that was signed. */
  readonly text: string;
}

export interface EventProgress extends EventPlace {
  readonly stream: EventStream;
  readonly published: number;
  readonly advancedAt: Date | null;
  readonly failingSince: Date | null;
  readonly failure: string | null;
  /** Entries of the log behind the place, and how long the oldest of them has been there. */
  readonly waiting: number;
  readonly oldestSeconds: number;
}

export class EventStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** Where the stream stands; one that has never been published begins with the oldest log there is. Undefined: there is no log. */
  async place(stream: EventStream): Promise<EventPlace | undefined> {
    const [row] = await this.query<{ log: string; position: string }>(
      'SELECT log, position FROM bauta.event_cursor WHERE workspace_id = $1 AND stream = $2',
      [stream],
    );
    if (row) return { log: row.log, position: Number(row.position) };
    const log = await this.logAfter('');
    if (log === undefined) return undefined;
    await this.query('INSERT INTO bauta.event_cursor (workspace_id, stream, log, position) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING', [
      ...[stream, log],
    ]);
    return { log, position: 0 };
  }

  /** The next log of the chain. MUST be asked before the entries: where there is one, the log before it has ended, and all of it is there to be read. */
  async logAfter(log: string): Promise<string | undefined> {
    const [row] = await this.query<{ log: string | null }>(
      'SELECT min(log COLLATE "C") AS log FROM bauta.audit_checkpoint WHERE workspace_id = $1 AND log COLLATE "C" > $2',
      [log],
    );
    return row?.log ?? undefined;
  }

  /** At most `limit`, in order; of these types, or of all. */
  entries({ log, position }: EventPlace, limit: number, types?: readonly string[]): Promise<readonly SignedEntry[]> {
    return this.query<SignedEntry>(
      `SELECT position::float8 AS position, type, run_id AS "runId", event::text AS text FROM bauta.audit_leaf
       WHERE workspace_id = $1 AND log = $2 AND position >= $3 AND position < $3::bigint + $4 AND ($5::text[] IS NULL OR type = ANY ($5))
       ORDER BY position`,
      [log, position, limit, types ?? null],
    );
  }

  /** What a run told up to a place, and that place itself: of these types, oldest first, with what was too large for an entry. */
  async ofRun(runId: string, types: readonly string[], { log, position }: EventPlace): Promise<readonly Event[]> {
    const rows = await this.query<{ event: Event; payload: Event['data'] | null }>(
      // The types are looked at afterwards, as everywhere: by their own index the planner would read what every run told.
      `SELECT event, payload FROM (
         SELECT type, log, position, event, payload FROM bauta.audit_leaf WHERE workspace_id = $1 AND run_id = $2 OFFSET 0) l
       WHERE type = ANY ($3) AND (log COLLATE "C" < $4 OR log = $4 AND position <= $5) ORDER BY log COLLATE "C", position`,
      [runId, types, log, position],
    );
    return rows.map(({ event: { runId: run, stage, type, at, data }, payload }) => ({
      runId: run,
      stage,
      type,
      at,
      data: payload ?? data,
    }));
  }

  /** How many entries the log has; 0: it is not there, or no more. */
  async size(log: string): Promise<number> {
    const [row] = await this.query<{ size: string }>(
      'SELECT size FROM bauta.audit_checkpoint WHERE workspace_id = $1 AND log = $2 ORDER BY size DESC LIMIT 1',
      [log],
    );
    return Number(row?.size ?? 0);
  }

  /** The newest signed checkpoint of at most so many entries and more than `above`; undefined: none was signed in between. */
  async checkpoint(log: string, above: number, most: number): Promise<string | undefined> {
    const [row] = await this.query<{ note: string }>(
      'SELECT note FROM bauta.audit_checkpoint WHERE workspace_id = $1 AND log = $2 AND size > $3 AND size <= $4 ORDER BY size DESC LIMIT 1',
      [log, above, most],
    );
    return row?.note;
  }

  /** The name that stands in the checkpoints of the log. */
  async origin(log: string): Promise<string | undefined> {
    const [row] = await this.query<{ note: string }>(
      'SELECT note FROM bauta.audit_checkpoint WHERE workspace_id = $1 AND log = $2 ORDER BY size DESC LIMIT 1',
      [log],
    );
    return row && parseCheckpoint(row.note)?.origin;
  }

  /** False: somebody else has the lease, or was here meanwhile. */
  async advance(stream: EventStream, holder: string, from: EventPlace, to: EventPlace, published: number): Promise<boolean> {
    const moved = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.event_cursor SET log = $6, position = $7, published = published + $8, advanced_at = clock_timestamp(),
         failing_since = NULL, failure = NULL
       WHERE workspace_id = $1 AND stream = $2 AND log = $4 AND position = $5
         AND EXISTS (SELECT FROM bauta.event_lease WHERE holder = $3 AND until > clock_timestamp())`,
      [this.workspaceId, stream, holder, from.log, from.position, to.log, to.position, published],
    );
    return moved[1] === 1;
  }

  async fail(stream: EventStream, code: string): Promise<void> {
    await this.query(
      `UPDATE bauta.event_cursor SET failing_since = coalesce(failing_since, clock_timestamp()), failure = $3
       WHERE workspace_id = $1 AND stream = $2`,
      [stream, code],
    );
  }

  /** Of every stream that has ever been published here. */
  async progress(): Promise<readonly EventProgress[]> {
    const rows = await this.query<
      Omit<EventProgress, 'position' | 'published' | 'waiting'> & Record<'position' | 'published' | 'waiting', string>
    >(
      `SELECT e.stream, e.log, e.position, e.published, e.advanced_at AS "advancedAt", e.failing_since AS "failingSince", e.failure,
         coalesce(behind.entries, 0) AS waiting,
         coalesce(greatest(extract(epoch FROM clock_timestamp() - (next.at)::timestamptz), 0), 0)::float8 AS "oldestSeconds"
       FROM bauta.event_cursor e
       LEFT JOIN LATERAL (
         -- From one log to the next by the primary key: a log has a checkpoint for nearly every entry.
         WITH RECURSIVE logs AS (
           SELECT e.log
           UNION ALL
           SELECT (SELECT min(c.log) FROM bauta.audit_checkpoint c WHERE c.workspace_id = $1 AND c.log > l.log) FROM logs l WHERE l.log IS NOT NULL)
         SELECT sum(s.size) - e.position AS entries FROM logs l CROSS JOIN LATERAL (
           SELECT size FROM bauta.audit_checkpoint c WHERE c.workspace_id = $1 AND c.log = l.log ORDER BY size DESC LIMIT 1) s) behind ON true
       LEFT JOIN LATERAL (
         SELECT CASE WHEN l.event ->> 'at' ~ '^\\d{4}-\\d\\d-\\d\\dT' THEN l.event ->> 'at' END AS at FROM bauta.audit_leaf l
         WHERE l.workspace_id = $1 AND (l.log = e.log AND l.position = e.position) LIMIT 1) next ON true
       WHERE e.workspace_id = $1 ORDER BY e.stream`,
    );
    return rows.map((row) => ({
      ...row,
      position: Number(row.position),
      published: Number(row.published),
      waiting: Math.max(0, Number(row.waiting)),
    }));
  }

  private query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.manager.query<Row[]>(sql, [this.workspaceId, ...parameters]);
  }
}

/** Ours for so long, anew each time it is asked for. False: another process publishes. */
export async function takeEventLease(manager: Pick<EntityManager, 'query'>, holder: string, ms: number): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `INSERT INTO bauta.event_lease (holder, until) VALUES ($1, clock_timestamp() + $2 * interval '1 millisecond')
     ON CONFLICT (single) DO UPDATE SET holder = $1, until = clock_timestamp() + $2 * interval '1 millisecond'
     WHERE event_lease.holder = $1 OR event_lease.until <= clock_timestamp() RETURNING holder`,
    [holder, ms],
  );
  return rows.length === 1;
}
