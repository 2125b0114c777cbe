// Errands of a workspace: what a worker is asked for beside runs, and what came of it. One worker has an errand, once: what it did not finish nobody
// begins again by itself; a login or keys that are half changed another one finishes.
import type { EntityManager } from 'typeorm';

import type { Json } from '../../kernel/canonical-json.js';
import type { DocumentRef } from './run.entity.js';

export type ErrandKind =
  | 'plan'
  | 'datasets'
  | 'erase'
  | 'reach'
  | 'rollback'
  | 'expire'
  | 'clone'
  | 'unclone'
  | 'archive'
  | 'key-rotation'
  | 'key-destruction'
  | 'secret-rotation'
  | 'agents'
  | 'quarantine'
  | 'evidence';

export interface NewErrand {
  readonly id: string;
  readonly kind: ErrandKind;
  /** Empty: it is of the environment alone. */
  readonly pipeline: string;
  readonly environment: string;
  readonly documents: readonly DocumentRef[];
  /** A person's id. */
  readonly requestedBy: string;
  /** What is wanted beside the kind; null: nothing is. */
  readonly wanted: Json;
  /** The id of the clone that it is about. */
  readonly clone?: string | null;
}

export interface ErrandRow extends NewErrand {
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  /** Since its worker was gone in the middle of it: what was begun is to be brought to its end, and nothing begun anew. */
  readonly resumedAt: Date | null;
  readonly endedAt: Date | null;
  readonly result: Json;
  /** As `toErrorView` has it, with its findings. */
  readonly error: Json;
}

export type Loss = 'unclaimed' | 'abandoned';

/** Of these it matters how they ended: one whose worker is gone is kept until another has finished it. */
const finished = `kind IN ('secret-rotation', 'key-rotation', 'key-destruction')`;
const unfinished = `${finished} AND (ended_at IS NULL AND (started_at IS NOT NULL OR resumed_at IS NOT NULL) OR error ->> 'code' = 'ERRAND_ABANDONED')`;

const columns = `id, kind, pipeline, environment, documents, requested_by AS "requestedBy", clone, created_at AS "createdAt",
  wanted, started_at AS "startedAt", resumed_at AS "resumedAt", ended_at AS "endedAt", result, error`;

