// Decisions about deployments of a workspace, and what users' own OPAs sent. Rows are inserted and read, and never changed.
import type { EntityManager } from 'typeorm';

import type { Json } from '../../kernel/canonical-json.js';

export interface NewDecision {
  readonly id: string;
  /** Of its entry in the outbox. */
  readonly key: string;
  readonly gate: string;
  readonly environment: string;
  readonly service: string;
  readonly decidedAt: Date;
  readonly allow: boolean;
  readonly enforced: boolean;
  readonly answer: Json;
  readonly record: Json;
}

/** `flip`: what took it back. */
export interface DecisionRow extends NewDecision {
  readonly flip: { readonly at: string; readonly codes: readonly string[]; readonly revoked: string | null } | null;
}

export interface NewOpaEvent {
  readonly kind: 'decision' | 'status';
  readonly decisionId: string | null;
  readonly digest: string;
  readonly event: Json;
}

export interface DecisionFilter {
  readonly limit: number;
  /** Instant and id of the last one of the page before. */
  readonly after?: { readonly at: Date; readonly id: string };
  readonly gate?: string;
}

export interface QuestionKey {
  readonly gate: string;
  readonly environment: string;
  readonly service: string;
  readonly by: 'commit' | 'image';
  /** A whole commit id, or `sha256:…`. */
  readonly value: string;
}

const columns = `id, key, gate, environment, service, decided_at AS "decidedAt", allow, enforced, answer, record, (
  SELECT json_build_object('at', pg_catalog.to_char(f.flipped_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'revoked', f.revoked,
      'codes', (SELECT json_agg(DISTINCT r ->> 'code') FROM json_array_elements(f.reasons) r))
  FROM bauta.flip f WHERE f.workspace_id = decision.workspace_id AND f.decision_id = decision.id) AS flip`;

export class DecisionStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  async insert(rows: readonly NewDecision[]): Promise<void> {
    await this.manager.query(
      `INSERT INTO bauta.decision (workspace_id, id, key, gate, environment, service, decided_at, allow, enforced, answer, record)
       SELECT $1, d.* FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::boolean[], $9::boolean[],
         $10::json[], $11::json[]) d`,
      [
        ...[this.workspaceId, rows.map(({ id }) => id), rows.map(({ key }) => key), rows.map(({ gate }) => gate)],
        ...[rows.map(({ environment }) => environment), rows.map(({ service }) => service)],
        ...[rows.map(({ decidedAt }) => decidedAt.toISOString()), rows.map(({ allow }) => allow), rows.map(({ enforced }) => enforced)],
        ...[rows.map(({ answer }) => JSON.stringify(answer)), rows.map(({ record }) => JSON.stringify(record))],
      ],
    );
  }

  async find(id: string): Promise<DecisionRow | undefined> {
    const [row] = await this.manager.query<DecisionRow[]>(`SELECT ${columns} FROM bauta.decision WHERE workspace_id = $1 AND id = $2`, [
      ...[this.workspaceId, id],
    ]);
    return row;
  }

  /** What this gate was last asked about the commit, or the image, by whoever said more of it than that. */
  async lastQuestion({ gate, environment, service, by, value }: QuestionKey): Promise<Json | undefined> {
    const member = by === 'commit' ? `record #>> '{input,request,commit}'` : `record #>> '{input,request,image,digest}'`;
    const more = by === 'commit' ? `record #>> '{input,request,image,digest}'` : `record #>> '{input,request,commit}'`;
    const [row] = await this.manager.query<{ input: Json }[]>(
      `SELECT record -> 'input' AS input FROM bauta.decision
       WHERE workspace_id = $1 AND gate = $2 AND environment = $3 AND service = $4 AND ${member} = $5
         AND (${more} IS NOT NULL OR record #>> '{input,dataset,statement}' IS NOT NULL) ORDER BY decided_at DESC, id DESC LIMIT 1`,
      [this.workspaceId, gate, environment, service, value],
    );
    return row?.input;
  }

  /** Newest first. */
  list({ limit, after, gate }: DecisionFilter): Promise<DecisionRow[]> {
    return this.manager.query<DecisionRow[]>(
      `SELECT ${columns} FROM bauta.decision
       WHERE workspace_id = $1 AND ($3::text IS NULL OR gate = $3) AND ($4::timestamptz IS NULL OR (decided_at, id) < ($4, $5::uuid))
       ORDER BY decided_at DESC, id DESC LIMIT $2`,
      [this.workspaceId, limit, gate ?? null, after?.at ?? null, after?.id ?? null],
    );
  }

  /** How many of them are new: the same event is there once. */
  async receive(receivedBy: string, events: readonly NewOpaEvent[]): Promise<number> {
    const rows = await this.manager.query<unknown[]>(
      `INSERT INTO bauta.opa_event (workspace_id, received_by, kind, decision_id, digest, event)
       SELECT $1, $2, e.* FROM unnest($3::text[], $4::text[], $5::text[], $6::json[]) e ON CONFLICT DO NOTHING RETURNING id`,
      [
        ...[this.workspaceId, receivedBy, events.map(({ kind }) => kind), events.map(({ decisionId }) => decisionId)],
        ...[events.map(({ digest }) => digest), events.map(({ event }) => JSON.stringify(event))],
      ],
    );
    return rows.length;
  }

  /** How long the oldest event of any workspace waits for the log, in seconds. */
  async logLagSeconds(): Promise<number> {
    const [lag] = await this.manager.query<{ oldest_seconds: number | null }[]>('SELECT oldest_seconds FROM bauta.outbox_lag()');
    return lag?.oldest_seconds ?? 0;
  }
}
