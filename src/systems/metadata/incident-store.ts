// Incidents of a workspace, the steps that are taken about each, and the files that came of it. Whoever holds the incident's row takes a step; a step
// and that it was taken are one transaction.
import type { EntityManager } from 'typeorm';

import type { Json } from '../../kernel/canonical-json.js';
import type { PlaybookStep } from '../../pipeline/playbook.js';

export type IncidentOutcome = 'resolved' | 'false-alarm';

export interface NewIncident {
  readonly id: string;
  readonly rule: string;
  readonly environment: string;
  readonly pipeline: string;
  readonly playbook: string;
  /** 0: the one that came with the release. */
  readonly playbookVersion: number;
  readonly openedAt: Date;
  /** A person's id; null: an alert or a rule. */
  readonly openedBy: string | null;
  /** In whose name workers are asked. */
  readonly answeredBy: string;
  readonly anomaly: string | null;
  /** A commitment. */
  readonly reason: string | null;
  readonly evidenceFrom: Date;
  /** Null: its playbook freezes nothing. */
  readonly frozenAt: Date | null;
}

export interface IncidentRow extends NewIncident {
  readonly closedAt: Date | null;
  readonly closedBy: string | null;
  readonly outcome: IncidentOutcome | null;
  /** A commitment. */
  readonly closeReason: string | null;
  readonly liftApprovedBy: string | null;
  readonly liftedAt: Date | null;
}

export type StepState = 'waiting' | 'asked' | 'done' | 'skipped' | 'failed';

export interface IncidentStep {
  readonly position: number;
  readonly step: PlaybookStep;
  readonly state: StepState;
  readonly tries: number;
  /** What a worker was asked for. */
  readonly errand: string | null;
  /** A code. */
  readonly error: string | null;
  readonly detail: Json;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
}

export interface IncidentFile {
  readonly name: string;
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const columns = `id, rule, environment, pipeline, playbook, playbook_version AS "playbookVersion", opened_at AS "openedAt", opened_by AS "openedBy",
  answered_by AS "answeredBy", anomaly_id AS anomaly, reason, evidence_from AS "evidenceFrom", frozen_at AS "frozenAt", closed_at AS "closedAt",
  closed_by AS "closedBy", outcome, close_reason AS "closeReason", lift_approved_by AS "liftApprovedBy", lifted_at AS "liftedAt"`;
const stepColumns = `position, step, state, tries, errand, error, detail, started_at AS "startedAt", ended_at AS "endedAt"`;

export class IncidentStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** False: there is one of the same rule about the same that is open. */
  async insert(incident: NewIncident, steps: readonly PlaybookStep[]): Promise<boolean> {
    const { id, rule, environment, pipeline, playbook, playbookVersion, openedAt, openedBy, answeredBy, anomaly, reason } = incident;
    const inserted = await this.query<unknown>(
      `INSERT INTO bauta.incident (workspace_id, id, rule, environment, pipeline, playbook, playbook_version, opened_at, opened_by, answered_by,
         anomaly_id, reason, evidence_from, frozen_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
       ON CONFLICT (workspace_id, rule, environment, pipeline) WHERE closed_at IS NULL DO NOTHING RETURNING id`,
      [
        ...[id, rule, environment, pipeline, playbook, playbookVersion, openedAt, openedBy, answeredBy, anomaly, reason],
        ...[incident.evidenceFrom, incident.frozenAt],
      ],
    );
    if (inserted.length === 0) return false;
    await this.query(
      `INSERT INTO bauta.incident_step (workspace_id, incident_id, position, step)
       SELECT $1, $2, s.n - 1, s.step FROM unnest($3::text[]) WITH ORDINALITY AS s (step, n)`,
      [id, steps],
    );
    return true;
  }

  async findOpen({
    rule,
    environment,
    pipeline,
  }: Pick<NewIncident, 'rule' | 'environment' | 'pipeline'>): Promise<IncidentRow | undefined> {
    return (await this.select('rule = $2 AND environment = $3 AND pipeline = $4 AND closed_at IS NULL', [rule, environment, pipeline]))[0];
  }

  async find(id: string, lock: '' | 'FOR UPDATE' | 'FOR UPDATE SKIP LOCKED' = ''): Promise<IncidentRow | undefined> {
    return (await this.select(`id = $2 ${lock}`, [id]))[0];
  }

  /** Newest first. `environments`: only of these. */
  async list(
    limit: number,
    { open, environments }: { readonly open?: boolean; readonly environments?: readonly string[] },
    before?: string,
  ): Promise<readonly IncidentRow[]> {
    return this.select(
      `($2::boolean IS NULL OR (closed_at IS NULL) = $2) AND ($3::text[] IS NULL OR environment = ANY ($3))
         AND ($4::text IS NULL OR (opened_at, id) < (SELECT b.opened_at, b.id FROM bauta.incident b WHERE b.workspace_id = $1 AND b.id = $4))
       ORDER BY opened_at DESC, id DESC LIMIT $5`,
      [open ?? null, environments ?? null, before ?? null, limit],
    );
  }

