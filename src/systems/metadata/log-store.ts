// The log of a workspace as the service sees it: files of a transparency log for whoever checks it, events for whoever goes on from them, and the
// place of what was appended. It reads only; what is to be signed is asked of the sequencer.
import { randomBytes, randomUUID } from 'node:crypto';

import type { EntityManager } from 'typeorm';

import { type Json, toCanonicalJson } from '../../kernel/canonical-json.js';
import { type Verifier, parseVerifierKey } from '../../kernel/signed-note.js';
import {
  type Anchor,
  type LogFiles,
  TILE,
  type Tile,
  parseCheckpoint,
  parseTilePath,
  toBundle,
  toCarried,
} from '../../pipeline/audit/audit.js';
import { fromLogged, toCommitment } from '../../pipeline/erasable.js';
import type { Appended, Checkpoint, Event } from '../../pipeline/event.js';

export interface LogEntry {
  readonly index: number;
  readonly event: Event;
}

export class LogStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** The open logs' newest checkpoints, oldest log first. */
  async logs(): Promise<readonly { readonly name: string; readonly checkpoint: Checkpoint }[]> {
    const rows = await this.query<{ log: string; note: string }>(
      // From one log to the next by the primary key: a log has a checkpoint for nearly every entry, and all but the last are passed over.
      `WITH RECURSIVE logs AS (
         SELECT min(log) AS log FROM bauta.audit_checkpoint WHERE workspace_id = $1
         UNION ALL
         SELECT (SELECT min(c.log) FROM bauta.audit_checkpoint c WHERE c.workspace_id = $1 AND c.log > l.log) FROM logs l WHERE l.log IS NOT NULL)
       SELECT l.log, c.note FROM logs l CROSS JOIN LATERAL (
         SELECT note FROM bauta.audit_checkpoint c WHERE c.workspace_id = $1 AND c.log = l.log ORDER BY c.size DESC LIMIT 1) c
       ORDER BY l.log COLLATE "C"`,
    );
    return rows.map(({ log, note }) => ({ name: log, checkpoint: parseCheckpoint(note)! }));
  }

  /** The verifier key; undefined before anything was signed. */
  async verifier(): Promise<Verifier | undefined> {
    const [row] = await this.query<{ verifier: string }>('SELECT verifier FROM bauta.audit_key WHERE workspace_id = $1');
    return row && parseVerifierKey(row.verifier);
  }

  /** In the layout of c2sp.org/tlog-tiles; partial tiles of every width that the log has had. */
  files(): LogFiles {
    return {
      read: (path) => this.read(path),
      list: async (path) => (path === '' ? (await this.logs()).map(({ name }) => name) : []),
    };
  }

  /** From `after` on, in the order of the log. */
  async entries(log: string, limit: number, after = -1): Promise<readonly LogEntry[]> {
    const rows = await this.query<{ position: string; event: Event; payload: Event['data'] | null }>(
      'SELECT position, event, payload FROM bauta.audit_leaf WHERE workspace_id = $1 AND log = $2 AND position > $3 ORDER BY position LIMIT $4',
      [log, after, limit],
    );
    return rows.map(({ position, event, payload }) => ({ index: Number(position), event: toWhole(event, payload) }));
  }

  /** Of these types, oldest first; of these logs, or of all. What was carried out of a deleted log is read as the event that it was. */
  async events(types: readonly string[], logs?: readonly string[]): Promise<readonly Event[]> {
    const rows = await this.query<{ event: Event; payload: Event['data'] | null }>(
      `SELECT event, payload FROM bauta.audit_leaf WHERE workspace_id = $1 AND type = ANY ($2) AND ($3::text[] IS NULL OR log = ANY ($3))
       ORDER BY log COLLATE "C", position`,
      [[...types, 'log.carried'], logs ?? null],
    );
    return rows.map(({ event, payload }) => toCarried(toWhole(event, payload))).filter(({ type }) => types.includes(type));
  }

  /** Of one run and of these types, oldest first, as far as the logs are there that the run was told in. */
  async eventsOf(runId: string, types: readonly string[]): Promise<readonly Event[]> {
    const rows = await this.query<{ event: Event; payload: Event['data'] | null }>(
      // The types are looked at afterwards: by their own index the planner would read what every run told.
      `SELECT event, payload FROM (
         SELECT type, log, position, event, payload FROM bauta.audit_leaf WHERE workspace_id = $1 AND run_id = $2 OFFSET 0) l
       WHERE type = ANY ($3) ORDER BY log COLLATE "C", position`,
      [runId, types],
    );
    return rows.map(({ event, payload }) => toWhole(event, payload));
  }

  /** Those of these types that later runs go by, in the order of the log: found by an index of them, whatever else the log tells. */
  async standing(types: readonly string[]): Promise<readonly Event[]> {
    const rows = await this.query<{ event: Event; payload: Event['data'] | null }>(
      // Leaf by leaf, by the primary key: a planner that counts wrongly would read the whole log instead.
      `SELECT l.event, l.payload FROM bauta.audit_standing s CROSS JOIN LATERAL (
         SELECT event, payload FROM bauta.audit_leaf l
         WHERE l.workspace_id = s.workspace_id AND l.log = s.log AND l.position = s.position LIMIT 1) l
       WHERE s.workspace_id = $1 AND s.type = ANY ($2) ORDER BY s.log COLLATE "C", s.position`,
      [types],
    );
    return rows.map(({ event, payload }) => toCarried(toWhole(event, payload)));
  }

  /** Every place of the text, by their commitments, the one that was named among them; undefined: there is no such text. */
  async eraseText(commitment: string): Promise<readonly string[] | undefined> {
    const [erased] = await this.manager.query<[{ commitment: string }[], number]>(
      `DELETE FROM bauta.erasable_text WHERE workspace_id = $1
         AND text = (SELECT text FROM bauta.erasable_text WHERE workspace_id = $1 AND commitment = $2) RETURNING commitment`,
      [this.workspaceId, commitment],
    );
    return erased.length === 0 ? undefined : erased.map((row) => row.commitment);
  }

  /** Each as it was before its texts were kept elsewhere, as far as they are still there. */
  async withTexts<T extends Json | object | null>(kept: readonly T[]): Promise<readonly T[]> {
    const commitments = [...new Set(JSON.stringify(kept).match(/sha256:[0-9a-f]{64}/g))];
    const rows =
      commitments.length === 0
        ? []
        : await this.query<{ commitment: string; text: string }>(
            'SELECT commitment, text FROM bauta.erasable_text WHERE workspace_id = $1 AND commitment = ANY ($2)',
            [commitments],
          );
    const texts = new Map(rows.map(({ commitment, text }) => [commitment, text]));
    return kept.map((one) => fromLogged(one as Json, (commitment) => texts.get(commitment)) as T);
  }

  /** Where the log tells of the package of this manifest, or of the paper of this digest; undefined: it was not told. */
  async findReport(
    made: { readonly manifest: string } | { readonly digest: string },
  ): Promise<{ readonly log: string; readonly index: number } | undefined> {
    const [member, digest] = 'manifest' in made ? ['manifest', made.manifest] : ['digest', made.digest];
    const [row] = await this.query<{ log: string; index: number }>(
      `SELECT log, position::float8 AS index FROM bauta.audit_leaf
       WHERE workspace_id = $1 AND type = 'report.made' AND event -> 'data' ->> $2 = $3 ORDER BY log COLLATE "C", position LIMIT 1`,
      [member, digest],
    );
    return row;
  }

  /** The first checkpoint of the log that covers so many entries: there is one for each size that was signed, for good. */
  async noteOf(log: string, size: number): Promise<string | undefined> {
    const [row] = await this.query<{ note: string }>(
      'SELECT note FROM bauta.audit_checkpoint WHERE workspace_id = $1 AND log = $2 AND size >= $3 ORDER BY size LIMIT 1',
      [log, size],
    );
    return row?.note;
  }

  /** One change of what was kept at a time, until the transaction ends. */
  async lockKept(): Promise<void> {
    await this.query(`SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('bauta kept ' || $1, 0))`);
  }

  /** Undefined while it waits in the outbox. */
  async find(key: string): Promise<Appended | undefined> {
    const [row] = await this.query<{ position: string; note: string }>(
      `SELECT l.position, c.note FROM bauta.audit_leaf l JOIN LATERAL (
         SELECT note FROM bauta.audit_checkpoint c WHERE c.workspace_id = l.workspace_id AND c.log = l.log AND c.size > l.position
         ORDER BY c.size LIMIT 1) c ON true
       WHERE l.workspace_id = $1 AND l.key = $2`,
      [key],
    );
    return row && { index: Number(row.position), checkpoint: parseCheckpoint(row.note)! };
  }

  /** Of those of them that are in the log already: by key, where. */
  async places(keys: readonly string[]): Promise<ReadonlyMap<string, { readonly origin: string; readonly index: number }>> {
    const name = (await this.verifier())?.name ?? '';
    const rows = await this.query<{ key: string; log: string; position: string }>(
      'SELECT key, log, position FROM bauta.audit_leaf WHERE workspace_id = $1 AND key = ANY ($2::uuid[])',
      [keys],
    );
    return new Map(rows.map(({ key, log, position }) => [key, { origin: `${name}/${log}`, index: Number(position) }]));
  }

  /** Asks the sequencer to sign a text. */
  async requestNote(text: string): Promise<string> {
    const id = randomUUID();
    await this.manager.query('INSERT INTO bauta.audit_note (id, workspace_id, text) VALUES ($1, $2, $3)', [id, this.workspaceId, text]);
    return id;
  }

  /** Undefined while it waits; empty when it was refused. */
  async findNote(id: string): Promise<string | undefined> {
    const [row] = await this.query<{ note: string | null }>('SELECT note FROM bauta.audit_note WHERE workspace_id = $1 AND id = $2', [id]);
    return row?.note ?? undefined;
  }

  /** Where it can be erased; gives what stands for it in the log. */
  async keepText(text: string): Promise<string> {
    const salt = randomBytes(32);
    const commitment = toCommitment(salt, text);
    await this.manager.query('INSERT INTO bauta.erasable_text (workspace_id, commitment, salt, text) VALUES ($1, $2, $3, $4)', [
      ...[this.workspaceId, commitment, salt, text],
    ]);
    return commitment;
  }

  /** What witnesses have cosigned; one that is older than what is there is not put in its place. */
  async keepCosigned(log: string, size: number, note: string): Promise<void> {
    await this.query(
      `INSERT INTO bauta.audit_cosigned (workspace_id, log, size, note) VALUES ($1, $2, $3, $4)
       ON CONFLICT (workspace_id, log) DO UPDATE SET size = excluded.size, note = excluded.note, cosigned_at = clock_timestamp()
       WHERE audit_cosigned.size <= excluded.size`,
      [log, size, note],
    );
  }

  /** Entries of the newest log that no cosigned checkpoint covers, and how old that checkpoint is; null: there is none. */
  async uncosigned(): Promise<{ readonly entries: number; readonly seconds: number | null }> {
    const [row] = await this.query<{ entries: number; seconds: number | null }>(
      `SELECT (newest.size - coalesce(s.size, 0))::float8 AS entries, extract(epoch FROM clock_timestamp() - s.cosigned_at)::float8 AS seconds
       FROM (SELECT log, size FROM bauta.audit_checkpoint WHERE workspace_id = $1 ORDER BY log COLLATE "C" DESC, size DESC LIMIT 1) newest
       LEFT JOIN bauta.audit_cosigned s ON s.workspace_id = $1 AND s.log = newest.log`,
    );
    return row ?? { entries: 0, seconds: null };
  }

  /** Where a checkpoint was put; one that is older than what is known of the place does not take its place. */
  async keepAnchor(log: string, { place, at, lockedUntil, note }: Anchor): Promise<void> {
    await this.query(
      `INSERT INTO bauta.audit_anchor (workspace_id, log, place, size, note, locked_until, anchored_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (workspace_id, log, place) DO UPDATE
       SET size = excluded.size, note = excluded.note, locked_until = excluded.locked_until, anchored_at = excluded.anchored_at
       WHERE audit_anchor.size <= excluded.size`,
      [log, place, parseCheckpoint(note)?.size ?? 0, note, lockedUntil, at],
    );
  }

  /** Per place, entries of the newest log that no checkpoint there covers, and how old the newest one there is. */
  async unanchored(): Promise<readonly { readonly place: string; readonly entries: number; readonly seconds: number }[]> {
    return this.query(
      `SELECT a.place, (newest.size - a.size)::float8 AS entries, extract(epoch FROM clock_timestamp() - a.anchored_at)::float8 AS seconds
       FROM (SELECT log, size FROM bauta.audit_checkpoint WHERE workspace_id = $1 ORDER BY log COLLATE "C" DESC, size DESC LIMIT 1) newest
       JOIN bauta.audit_anchor a ON a.workspace_id = $1 AND a.log = newest.log ORDER BY a.place`,
    );
  }

  private async anchors(log: string): Promise<Buffer | undefined> {
    const rows = await this.query<{ place: string; at: Date; until: Date | null; note: string }>(
      'SELECT place, anchored_at AS at, locked_until AS until, note FROM bauta.audit_anchor WHERE workspace_id = $1 AND log = $2 ORDER BY place COLLATE "C"',
      [log],
    );
    const anchors = rows.map(({ place, at, until, note }) => ({
      ...{ place, at: at.toISOString(), lockedUntil: until?.toISOString() ?? null, note },
    }));
    return rows.length === 0 ? undefined : Buffer.from(`${toCanonicalJson(anchors)}\n`, 'utf8');
  }

  private async read(path: string): Promise<Buffer | undefined> {
    const [, log = '', rest = ''] = /^(\d{4}(?:-\d{2})?)\/(.+)$/.exec(path) ?? [];
    if (rest === 'cosigned') {
      const [row] = await this.query<{ note: string }>('SELECT note FROM bauta.audit_cosigned WHERE workspace_id = $1 AND log = $2', [log]);
      return row && Buffer.from(row.note, 'utf8');
    }
    if (rest === 'anchors') return this.anchors(log);
    if (rest === 'checkpoint') {
      const [row] = await this.query<{ note: string }>(
        'SELECT note FROM bauta.audit_checkpoint WHERE workspace_id = $1 AND log = $2 ORDER BY size DESC LIMIT 1',
        [log],
      );
      return row && Buffer.from(row.note, 'utf8');
    }
    const [, digest] = /^payload\/([0-9a-f]{64})$/.exec(rest) ?? [];
    if (digest !== undefined) {
      const [row] = await this.query<{ text: string }>(
        'SELECT payload::text AS text FROM bauta.audit_leaf WHERE workspace_id = $1 AND log = $2 AND payload_digest = $3 LIMIT 1',
        [log, `sha256:${digest}`],
      );
      return row && Buffer.from(row.text, 'utf8');
    }
    const tile = parseTilePath(rest);
    return tile && this.readTile(log, tile);
  }

  /** Undefined unless the log has all of it. */
  private async readTile(log: string, { level, index, width }: Tile): Promise<Buffer | undefined> {
    const at = [log, index * TILE, index * TILE + width];
    const items =
      level === 'entries'
        ? (
            await this.query<{ text: string }>(
              `SELECT event::text AS text FROM bauta.audit_leaf WHERE workspace_id = $1 AND log = $2 AND position >= $3 AND position < $4 ORDER BY position`,
              at,
            )
          ).map(({ text }) => Buffer.from(text, 'utf8'))
        : (
            await this.query<{ digest: Buffer }>(
              level === 0
                ? `SELECT digest FROM bauta.audit_leaf WHERE workspace_id = $1 AND log = $2 AND position >= $3 AND position < $4 ORDER BY position`
                : `SELECT digest FROM bauta.audit_tile WHERE workspace_id = $1 AND log = $2 AND level = $5 AND position >= $3 AND position < $4 ORDER BY position`,
              level === 0 ? at : [...at, level],
            )
          ).map(({ digest }) => digest);
    if (items.length < width) return undefined;
    return level === 'entries' ? toBundle(items) : Buffer.concat(items);
  }

  private query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.manager.query<Row[]>(sql, [this.workspaceId, ...parameters]);
  }
}

function toWhole(event: Event, payload: Event['data'] | null): Event {
  const { runId, stage, type, at, data } = event;
  return { runId, stage, type, at, data: payload ?? data };
}
