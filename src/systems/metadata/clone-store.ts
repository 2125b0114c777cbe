// Clones of a workspace's environments. One that is there (`making`, `ready`, `dropping`) is alone with its purpose in its environment.
import type { EntityManager } from 'typeorm';

import type { Json } from '../../kernel/canonical-json.js';

export interface CloneLink {
  readonly mac: Uint8Array;
  /** Public: what is sealed for it opens with the link's secret alone. */
  readonly key: Uint8Array;
  readonly expiresAt: Date;
}

export interface NewClone {
  readonly id: string;
  readonly environment: string;
  readonly pipeline: string;
  readonly purpose: string;
  readonly hours: number;
  /** A person's id. */
  readonly requestedBy: string;
}

export interface CloneRow extends NewClone {
  readonly state: 'making' | 'ready' | 'dropping' | 'dropped' | 'failed';
  readonly createdAt: Date;
  readonly askedAt: Date;
  readonly endedAt: Date | null;
  readonly version: number | null;
  readonly database: string | null;
  readonly expiresAt: Date | null;
  /** As `toErrorView` has it. */
  readonly error: Json;
  readonly linkMac: Uint8Array | null;
  readonly linkKey: Uint8Array | null;
  readonly linkExpiresAt: Date | null;
  readonly sealed: Uint8Array | null;
  readonly redeemedAt: Date | null;
}

const columns = `id, environment, pipeline, purpose, hours, requested_by AS "requestedBy", state, created_at AS "createdAt", asked_at AS "askedAt",
  ended_at AS "endedAt", version, database, expires_at AS "expiresAt", error, link_mac AS "linkMac", link_key AS "linkKey",
  link_expires_at AS "linkExpiresAt", sealed, redeemed_at AS "redeemedAt"`;

export interface CloneCount {
  readonly environment: string;
  readonly count: number;
  readonly until: Date | null;
}

export class CloneStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** False: there is one for the same. */
  async insert(clone: NewClone): Promise<boolean> {
    const { id, environment, pipeline, purpose, hours, requestedBy } = clone;
    const inserted = await this.manager.query<unknown[]>(
      `INSERT INTO bauta.clone (id, workspace_id, environment, pipeline, purpose, hours, requested_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (workspace_id, environment, purpose) WHERE ended_at IS NULL DO NOTHING RETURNING id`,
      [id, this.workspaceId, environment, pipeline, purpose, hours, requestedBy],
    );
    return inserted.length === 1;
  }

  async find(id: string, lock: '' | 'FOR UPDATE' = ''): Promise<CloneRow | undefined> {
    const sql = `SELECT ${columns} FROM bauta.clone WHERE workspace_id = $1 AND id = $2 ${lock}`;
    return (await this.manager.query<CloneRow[]>(sql, [this.workspaceId, id]))[0];
  }

  /** The one that is there for this purpose, locked. */
  async findFor(environment: string, purpose: string): Promise<CloneRow | undefined> {
    const [found] = await this.manager.query<CloneRow[]>(
      `SELECT ${columns} FROM bauta.clone WHERE workspace_id = $1 AND environment = $2 AND purpose = $3 AND ended_at IS NULL FOR UPDATE`,
      [this.workspaceId, environment, purpose],
    );
    return found;
  }

  /** By id, those that are there and those that ended within a day. */
  async list(environment: string, limit: number, after = ''): Promise<readonly CloneRow[]> {
    return this.manager.query<CloneRow[]>(
      `SELECT ${columns} FROM bauta.clone WHERE workspace_id = $1 AND environment = $2 AND id > $3
         AND (ended_at IS NULL OR ended_at > now() - interval '24 hours') ORDER BY id LIMIT $4`,
      [this.workspaceId, environment, after, limit],
    );
  }

  /** How many each of these environments has, and when the last of them goes by itself; null: one is still being made. */
  async count(environments: readonly string[]): Promise<readonly CloneCount[]> {
    return this.manager.query<CloneCount[]>(
      `SELECT environment, count(*)::integer AS count, CASE WHEN count(expires_at) = count(*) THEN max(expires_at) END AS until
       FROM bauta.clone WHERE workspace_id = $1 AND environment = ANY ($2) AND ended_at IS NULL GROUP BY environment`,
      [this.workspaceId, environments],
    );
  }

  /** A worker is asked for it, with a new link. */
  async ask(
    id: string,
    { hours, requestedBy }: Pick<NewClone, 'hours' | 'requestedBy'>,
    { mac, key, expiresAt }: CloneLink,
  ): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.clone SET state = 'making', hours = $3, requested_by = $4, asked_at = now(), error = NULL, link_mac = $5, link_key = $6,
         link_expires_at = $7, sealed = NULL, redeemed_at = NULL WHERE workspace_id = $1 AND id = $2`,
      [this.workspaceId, id, hours, requestedBy, mac, key, expiresAt],
    );
  }

  async ready(id: string, made: Pick<CloneRow, 'version' | 'database' | 'sealed'> & { readonly expiresAt: Date }): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.clone SET state = CASE WHEN unwanted THEN 'dropping' ELSE 'ready' END, asked_at = CASE WHEN unwanted THEN 'epoch' ELSE asked_at END,
         version = $3, database = $4, expires_at = $5, sealed = CASE WHEN unwanted THEN NULL ELSE $6::bytea END
       WHERE workspace_id = $1 AND id = $2 AND state = 'making'`,
      [this.workspaceId, id, made.version, made.database, made.expiresAt, made.sealed],
    );
  }

  /** What could not be made anew goes on as it was until its time; what was never there is dropped, whatever is left of it. */
  async fail(id: string, error: object): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.clone SET state = CASE WHEN database IS NULL OR unwanted THEN 'dropping' ELSE 'ready' END, error = $3, asked_at = 'epoch', sealed = NULL, link_mac = NULL
       WHERE workspace_id = $1 AND id = $2 AND state = 'making'`,
      [this.workspaceId, id, JSON.stringify(error)],
    );
  }

  /** What is being made cannot be dropped yet. */
  async unwanted(id: string): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.clone SET unwanted = true, sealed = NULL, link_mac = NULL WHERE workspace_id = $1 AND id = $2 AND state = 'making'`,
      [this.workspaceId, id],
    );
  }

  /** Its link is worth nothing from here on. */
  async dropping(id: string): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.clone SET state = 'dropping', asked_at = now(), sealed = NULL, link_mac = NULL
       WHERE workspace_id = $1 AND id = $2 AND ended_at IS NULL`,
      [this.workspaceId, id],
    );
  }

  async dropped(id: string): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.clone SET state = CASE WHEN database IS NULL AND error IS NOT NULL THEN 'failed' ELSE 'dropped' END, ended_at = now()
       WHERE workspace_id = $1 AND id = $2 AND state = 'dropping'`,
      [this.workspaceId, id],
    );
  }

  /** The credentials are gone from here with it. */
  async redeem(id: string): Promise<void> {
    await this.manager.query('UPDATE bauta.clone SET redeemed_at = clock_timestamp(), sealed = NULL WHERE workspace_id = $1 AND id = $2', [
      ...[this.workspaceId, id],
    ]);
  }
}