  /** Of each how many there are: open, and frozen whether open or not. */
  async count(): Promise<{ readonly open: number; readonly frozen: number; readonly failedSteps: number }> {
    const [row] = await this.query<{ open: number; frozen: number; failedSteps: number }>(
      `SELECT count(*) FILTER (WHERE closed_at IS NULL)::integer AS open,
         count(*) FILTER (WHERE frozen_at IS NOT NULL AND lifted_at IS NULL)::integer AS frozen,
         (SELECT count(*)::integer FROM bauta.incident_step s JOIN bauta.incident i ON i.workspace_id = s.workspace_id AND i.id = s.incident_id
          WHERE s.workspace_id = $1 AND s.state = 'failed' AND i.closed_at IS NULL) AS "failedSteps"
       FROM bauta.incident WHERE workspace_id = $1`,
    );
    return row ?? { open: 0, frozen: 0, failedSteps: 0 };
  }

  /** By which incident nothing is provisioned there; undefined: none. */
  async findFreeze(environment: string, pipeline: string): Promise<string | undefined> {
    const [row] = await this.query<{ id: string }>(
      `SELECT id FROM bauta.incident WHERE workspace_id = $1 AND environment = $2 AND pipeline = $3 AND frozen_at IS NOT NULL AND lifted_at IS NULL
       ORDER BY opened_at LIMIT 1`,
      [environment, pipeline],
    );
    return row?.id;
  }

  /** Runs of the pipeline that have not ended. */
  async openRuns(environment: string, pipeline: string): Promise<readonly string[]> {
    const rows = await this.query<{ id: string }>(
      'SELECT id FROM bauta.run WHERE workspace_id = $1 AND environment = $2 AND pipeline = $3 AND ended_at IS NULL ORDER BY id',
      [environment, pipeline],
    );
    return rows.map(({ id }) => id);
  }

  async steps(id: string): Promise<readonly IncidentStep[]> {
    return this.query<IncidentStep>(
      `SELECT ${stepColumns} FROM bauta.incident_step WHERE workspace_id = $1 AND incident_id = $2 ORDER BY position`,
      [id],
    );
  }

  /** MUST be called with the incident locked. */
  async keepStep(id: string, { position, state, tries, errand, error, detail, startedAt, endedAt }: IncidentStep): Promise<void> {
    await this.query(
      `UPDATE bauta.incident_step SET state = $4, tries = $5, errand = $6, error = $7, detail = $8, started_at = $9, ended_at = $10
       WHERE workspace_id = $1 AND incident_id = $2 AND position = $3`,
      [id, position, state, tries, errand, error, detail === null ? null : JSON.stringify(detail), startedAt, endedAt],
    );
  }

  async close(
    id: string,
    { closedBy, outcome, closeReason, at }: { closedBy: string; outcome: IncidentOutcome; closeReason: string; at: Date },
  ): Promise<void> {
    await this.query(
      'UPDATE bauta.incident SET closed_at = $3, closed_by = $4, outcome = $5, close_reason = $6 WHERE workspace_id = $1 AND id = $2',
      [id, at, closedBy, outcome, closeReason],
    );
  }

  async approveLift(id: string, approvedBy: string | null): Promise<void> {
    await this.query('UPDATE bauta.incident SET lift_approved_by = $3 WHERE workspace_id = $1 AND id = $2', [id, approvedBy]);
  }

  async lift(id: string, at: Date): Promise<void> {
    await this.query('UPDATE bauta.incident SET lifted_at = $3 WHERE workspace_id = $1 AND id = $2', [id, at]);
  }

  /** Once: the first of a name stays. */
  async addFile(id: string, { name, mediaType, bytes, digest }: Omit<IncidentFile, 'size'> & { readonly bytes: Buffer }): Promise<void> {
    await this.query(
      `INSERT INTO bauta.incident_file (workspace_id, incident_id, name, media_type, bytes, digest) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [id, name, mediaType, bytes, digest],
    );
  }

  async files(id: string): Promise<readonly IncidentFile[]> {
    return this.query<IncidentFile>(
      `SELECT name, media_type AS "mediaType", digest, length(bytes) AS size FROM bauta.incident_file
       WHERE workspace_id = $1 AND incident_id = $2 ORDER BY name`,
      [id],
    );
  }

  async findFile(id: string, name: string): Promise<(Omit<IncidentFile, 'size'> & { readonly bytes: Buffer }) | undefined> {
    const [row] = await this.query<Omit<IncidentFile, 'size'> & { readonly bytes: Buffer }>(
      `SELECT name, media_type AS "mediaType", digest, bytes FROM bauta.incident_file WHERE workspace_id = $1 AND incident_id = $2 AND name = $3`,
      [id, name],
    );
    return row;
  }

  private select(condition: string, parameters: readonly unknown[]): Promise<readonly IncidentRow[]> {
    return this.query<IncidentRow>(`SELECT ${columns} FROM bauta.incident WHERE workspace_id = $1 AND ${condition}`, parameters);
  }

  private query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.manager.query<Row[]>(sql, [this.workspaceId, ...parameters]);
  }
}
