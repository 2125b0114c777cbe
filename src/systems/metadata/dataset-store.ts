// Dataset versions that runs of a workspace published. One is current until another one takes its place on the same target.
import type { EntityManager } from 'typeorm';

import type { DocumentRef } from './run.entity.js';
import type { Json } from '../../kernel/canonical-json.js';

import type { CheckTally } from '../../pipeline/check.js';
import type { PrivacySum } from '../../pipeline/privacy.js';

type Audit = (type: string, data: Readonly<Record<string, Json>>) => Promise<void>;

/** What a version was made with, as digests. */
export interface MadeWith {
  /** By kind and name. */
  readonly documents: Readonly<Record<string, string>>;
  /** Of the source, in scope. */
  readonly catalogueDigest: string;
  readonly policyDigest: string;
  /** Null: it was published before this was kept. */
  readonly policyRevision: string | null;
}

/** Something that is not as it was: a name, and the digest of what it is now. */
export interface Drifted {
  readonly what: string;
  readonly digest: string;
}

export interface DatasetRow extends MadeWith {
  readonly runId: string;
  readonly pipeline: string;
  readonly environment: string;
  readonly target: string;
  readonly version: number;
  readonly publishedAt: Date;
  readonly expiresAt: Date;
  readonly replacedAt: Date | null;
  readonly lookedAt: Date | null;
  /** A code. */
  readonly lookError: string | null;
  readonly drift: readonly Drifted[] | null;
  /** System identifier of the target's server. */
  readonly server: string;
  readonly droppedAt: Date | null;
  /** Under which id the log has it; null: it was found gone. */
  readonly droppedAs: string | null;
  /** Why it could not be dropped, as a code. */
  readonly dropError: string | null;
  readonly revokedAt: Date | null;
  readonly rowsLookedAt: Date | null;
  readonly rowsError: string | null;
  /** Tables whose rows are not those that were published. */
  readonly rowsDrift: readonly Json[] | null;
  readonly quarantinedAt: Date | null;
  /** As the last look that could see them saw them; null: none did yet. */
  readonly readers: Readers | null;
  /** Of its hold, over or not; null: there is none. */
  readonly heldUntil: Date | null;
  /** Null: it was published before there were checks. */
  readonly checks: CheckTally | null;
  /** Null: nothing was measured, and nothing is known. */
  readonly privacy: PrivacySum | null;
}

export interface InventoryRow extends DatasetRow {
  readonly current: boolean;
  /** Versions of the documents that its run was asked for with. */
  readonly refs: readonly DocumentRef[] | null;
}

/** Roles that may connect, and their sessions. */
export interface Readers {
  /** RFC 3339. */
  readonly at: string;
  readonly roles: readonly { readonly role: string; readonly sessions: number }[];
}

export interface DatasetCounts {
  readonly current: number;
  readonly expiring: number;
  readonly expired: number;
  readonly drifted: number;
  /** The last look could not see everything. */
  readonly unlooked: number;
  /** Until the first of them expires; null: there is none. */
  readonly expiresSeconds: number | null;
}

const current = 'published_at IS NOT NULL AND replaced_at IS NULL AND dropped_at IS NULL';
const columns = `run_id AS "runId", pipeline, environment, target, version, documents, catalogue_digest AS "catalogueDigest",
  policy_digest AS "policyDigest", published_at AS "publishedAt", expires_at AS "expiresAt", replaced_at AS "replacedAt",
  looked_at AS "lookedAt", look_error AS "lookError", drift, server, dropped_at AS "droppedAt", dropped_as AS "droppedAs", drop_error AS "dropError",
  revoked_at AS "revokedAt", rows_looked_at AS "rowsLookedAt", rows_error AS "rowsError", rows_drift AS "rowsDrift", quarantined_at AS "quarantinedAt", readers, checks, privacy,
  policy_revision AS "policyRevision", (SELECT h.until FROM bauta.hold h WHERE h.workspace_id = dataset_version.workspace_id
    AND h.run_id = dataset_version.run_id AND h.lifted_at IS NULL) AS "heldUntil"`;