export class ErrandStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  async insert(errand: NewErrand): Promise<void> {
    const { id, kind, pipeline, environment, documents, requestedBy, wanted, clone = null } = errand;
    await this.manager.query(
      `DELETE FROM bauta.errand WHERE workspace_id = $1 AND created_at < now() - interval '24 hours' AND (${unfinished}) IS NOT TRUE`,
      [this.workspaceId],
    );
    await this.manager.query(
      `INSERT INTO bauta.errand (id, workspace_id, kind, pipeline, environment, documents, requested_by, wanted, clone)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        ...[id, this.workspaceId, kind, pipeline, environment, JSON.stringify(documents), requestedBy],
        ...[wanted === null ? null : JSON.stringify(wanted), clone],
      ],
    );
  }

  async find(id: string): Promise<ErrandRow | undefined> {
    const [row] = await this.manager.query<ErrandRow[]>(`SELECT ${columns} FROM bauta.errand WHERE id = $1 AND workspace_id = $2`, [
      ...[id, this.workspaceId],
    ]);
    return row;
  }

  /** False: somebody has it or had it, or it was asked for longer than `waitMs` ago. */
  async claim(id: string, waitMs: number): Promise<boolean> {
    const claimed = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.errand SET started_at = clock_timestamp(), heard_at = clock_timestamp()
       WHERE id = $1 AND workspace_id = $2 AND started_at IS NULL AND ended_at IS NULL
         AND COALESCE(resumed_at, created_at) > clock_timestamp() - $3 * interval '1 millisecond'`,
      [id, this.workspaceId, waitMs],
    );
    return claimed[1] === 1;
  }

  /** Somebody is at it. */
  async hear(id: string): Promise<void> {
    await this.manager.query(
      'UPDATE bauta.errand SET heard_at = clock_timestamp() WHERE id = $1 AND workspace_id = $2 AND ended_at IS NULL',
      [...[id, this.workspaceId]],
    );
  }

  /** Why nobody will end one that has not ended. */
  async findLoss(id: string, waitMs: number, silentMs: number): Promise<Loss | undefined> {
    const [found] = await this.manager.query<{ unclaimed: boolean; abandoned: boolean }[]>(
      `SELECT started_at IS NULL AND resumed_at IS NULL AND created_at <= clock_timestamp() - $3 * interval '1 millisecond' AS unclaimed,
         heard_at <= clock_timestamp() - $4 * interval '1 millisecond'
           OR started_at IS NULL AND resumed_at <= clock_timestamp() - $3 * interval '1 millisecond' AS abandoned
       FROM bauta.errand WHERE id = $1 AND workspace_id = $2 AND ended_at IS NULL`,
      [id, this.workspaceId, waitMs, silentMs],
    );
    return found?.unclaimed ? 'unclaimed' : found?.abandoned ? 'abandoned' : undefined;
  }

  /** Open again, for another worker to finish, where it is one to be finished and nobody is at it. False: it is not. */
  async resume(id: string, waitMs: number, silentMs: number): Promise<boolean> {
    const resumed = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.errand SET resumed_at = clock_timestamp(), started_at = NULL, heard_at = NULL, ended_at = NULL, error = NULL
       WHERE id = $1 AND workspace_id = $2 AND ${finished} AND (
         ended_at IS NULL AND heard_at <= clock_timestamp() - $4 * interval '1 millisecond'
         OR ended_at IS NULL AND started_at IS NULL AND resumed_at <= clock_timestamp() - $3 * interval '1 millisecond'
         OR error ->> 'code' = 'ERRAND_ABANDONED')`,
      [id, this.workspaceId, waitMs, silentMs],
    );
    return resumed[1] === 1;
  }

  /** The worker's public key of the moment, to seal for. */
  async offer(id: string, recipient: Uint8Array): Promise<void> {
    await this.manager.query('UPDATE bauta.errand SET recipient = $3 WHERE id = $1 AND workspace_id = $2 AND ended_at IS NULL', [
      ...[id, this.workspaceId, Buffer.from(recipient)],
    ]);
  }

  async findRecipient(id: string): Promise<Uint8Array | undefined> {
    const [row] = await this.manager.query<{ recipient: Buffer | null }[]>(
      'SELECT recipient FROM bauta.errand WHERE id = $1 AND workspace_id = $2 AND ended_at IS NULL',
      [id, this.workspaceId],
    );
    return row?.recipient ?? undefined;
  }

  /** Once. False: it was handed already, or it has ended. */
  async hand(id: string, sealed: Uint8Array): Promise<boolean> {
    const [, count] = await this.manager.query<[unknown[], number]>(
      'UPDATE bauta.errand SET handed = $3 WHERE id = $1 AND workspace_id = $2 AND ended_at IS NULL AND handed IS NULL',
      [id, this.workspaceId, Buffer.from(sealed)],
    );
    return count === 1;
  }

  /** What was handed, which is there no more then, and nothing is sealed for that key again. */
  async take(id: string): Promise<Uint8Array | undefined> {
    const [[row]] = await this.manager.query<[{ handed: Buffer }[], number]>(
      `UPDATE bauta.errand e SET handed = NULL, recipient = NULL FROM bauta.errand old
       WHERE e.id = $1 AND e.workspace_id = $2 AND old.id = e.id AND old.handed IS NOT NULL RETURNING old.handed`,
      [id, this.workspaceId],
    );
    return row?.handed;
  }

  /** False: it had ended. */
  async end(id: string, { result, error }: { readonly result?: Json; readonly error?: Json }): Promise<boolean> {
    const ended = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.errand SET ended_at = clock_timestamp(), result = $3, error = $4
       WHERE id = $1 AND workspace_id = $2 AND ended_at IS NULL`,
      [id, this.workspaceId, toText(result), toText(error)],
    );
    return ended[1] === 1;
  }

  /** Those about a clone that nobody has ended. */
  async findOpen(clone: string): Promise<readonly string[]> {
    const found = await this.manager.query<{ id: string }[]>(
      'SELECT id FROM bauta.errand WHERE workspace_id = $1 AND clone = $2 AND ended_at IS NULL ORDER BY created_at',
      [this.workspaceId, clone],
    );
    return found.map(({ id }) => id);
  }

  /** The rotation of a connection that has not ended. Until the transaction ends nobody else asks for one. */
  async findRotation(connection: string): Promise<string | undefined> {
    await this.manager.query(
      `SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('bauta rotation ' || $1 || ' ' || $2, 0))`,
      [...[this.workspaceId, connection]],
    );
    const [found] = await this.manager.query<{ id: string }[]>(
      `SELECT id FROM bauta.errand WHERE workspace_id = $1 AND kind = 'secret-rotation' AND wanted ->> 'connection' = $2 AND ended_at IS NULL`,
      [this.workspaceId, connection],
    );
    return found?.id;
  }

  /** All that have ended. */
  async forget(): Promise<void> {
    await this.manager.query('DELETE FROM bauta.errand WHERE workspace_id = $1 AND ended_at IS NOT NULL', [this.workspaceId]);
  }

  /** Has a worker a run of the pipeline? */
  async isRunning(pipeline: string): Promise<boolean> {
    const found = await this.manager.query<unknown[]>(
      'SELECT FROM bauta.run WHERE workspace_id = $1 AND pipeline = $2 AND ended_at IS NULL AND worker_id IS NOT NULL LIMIT 1',
      [this.workspaceId, pipeline],
    );
    return found.length > 0;
  }
}

const toText = (value: Json | undefined): string | null => (value === undefined ? null : JSON.stringify(value));
