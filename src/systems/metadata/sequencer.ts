// One writer of the logs: copies what is committed in the outbox to audit_leaf, whose position is the index in the log, signs, and removes it there.
// Every process may have a sequencer; the one that holds the lock works, and when its session ends another takes over.
import { type DataSource, type QueryRunner, TypeORMError } from 'typeorm';

import type { Json } from '../../kernel/canonical-json.js';
import { toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { signNote } from '../../kernel/signed-note.js';
import { parseCheckpoint, parseLeaf } from '../../pipeline/audit/audit.js';
import type { Event } from '../../pipeline/event.js';
import { createDataSource } from './data-source.js';
import type { LogKeys } from './log-keys.js';
import { toMetadataError } from './metadata-error.js';
import { type Sequenced, WorkspaceLog } from './workspace-log.js';

const LOCK = 'bauta sequencer';
const AT_ONCE = 500;
/** What waits wakes the holder by a notification; this is for one that was missed, and says to the server that the holder lives. */
const IDLE_MS = 1000;
const AWAY_MS = 500;
/** The server ends a session that says nothing for so long: a holder that hangs is no holder. */
const SILENT_MS = 3500;

export class Sequencer {
  private stopped = false;
  private woken = false;
  private wake: () => void = () => undefined;
  private readonly done: Promise<void>;

  /** `failed` is told of every failure by code; the sequencer goes on by itself. */
  constructor(
    private readonly url: string,
    private readonly keys: LogKeys,
    private readonly failed: (error: unknown) => void,
  ) {
    this.done = this.work();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.done;
  }

  private async work(): Promise<void> {
    while (!this.stopped) {
      const source = createDataSource(this.url, { connections: 1 });
      try {
        await source.initialize();
        await this.hold(source);
      } catch (error) {
        // A session that was silent for too long is gone, and so is what asks in it: in the words of the driver that sounds like a fault of ours.
        this.failed(error instanceof TypeORMError ? toMetadataError(error) : error);
        await this.pause(AWAY_MS);
      } finally {
        if (source.isInitialized) await source.destroy().catch(() => undefined);
      }
    }
  }

  /** Until stopped, or until the session is gone. */
  private async hold(source: DataSource): Promise<void> {
    const session = source.createQueryRunner();
    const client = (await session.connect()) as { on(event: 'notification', listener: () => void): void };
    client.on('notification', () => this.hear());
    await session.query(`SET idle_session_timeout = ${SILENT_MS}`);
    await session.query(`SET idle_in_transaction_session_timeout = ${SILENT_MS}`);
    await session.query('LISTEN bauta_outbox');
    const writer = new Writer(session, this.keys);
    let holds = false;
    while (!this.stopped) {
      holds ||= await takeLock(session);
      if (!holds) await this.pause(AWAY_MS);
      else if ((await writer.sequence()) + (await writer.signNotes()) < AT_ONCE) await this.pause(IDLE_MS);
    }
    await session.release();
  }

  private hear(): void {
    this.woken = true;
    this.wake();
  }

  private async pause(ms: number): Promise<void> {
    if (!this.woken && !this.stopped) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.woken = false;
  }
}

/** A lock of the session: it goes with it, however the process ends. */
async function takeLock(session: QueryRunner): Promise<boolean> {
  const [row] = (await session.query('SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0)) AS taken', [LOCK])) as {
    taken: boolean;
  }[];
  return row?.taken === true;
}

interface Waiting {
  readonly id: string;
  readonly workspace_id: string;
  readonly event: Readonly<Record<string, Json>>;
  readonly key: string | null;
}

/** Of the session that holds the lock: the logs that it has open are as they are in the database. */
class Writer {
  private readonly logs = new Map<string, WorkspaceLog>();

  constructor(
    private readonly session: QueryRunner,
    private readonly keys: LogKeys,
  ) {}

  /** One transaction: leaves and checkpoints added, the same rows gone from the outbox. Returns how many. */
  async sequence(): Promise<number> {
    const { session } = this;
    await session.startTransaction();
    try {
      const waiting = (await session.query('SELECT id, workspace_id, event, key FROM bauta.outbox ORDER BY id LIMIT $1', [
        AT_ONCE,
      ])) as Waiting[];
      const byWorkspace = new Map<string, Sequenced[]>();
      for (const { workspace_id, event, key } of waiting)
        byWorkspace.set(workspace_id, [...(byWorkspace.get(workspace_id) ?? []), { event: toEvent(event), key }]);
      for (const [workspaceId, events] of byWorkspace) {
        const log = await this.open(workspaceId);
        await log.append(session, events, Date.now());
        for (const { event } of events) if (event.type === 'log.deleted.intended') await this.deleteLog(log, workspaceId, event);
      }
      if (waiting.length > 0) await session.query('DELETE FROM bauta.outbox WHERE id = ANY ($1::bigint[])', [waiting.map(({ id }) => id)]);
      await session.commitTransaction();
      for (const workspaceId of byWorkspace.keys()) await this.keys.remember(workspaceId, this.logs.get(workspaceId)!.note);
      return waiting.length;
    } catch (error) {
      // What is in memory may be ahead of the database.
      this.logs.clear();
      await session.rollbackTransaction().catch(() => undefined);
      throw error;
    }
  }

  /** In the transaction of its announcement: there is none without the other. What may not go stays, and its announcement without an outcome. */
  private async deleteLog(log: WorkspaceLog, workspaceId: string, { runId, data }: Event): Promise<void> {
    const { origin = '', size = 0, root = '' } = data;
    const name = typeof origin === 'string' ? origin.slice(origin.lastIndexOf('/') + 1) : '';
    const [row] = (await this.session.query('SELECT bauta.delete_log($1, $2) AS deleted', [workspaceId, name])) as { deleted: boolean }[];
    if (row?.deleted !== true) return;
    // What of it still counts was carried on, and stands there.
    await this.session.query('DELETE FROM bauta.audit_standing WHERE workspace_id = $1 AND log = $2', [workspaceId, name]);
    const now = Date.now();
    const done: Event = { runId, stage: 'audit', type: 'log.deleted.done', at: toTimestamp(now), data: { origin, size, root } };
    await log.append(this.session, [{ event: done, key: null }], now);
  }

  /** Markers of datasets that are being published. Returns how many. */
  async signNotes(): Promise<number> {
    const waiting = (await this.session.query('SELECT id, workspace_id, text FROM bauta.audit_note WHERE note IS NULL LIMIT $1', [
      AT_ONCE,
    ])) as { id: string; workspace_id: string; text: string }[];
    for (const { id, workspace_id, text } of waiting)
      await this.session.query('UPDATE bauta.audit_note SET note = $2 WHERE id = $1', [id, await this.sign(workspace_id, text)]);
    return waiting.length;
  }

  /** Empty when it is nothing that the log's key signs. */
  private async sign(workspaceId: string, text: string): Promise<string> {
    const signer = await this.keys.signerOf(workspaceId);
    const eventAt = async (origin: string, index: number): Promise<Event | undefined> => {
      const [name, log] = [origin.slice(0, origin.lastIndexOf('/')), origin.slice(origin.lastIndexOf('/') + 1)];
      if (name !== signer.verifier.name) return undefined;
      const [row] = (await this.session.query(
        'SELECT event::text AS text FROM bauta.audit_leaf WHERE workspace_id = $1 AND log = $2 AND position = $3',
        [workspaceId, log, index],
      )) as { text: string }[];
      const leaf = row && parseLeaf(Buffer.from(row.text, 'utf8'));
      return leaf && { ...leaf.event, data: leaf.event.data ?? {} };
    };
    if (!(await this.keys.maySign(text, eventAt).catch(() => false))) return '';
    const note = signNote(text, signer);
    if (parseCheckpoint(note)) throw toError('UNEXPECTED', { stage: 'audit', name: 'a checkpoint outside the log' });
    return note;
  }

  private async open(workspaceId: string): Promise<WorkspaceLog> {
    const log = this.logs.get(workspaceId) ?? (await WorkspaceLog.open(this.session, workspaceId, this.keys));
    this.logs.set(workspaceId, log);
    return log;
  }
}

/** What a run tells is an event already; what the service tells is one of its own stage. */
function toEvent(told: Readonly<Record<string, Json>>): Event {
  // Half of a surrogate pair has no UTF-8, and one event that cannot be written would stop all.
  const wellFormed: unknown = JSON.parse(JSON.stringify(told), (_, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed() : value,
  );
  const { runId, stage, type, at, actor, data } = wellFormed as Readonly<Partial<Event>> & { readonly actor?: Json };
  const run = runId ?? data?.['run'];
  return {
    runId: typeof run === 'string' ? run : '',
    stage: stage ?? 'control',
    type: type ?? 'unknown',
    at: at ?? '',
    data: { ...data, ...(actor === undefined ? {} : { actor }) },
  };
}