export class DatasetStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
    private readonly audit: Audit,
  ) {}

  /** A run is about to publish. Of several attempts the last one counts. */
  async keep(runId: string, { documents, catalogueDigest, policyDigest, policyRevision }: MadeWith): Promise<void> {
    await this.manager.query(
      `INSERT INTO bauta.dataset_version (workspace_id, run_id, pipeline, environment, documents, catalogue_digest, policy_digest, policy_revision)
       SELECT workspace_id, id, pipeline, environment, $3, $4, $5, $6 FROM bauta.run WHERE workspace_id = $1 AND id = $2
       ON CONFLICT (workspace_id, run_id) DO UPDATE SET documents = $3, catalogue_digest = $4, policy_digest = $5, policy_revision = $6`,
      [this.workspaceId, runId, JSON.stringify(documents), catalogueDigest, policyDigest, policyRevision],
    );
  }

  /** `data`: of the event that says what is intended. */
  async intend(runId: string, data: Readonly<Record<string, Json>>): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.dataset_version SET server = $3, target = $4, version = $5, expires_at = $6 WHERE workspace_id = $1 AND run_id = $2`,
      [this.workspaceId, runId, data['server'], data['target'], data['version'], data['expiresAt']],
    );
  }

  /** What the run intended is published, and takes the place of what was there. `checks`: what they counted; `privacy`: what was measured. */
  async publish(runId: string, checks: CheckTally, privacy: PrivacySum | null): Promise<void> {
    await this.manager.query(
      `WITH made AS (
         UPDATE bauta.dataset_version SET published_at = clock_timestamp(), checks = $3, privacy = $4
         WHERE workspace_id = $1 AND run_id = $2 AND expires_at IS NOT NULL RETURNING server, target)
       UPDATE bauta.dataset_version d SET replaced_at = clock_timestamp(), replaced_by = $2 FROM made
       WHERE d.workspace_id = $1 AND d.server = made.server AND d.target = made.target AND d.run_id <> $2
         AND d.published_at IS NOT NULL AND d.replaced_at IS NULL`,
      [this.workspaceId, runId, JSON.stringify(checks), privacy === null ? null : JSON.stringify(privacy)],
    );
  }

  /** The version of that run is current again, in the place of what was; the next look at it is due. */
  async rollBack({ server, target, runId }: { readonly server: string; readonly target: string; readonly runId: string }): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.dataset_version SET replaced_at = clock_timestamp()
       WHERE workspace_id = $1 AND server = $2 AND target = $3 AND run_id <> $4 AND ${current}`,
      [this.workspaceId, server, target, runId],
    );
    await this.manager.query(
      `UPDATE bauta.dataset_version SET replaced_at = NULL, replaced_by = NULL, looked_at = NULL
       WHERE workspace_id = $1 AND server = $2 AND target = $3 AND run_id = $4 AND published_at IS NOT NULL`,
      [this.workspaceId, server, target, runId],
    );
  }

  /** A run found this version to be what it would have made, by that policy: the next look is due. */
  async renew(runId: string, policy: { readonly digest: string; readonly revision: string }): Promise<void> {
    await this.manager.query(
      `UPDATE bauta.dataset_version SET policy_digest = $3, policy_revision = $4, looked_at = NULL WHERE workspace_id = $1 AND run_id = $2 AND ${current}`,
      [this.workspaceId, runId, policy.digest, policy.revision],
    );
  }

  /** Did the run take the place of one of which people had been told something? */
  async heals(runId: string): Promise<boolean> {
    const found = await this.manager.query<unknown[]>(
      `SELECT FROM bauta.dataset_version WHERE workspace_id = $1 AND replaced_by = $2
         AND (drift IS NOT NULL OR rows_drift IS NOT NULL OR expiring_told_at IS NOT NULL OR expired_told_at IS NOT NULL) LIMIT 1`,
      [this.workspaceId, runId],
    );
    return found.length > 0;
  }

  /** Once each, whoever is first: that it will expire, and that it has. */
  async tellExpiry(runId: string, at: Date): Promise<void> {
    const [rows] = await this.manager.query<[DatasetRow[], number]>(
      `UPDATE bauta.dataset_version SET expired_told_at = CASE WHEN expires_at <= $3 THEN $3 END, expiring_told_at = coalesce(expiring_told_at, $3)
       WHERE workspace_id = $1 AND run_id = $2 AND ${current}
         AND CASE WHEN expires_at <= $3 THEN expired_told_at IS NULL ELSE expiring_told_at IS NULL END RETURNING ${columns}`,
      [this.workspaceId, runId, at],
    );
    for (const row of rows)
      await this.audit(row.expiresAt <= at ? 'dataset.expired' : 'dataset.expiring', {
        ...toView(row),
        expiresAt: row.expiresAt.toISOString(),
      });
  }

  /** As `askForLook`: for who is to drop what has expired. */
  async askForDrop(runId: string, at: Date, since: Date): Promise<boolean> {
    const [rows] = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.dataset_version SET drop_asked_at = $3
       WHERE workspace_id = $1 AND run_id = $2 AND dropped_at IS NULL AND expires_at <= $3 AND (drop_asked_at IS NULL OR drop_asked_at <= $4)
       RETURNING run_id`,
      [this.workspaceId, runId, at, since],
    );
    return rows.length > 0;
  }

  /** As `askForLook`: for who is to compare the rows. */
  async askForRows(runId: string, at: Date, since: Date): Promise<boolean> {
    const [rows] = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.dataset_version SET rows_looked_at = $3
       WHERE workspace_id = $1 AND run_id = $2 AND ${current} AND coalesce(rows_looked_at, published_at) <= $4 RETURNING run_id`,
      [this.workspaceId, runId, at, since],
    );
    return rows.length > 0;
  }

  /** What a look at the rows saw: what differs, in words without a value. True: somebody has to do something about it, and nobody was told before. */
  async keepRows(runId: string, { tables, readers }: { readonly tables: readonly string[]; readonly readers: Readers }): Promise<boolean> {
    const [row] = await this.select(`run_id = $2 AND ${current} FOR UPDATE`, [runId]);
    if (!row) return false;
    const drift = tables.length === 0 ? null : JSON.stringify(tables);
    await this.manager.query(
      'UPDATE bauta.dataset_version SET rows_drift = $3, rows_error = NULL, readers = $4 WHERE workspace_id = $1 AND run_id = $2',
      [this.workspaceId, runId, drift, JSON.stringify(readers)],
    );
    const before = row.rowsDrift === null ? null : JSON.stringify(row.rowsDrift);
    if (drift !== null && drift !== before) await this.audit('dataset.drifted', { ...toView(row), changed: tables });
    if (drift === null && before !== null) await this.audit('dataset.recovered', toView(row));
    return drift !== null && before === null;
  }

  async keepRowsError(runId: string, code: string): Promise<void> {
    const [row] = await this.select(`run_id = $2 AND ${current} FOR UPDATE`, [runId]);
    if (!row || row.rowsError === code) return;
    await this.manager.query('UPDATE bauta.dataset_version SET rows_error = $3 WHERE workspace_id = $1 AND run_id = $2', [
      this.workspaceId,
      runId,
      code,
    ]);
    await this.audit('dataset.look-failed', { ...toView(row), code });
  }

  async quarantine(runId: string): Promise<void> {
    await this.manager.query(
      'UPDATE bauta.dataset_version SET quarantined_at = clock_timestamp() WHERE workspace_id = $1 AND run_id = $2',
      [...[this.workspaceId, runId]],
    );
  }

  /** Dropped under this id of the log; null: somebody came to drop it, and it was not there. Told once. */
  async drop(runId: string, as: string | null): Promise<void> {
    const [rows] = await this.manager.query<[DatasetRow[], number]>(
      `UPDATE bauta.dataset_version SET dropped_at = clock_timestamp(), dropped_as = $3, drop_error = NULL
       WHERE workspace_id = $1 AND run_id = $2 AND dropped_at IS NULL RETURNING ${columns}`,
      [this.workspaceId, runId, as],
    );
    for (const row of rows)
      await this.audit(as === null ? 'dataset.gone' : 'dataset.ended', { ...toView(row), ...(as === null ? {} : { drop: as }) });
  }

  /** Why it is still there; told when it is another reason than before. Null: nothing is in the way. */
  async keepDropError(runId: string, code: string | null): Promise<void> {
    const [row] = await this.select('run_id = $2 AND dropped_at IS NULL FOR UPDATE', [runId]);
    if (!row || row.dropError === code) return;
    await this.manager.query('UPDATE bauta.dataset_version SET drop_error = $3 WHERE workspace_id = $1 AND run_id = $2', [
      this.workspaceId,
      runId,
      code,
    ]);
    if (code !== null) await this.audit('dataset.not-dropped', { ...toView(row), code });
  }

  /** Of this target, published and not known to be dropped. */
  async standing({ server, target }: { readonly server: string; readonly target: string }): Promise<readonly DatasetRow[]> {
    return this.select('server = $2 AND target = $3 AND published_at IS NOT NULL AND dropped_at IS NULL', [server, target]);
  }

  /** True for the one who asks first; the others find that it was asked for since. */
  async askForLook(runId: string, at: Date, since: Date): Promise<boolean> {
    const [rows] = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.dataset_version SET looked_at = $3
       WHERE workspace_id = $1 AND run_id = $2 AND ${current} AND coalesce(looked_at, published_at) <= $4 RETURNING run_id`,
      [this.workspaceId, runId, at, since],
    );
    return rows.length > 0;
  }

  /** What is current, newest first: ids of runs sort by time, as bytes. */
  async list(
    limit: number,
    { pipeline, environments }: { readonly pipeline?: string; readonly environments?: readonly string[] },
    before?: string,
  ): Promise<readonly DatasetRow[]> {
    return this.select(
      `${current} AND ($2::text IS NULL OR pipeline = $2) AND ($3::text[] IS NULL OR environment = ANY ($3))
         AND ($4::text IS NULL OR run_id COLLATE "C" < $4) ORDER BY run_id COLLATE "C" DESC LIMIT $5`,
      [pipeline ?? null, environments ?? null, before ?? null, limit],
    );
  }

  /** What these environments have, by pipeline: what is current, and of what was before it that which is held. */
  async inEnvironments(names: readonly string[], at: Date): Promise<readonly InventoryRow[]> {
    return this.manager.query<InventoryRow[]>(
      `SELECT ${columns}, replaced_at IS NULL AS current, (
           SELECT r.documents FROM bauta.run r WHERE r.workspace_id = dataset_version.workspace_id AND r.id = dataset_version.run_id) AS refs
       FROM bauta.dataset_version WHERE workspace_id = $1 AND published_at IS NOT NULL AND dropped_at IS NULL AND run_id IN (
         SELECT run_id FROM bauta.dataset_version WHERE workspace_id = $1 AND environment = ANY ($2) AND ${current}
         UNION SELECT run_id FROM bauta.hold WHERE workspace_id = $1 AND lifted_at IS NULL AND until > $3)
         AND environment = ANY ($2) ORDER BY pipeline, target, version DESC`,
      [this.workspaceId, names, at],
    );
  }

  async find(runId: string): Promise<DatasetRow | undefined> {
    return (await this.select('run_id = $2', [runId]))[0];
  }

  /** Until the transaction ends: what is said of it and its drop come one after the other. */
  async lock(runId: string): Promise<DatasetRow | undefined> {
    return (await this.select('run_id = $2 FOR UPDATE', [runId]))[0];
  }

  async revoke(runId: string): Promise<void> {
    await this.manager.query(
      'UPDATE bauta.dataset_version SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE workspace_id = $1 AND run_id = $2',
      [this.workspaceId, runId],
    );
  }

  /** What a look saw. What is new is told; when nothing is left of what was told, that too. A version that was replaced meanwhile is nobody's concern. */
  async keepLook(runId: string, seen: { readonly drift: readonly Drifted[]; readonly error: string | null }): Promise<void> {
    const [row] = await this.select(`run_id = $2 AND ${current} FOR UPDATE`, [runId]);
    if (!row) return;
    const before = row.drift ?? [];
    const drift = seen.drift.length === 0 ? null : JSON.stringify(seen.drift);
    await this.manager.query('UPDATE bauta.dataset_version SET drift = $3, look_error = $4 WHERE workspace_id = $1 AND run_id = $2', [
      ...[this.workspaceId, runId, drift, seen.error],
    ]);
    const isNew = ({ what, digest }: Drifted): boolean => !before.some((one) => one.what === what && one.digest === digest);
    if (seen.drift.some(isNew)) await this.audit('dataset.drifted', { ...toView(row), changed: seen.drift.map(({ what }) => what) });
    if (seen.drift.length === 0 && before.length > 0) await this.audit('dataset.recovered', toView(row));
    if (seen.error !== null && seen.error !== row.lookError) await this.audit('dataset.look-failed', { ...toView(row), code: seen.error });
  }

  async count(): Promise<DatasetCounts> {
    const [row] = await this.manager.query<DatasetCounts[]>(
      `SELECT count(*)::integer AS current, (count(*) FILTER (WHERE expires_at > clock_timestamp() AND expiring_told_at IS NOT NULL))::integer AS expiring,
         (count(*) FILTER (WHERE expires_at <= clock_timestamp()))::integer AS expired, count(drift)::integer AS drifted,
         count(look_error)::integer AS unlooked, extract(epoch FROM min(expires_at) - clock_timestamp())::float8 AS "expiresSeconds"
       FROM bauta.dataset_version WHERE workspace_id = $1 AND ${current}`,
      [this.workspaceId],
    );
    return row!;
  }

  private select(condition: string, parameters: readonly unknown[]): Promise<readonly DatasetRow[]> {
    return this.manager.query<DatasetRow[]>(`SELECT ${columns} FROM bauta.dataset_version WHERE workspace_id = $1 AND ${condition}`, [
      ...[this.workspaceId, ...parameters],
    ]);
  }
}

function toView({ runId, pipeline, environment, target, version }: DatasetRow): Readonly<Record<string, Json>> {
  return { run: runId, pipeline, environment, target, version };
}
