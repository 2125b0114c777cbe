// The chain of one workspace's logs, written by the one sequencer that holds the lock: leaves, digests of full tiles and the signed checkpoint that
// covers them are one transaction, so that there is never a leaf that nobody signed, nor two signatures of one size.
import type { QueryRunner } from 'typeorm';

import { toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { type Signer, formatVerifierKey } from '../../kernel/signed-note.js';
import { type FullTile, LogEdge, openCheckpoint, signCheckpoint, toLeaf, toLeafDigest } from '../../pipeline/audit/audit.js';
import type { Checkpoint, Event } from '../../pipeline/event.js';
import type { LogKeys } from './log-keys.js';
import { keepStanding } from './standing.js';

/** An event, and the key by which whoever waits for its place finds it. */
export interface Sequenced {
  readonly event: Event;
  readonly key: string | null;
}

interface CheckpointRow {
  readonly log: string;
  readonly size: string;
  readonly note: string;
}

export class WorkspaceLog {
  private constructor(
    private readonly workspaceId: string,
    private readonly period: LogKeys['period'],
    private readonly signer: Signer,
    /** The open log; empty before the first. */
    private name: string,
    private edge: LogEdge,
    private signed: string,
  ) {}

  /** The signed text of the newest checkpoint. */
  get note(): string {
    return this.signed;
  }

  /** The log as it was signed last. Throws LOG_KEY_CHANGED, LOG_INCONSISTENT, LOG_ROLLED_BACK or LOG_FORKED: then nothing is signed any more. */
  static async open(session: QueryRunner, workspaceId: string, keys: LogKeys): Promise<WorkspaceLog> {
    const signer = await keys.signerOf(workspaceId);
    await requireKey(session, workspaceId, signer);
    const [row] = await query<CheckpointRow>(
      session,
      'SELECT log, size, note FROM bauta.audit_checkpoint WHERE workspace_id = $1 ORDER BY log COLLATE "C" DESC, size DESC LIMIT 1',
      [workspaceId],
    );
    const edge = await LogEdge.read(Number(row?.size ?? 0), ({ level, index, width }) =>
      readDigests(session, [workspaceId, row?.log ?? '', index * 256, index * 256 + width], Number(level)),
    );
    const log = new WorkspaceLog(workspaceId, keys.period, signer, row?.log ?? '', edge, row?.note ?? '');
    if (row) log.requireSigned(row);
    await log.requireContinuation(session, await keys.lastOf(workspaceId));
    return log;
  }

  /** MUST be in a transaction; when that fails, the object MUST be thrown away. */
  async append(session: QueryRunner, events: readonly Sequenced[], nowMs: number): Promise<void> {
    const at = toTimestamp(nowMs);
    const period = { year: at.slice(0, 4), month: at.slice(0, 7), never: '' }[this.period];
    const chain = (type: string, data: Event['data']): Sequenced => ({ event: { runId: '', stage: 'audit', type, at, data }, key: null });
    // A clock that was set back changes nothing: a log that has ended is never gone back to.
    if (this.name === '' || period > this.name) {
      const previous = this.name === '' ? null : await this.write(session, [chain('log.closed', { next: period })]);
      this.name = period || at.slice(0, 4);
      this.edge = new LogEdge();
      await this.write(session, [chain('log.opened', { previous }), ...events]);
    } else await this.write(session, events);
  }

  private get checkpoint(): Checkpoint {
    return { origin: `${this.signer.verifier.name}/${this.name}`, size: this.edge.size, root: this.edge.root };
  }

  private async write(session: QueryRunner, events: readonly Sequenced[]): Promise<string> {
    const from = this.edge.size;
    const full: FullTile[] = [];
    const leaves = events.map(({ event, key }) => {
      const { bytes, payload } = toLeaf(event);
      const digest = toLeafDigest(bytes);
      full.push(...this.edge.append(digest));
      const more = payload ? [payload.bytes.toString('utf8'), payload.digest] : [null, null];
      return [event.type, bytes.toString('utf8'), ...more, digest.toString('hex'), key, event.runId === '' ? null : event.runId];
    });
    const { size, root } = this.checkpoint;
    this.signed = signCheckpoint(this.checkpoint, this.signer);
    const at = [this.workspaceId, this.name];
    await session.query(
      `INSERT INTO bauta.audit_leaf (workspace_id, log, position, type, event, payload, payload_digest, digest, key, run_id)
       SELECT $1, $2, $3::bigint + l.n - 1, l.type, l.event::json, l.payload::json, l.payload_digest, decode(l.digest, 'hex'), l.key, l.run_id
       FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[], $10::text[])
         WITH ORDINALITY AS l (type, event, payload, payload_digest, digest, key, run_id, n)`,
      [...at, from, ...[0, 1, 2, 3, 4, 5, 6].map((column) => leaves.map((leaf) => leaf[column]))],
    );
    for (const { level, index, digest } of full)
      await session.query('INSERT INTO bauta.audit_tile (workspace_id, log, level, position, digest) VALUES ($1, $2, $3, $4, $5)', [
        ...[...at, level, index, digest],
      ]);
    await keepStanding(session, { workspaceId: this.workspaceId, log: this.name, from }, events);
    await session.query('INSERT INTO bauta.audit_checkpoint (workspace_id, log, size, root, note) VALUES ($1, $2, $3, $4, $5)', [
      ...[...at, size, root, this.signed],
    ]);
    return this.signed;
  }

  private requireSigned({ size, note }: CheckpointRow): void {
    const opened = openCheckpoint(note, [this.signer.verifier]);
    const { origin, root } = this.checkpoint;
    const said = opened.problem ? undefined : opened.checkpoint;
    if (said?.origin !== origin || said.size !== Number(size) || said.size !== this.edge.size || said.root !== root)
      throw toError('LOG_INCONSISTENT', { file: origin });
  }

  /** The database MUST go on from what was signed last: else a backup was restored, and signing it again would make two histories of one log. */
  private async requireContinuation(session: QueryRunner, last: string | undefined): Promise<void> {
    if (last === undefined) return;
    const opened = openCheckpoint(last, [this.signer.verifier]);
    if (opened.problem) throw toError('LOG_KEY_CHANGED', { file: 'the checkpoint that was signed last' });
    const { origin, size, root } = opened.checkpoint;
    const name = origin.slice(origin.lastIndexOf('/') + 1);
    const where = { file: this.checkpoint.origin, amount: String(this.edge.size), expected: String(size) };
    if (name > this.name || (name === this.name && size > this.edge.size)) throw toError('LOG_ROLLED_BACK', where);
    const edge = await LogEdge.read(size, ({ level, index, width }) =>
      readDigests(session, [this.workspaceId, name, index * 256, index * 256 + width], Number(level)),
    );
    if (edge.root !== root) throw toError('LOG_FORKED', where);
  }
}

/** The first sequencer says whose logs these are; one with another key signs nothing. */
async function requireKey(session: QueryRunner, workspaceId: string, { verifier }: Signer): Promise<void> {
  const key = formatVerifierKey(verifier);
  const find = (): Promise<{ verifier: string }[]> =>
    query(session, 'SELECT verifier FROM bauta.audit_key WHERE workspace_id = $1', [workspaceId]);
  let [row] = await find();
  if (!row) {
    await session.query('INSERT INTO bauta.audit_key (workspace_id, verifier) VALUES ($1, $2)', [workspaceId, key]);
    [row] = await find();
  }
  if (row?.verifier !== key) throw toError('LOG_KEY_CHANGED', { file: 'the log of the metadata database' });
}

async function readDigests(session: QueryRunner, [workspaceId, log, from, to]: readonly unknown[], level: number): Promise<Buffer[]> {
  const rows = await query<{ digest: Buffer }>(
    session,
    level === 0
      ? `SELECT digest FROM bauta.audit_leaf WHERE workspace_id = $1 AND log = $2 AND position >= $3 AND position < $4 ORDER BY position`
      : `SELECT digest FROM bauta.audit_tile WHERE workspace_id = $1 AND log = $2 AND level = $5 AND position >= $3 AND position < $4 ORDER BY position`,
    level === 0 ? [workspaceId, log, from, to] : [workspaceId, log, from, to, level],
  );
  return rows.map(({ digest }) => digest);
}

function query<Row>(session: QueryRunner, sql: string, parameters: unknown[]): Promise<Row[]> {
  return session.query(sql, parameters) as Promise<Row[]>;
}
