// Deployments of a workspace that stand by a decision, what happened that may make them others, and decisions that were flipped.
import type { EntityManager } from 'typeorm';

import type { Json } from '../../kernel/canonical-json.js';

/** What it is found by: of each the last yes that was enforced. */
export interface DeploymentKey {
  readonly gate: string;
  readonly environment: string;
  readonly service: string;
}

export interface Deployment extends DeploymentKey {
  readonly decisionId: string;
  readonly decidedAt: Date;
  readonly commit: string | null;
  /** Digest. */
  readonly image: string | null;
  /** Run that made the version that the tests ran on. */
  readonly dataset: string | null;
}

export interface NewFlip {
  readonly decisionId: string;
  /** Of its entry in the outbox. */
  readonly key: string;
  readonly at: Date;
  readonly reasons: Json;
  readonly revoked: string | null;
}

const columns = `gate, environment, service, decision_id AS "decisionId", decided_at AS "decidedAt", commit, image, dataset`;

export class DeploymentStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** Each in the place of the one before; looked at once soon, since something may have happened while it was decided. */
  async keep(deployments: readonly Deployment[]): Promise<void> {
    const last = new Map<string, Deployment>();
    for (const one of deployments) {
      const key = JSON.stringify([one.gate, one.environment, one.service]);
      const before = last.get(key);
      if (!before || before.decidedAt <= one.decidedAt) last.set(key, one);
    }
    // In one order everywhere: two replicas that keep the same ones do not wait for each other.
    const rows = [...last.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
    if (rows.length === 0) return;
    await this.manager.query(
      `INSERT INTO bauta.deployment AS d (workspace_id, gate, environment, service, decision_id, decided_at, commit, image, dataset, due_at)
       SELECT $1, n.*, clock_timestamp()
       FROM unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[], $7::text[], $8::text[], $9::text[]) n
       ON CONFLICT (workspace_id, gate, environment, service) DO UPDATE SET decision_id = EXCLUDED.decision_id, decided_at = EXCLUDED.decided_at,
         commit = EXCLUDED.commit, image = EXCLUDED.image, dataset = EXCLUDED.dataset, due_at = EXCLUDED.due_at, flipped_at = NULL
       WHERE d.decided_at <= EXCLUDED.decided_at`,
      [
        ...[this.workspaceId, rows.map(({ gate }) => gate), rows.map(({ environment }) => environment), rows.map(({ service }) => service)],
        ...[rows.map(({ decisionId }) => decisionId), rows.map(({ decidedAt }) => decidedAt.toISOString())],
        ...[rows.map(({ commit }) => commit), rows.map(({ image }) => image), rows.map(({ dataset }) => dataset)],
      ],
    );
  }

  /** What happened, and which deployments that may be about, or are to be looked at anyhow. */
  async toCheck(): Promise<{ readonly happened: readonly string[]; readonly deployments: readonly Deployment[] }> {
    const rows = await this.manager.query<{ id: string }[]>('SELECT id FROM bauta.recheck WHERE workspace_id = $1 ORDER BY id LIMIT 1000', [
      this.workspaceId,
    ]);
    const happened = rows.map(({ id }) => id);
    const deployments = await this.manager.query<Deployment[]>(
      `SELECT ${columns} FROM bauta.deployment d WHERE workspace_id = $1 AND flipped_at IS NULL AND (due_at <= clock_timestamp() OR EXISTS (
         SELECT FROM bauta.recheck r WHERE r.workspace_id = $1 AND r.id = ANY ($2::bigint[]) AND (r.kind IS NULL
           OR r.name = CASE r.kind WHEN 'commit' THEN d.commit WHEN 'image' THEN d.image WHEN 'environment' THEN d.environment
             WHEN 'dataset' THEN d.dataset END)))
       ORDER BY gate, environment, service`,
      [this.workspaceId, happened],
    );
    return { happened, deployments };
  }

  /** Everything that it may be about was looked at. */
  async forget(happened: readonly string[]): Promise<void> {
    await this.manager.query('DELETE FROM bauta.recheck WHERE workspace_id = $1 AND id = ANY ($2::bigint[])', [this.workspaceId, happened]);
  }

  /** It stands, and is looked at again then at the latest. */
  async stands(of: Deployment, dueAt: Date | null): Promise<void> {
    await this.update(of, 'due_at = $6', dueAt);
  }

  /** True for the one who does it; false: somebody did, or another decision stands in its place. */
  async flip(of: Deployment, { key, at, reasons, revoked }: NewFlip): Promise<boolean> {
    if (!(await this.update(of, 'due_at = NULL, flipped_at = $6', at))) return false;
    await this.manager.query(
      'INSERT INTO bauta.flip (workspace_id, decision_id, key, flipped_at, reasons, revoked) VALUES ($1, $2, $3, $4, $5, $6)',
      [this.workspaceId, of.decisionId, key, at, JSON.stringify(reasons), revoked],
    );
    return true;
  }

  private async update({ gate, environment, service, decisionId }: Deployment, set: string, at: Date | null): Promise<boolean> {
    const [rows] = await this.manager.query<[unknown[], number]>(
      `UPDATE bauta.deployment SET ${set} WHERE workspace_id = $1 AND gate = $2 AND environment = $3 AND service = $4 AND decision_id = $5
         AND flipped_at IS NULL RETURNING gate`,
      [this.workspaceId, gate, environment, service, decisionId, at],
    );
    return rows.length > 0;
  }
}
