// What was counted of a workspace's log and what was found odd in it. Whoever holds the cursor's row counts; so each entry is counted once, over replicas
// and deaths, and the entries themselves are never read again.
import type { EntityManager } from 'typeorm';

import type { Counted } from '../../pipeline/anomaly.js';
import type { Anomaly } from '../../pipeline/find-anomalies.js';

export interface AnomalyCursor {
  readonly log: string;
  readonly position: number;
  /** Of the first entry that was read; null: none was. */
  readonly startedAt: Date | null;
  readonly since: Date;
}

export interface AnomalyRow extends Anomaly {
  readonly id: string;
  readonly foundAt: Date;
}

const columns = `id, rule, subject, environment, pipeline, window_at AS "windowAt", amount::float8 AS amount, expected::float8 AS expected, found_at AS "foundAt"`;
type Read = Omit<AnomalyRow, 'window'> & { readonly windowAt: Date };
const toRow = ({ windowAt, ...row }: Read): AnomalyRow => ({ ...row, window: windowAt.toISOString() });

export class AnomalyStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** Ours until the transaction ends; undefined: another process counts. `log`: where to begin if nobody did yet. */
  async lockCursor(log: string): Promise<AnomalyCursor | undefined> {
    await this.query('INSERT INTO bauta.anomaly_cursor (workspace_id, log, position) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING', [log]);
    const [row] = await this.query<AnomalyCursor>(
      `SELECT log, position::float8 AS position, started_at AS "startedAt", since FROM bauta.anomaly_cursor
       WHERE workspace_id = $1 FOR UPDATE SKIP LOCKED`,
    );
    return row;
  }

  async moveCursor({ log, position, startedAt }: Omit<AnomalyCursor, 'since'>): Promise<void> {
    await this.query('UPDATE bauta.anomaly_cursor SET log = $2, position = $3, started_at = $4 WHERE workspace_id = $1', [
      ...[log, position, startedAt],
    ]);
  }

  async add(counted: readonly Counted[]): Promise<void> {
    if (counted.length === 0) return;
    const of = <Name extends keyof Counted>(name: Name): readonly Counted[Name][] => counted.map((one) => one[name]);
    await this.query(
      `INSERT INTO bauta.anomaly_count AS c (workspace_id, rule, subject, environment, pipeline, bucket, amount)
       SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::bigint[])
       ON CONFLICT (workspace_id, rule, subject, environment, pipeline, bucket) DO UPDATE SET amount = c.amount + excluded.amount`,
      [of('rule'), of('subject'), of('environment'), of('pipeline'), of('bucket'), of('amount')],
    );
  }

  /** Everything that was counted of the subjects of these. */
  async ofSubjects(counted: readonly Counted[]): Promise<readonly Counted[]> {
    const of = <Name extends keyof Counted>(name: Name): readonly Counted[Name][] => counted.map((one) => one[name]);
    const rows = await this.query<Omit<Counted, 'bucket'> & { readonly bucket: Date }>(
      `SELECT c.rule, c.subject, c.environment, c.pipeline, c.bucket, c.amount::float8 AS amount FROM bauta.anomaly_count c
       JOIN (SELECT DISTINCT * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS u (rule, subject, environment, pipeline)) s
         USING (rule, subject, environment, pipeline)
       WHERE c.workspace_id = $1`,
      [of('rule'), of('subject'), of('environment'), of('pipeline')],
    );
    return rows.map((row) => ({ ...row, bucket: row.bucket.toISOString() }));
  }

  /** Of `first-seen` the first stays for good: nobody is new twice. */
  async forget(before: Date): Promise<void> {
    await this.query(
      `DELETE FROM bauta.anomaly_count c WHERE workspace_id = $1 AND bucket < $2 AND (rule <> 'first-seen' OR EXISTS (
         SELECT FROM bauta.anomaly_count e WHERE e.workspace_id = $1 AND e.rule = c.rule AND e.subject = c.subject
           AND e.environment = c.environment AND e.pipeline = c.pipeline AND e.bucket < c.bucket))`,
      [before],
    );
  }

  /** Its id; undefined: it was found before. */
  async keep({ rule, subject, environment, pipeline, window, amount, expected }: Anomaly, foundAt: Date): Promise<string | undefined> {
    const [row] = await this.query<{ id: string }>(
      `INSERT INTO bauta.anomaly (workspace_id, rule, subject, environment, pipeline, window_at, amount, expected, found_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING id`,
      [rule, subject, environment, pipeline, window, amount, expected, foundAt],
    );
    return row?.id;
  }

  /** Newest first. `environments`: only of these. */
  async list(
    limit: number,
    { rule, environments }: { readonly rule?: string; readonly environments?: readonly string[] },
    before?: string,
  ): Promise<readonly AnomalyRow[]> {
    const rows = await this.query<Read>(
      `SELECT ${columns} FROM bauta.anomaly a WHERE workspace_id = $1 AND ($2::text IS NULL OR rule = $2)
         AND ($3::text[] IS NULL OR environment = ANY ($3))
         AND ($4::uuid IS NULL OR (a.found_at, a.id) < (SELECT b.found_at, b.id FROM bauta.anomaly b WHERE b.workspace_id = $1 AND b.id = $4))
       ORDER BY a.found_at DESC, a.id DESC LIMIT $5`,
      [rule ?? null, environments ?? null, before ?? null, limit],
    );
    return rows.map(toRow);
  }

  /** By rule, of the last day. */
  count(now: Date): Promise<readonly { readonly rule: string; readonly count: number }[]> {
    return this.query(
      `SELECT rule, count(*)::integer AS count FROM bauta.anomaly WHERE workspace_id = $1 AND found_at > $2::timestamptz - interval '1 day' GROUP BY rule`,
      [now],
    );
  }

  /** Where it stands; undefined: nothing was read yet. */
  async cursor(): Promise<AnomalyCursor | undefined> {
    const [row] = await this.query<AnomalyCursor>(
      `SELECT log, position::float8 AS position, started_at AS "startedAt", since FROM bauta.anomaly_cursor WHERE workspace_id = $1`,
    );
    return row;
  }

  private query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.manager.query<Row[]>(sql, [this.workspaceId, ...parameters]);
  }
}
