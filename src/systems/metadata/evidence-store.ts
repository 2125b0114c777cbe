// Reports of scanners and tests of a workspace, as they were received. Nothing here changes afterwards.
import type { EntityManager } from 'typeorm';

export type SubjectKind = 'commit' | 'image' | 'environment';

/** Of the job that sent it, as an identity token said. */
export type Producer = Readonly<Record<string, string>>;

/** Per severity: how many are open, and how many of these can be mended. */
export type Counts = Readonly<Record<string, readonly [open: number, fixable: number]>>;

export interface NewEvidence {
  readonly digest: Uint8Array;
  readonly bytes: number;
  readonly format: string;
  readonly tool: string;
  readonly toolVersion: string | null;
  readonly subjectKind: SubjectKind;
  readonly subject: string;
  readonly line: string;
  readonly subjectStated: boolean;
  readonly receivedBy: string;
  readonly producer: Producer | null;
  readonly madeAt: string | null;
  readonly databaseAt: string | null;
  readonly missing: string | null;
  readonly rules: number | null;
  readonly targets: number | null;
  readonly errors: number;
  readonly counts: Counts;
  readonly suppressed: number;
  readonly findings: Uint8Array;
  /** 16 bytes each. */
  readonly fingerprints: Uint8Array;
}

export interface EvidenceRow extends Omit<NewEvidence, 'findings' | 'fingerprints' | 'madeAt' | 'databaseAt'> {
  readonly id: string;
  readonly receivedAt: Date;
  readonly madeAt: Date | null;
  readonly databaseAt: Date | null;
  readonly newFindings: number | null;
  readonly fixedFindings: number | null;
  /** It counts no more since then. */
  readonly withdrawnAt: Date | null;
}

export interface Subject {
  readonly kind: SubjectKind;
  readonly name: string;
}

const columns = `id, digest, bytes::float8 AS bytes, format, tool, tool_version AS "toolVersion", subject_kind AS "subjectKind", subject, line,
  subject_stated AS "subjectStated", received_at AS "receivedAt", received_by AS "receivedBy", producer, made_at AS "madeAt",
  database_at AS "databaseAt", missing, rules::float8 AS rules, targets::float8 AS targets, errors::float8 AS errors, counts, suppressed,
  new_findings AS "newFindings", fixed_findings AS "fixedFindings",
  (SELECT w.withdrawn_at FROM bauta.evidence_withdrawal w WHERE w.evidence_id = id) AS "withdrawnAt"`;

export class EvidenceStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** The same report of the same subject is there once: `isNew` says whether it was this call that made it. */
  async receive(of: NewEvidence): Promise<{ readonly row: EvidenceRow; readonly isNew: boolean }> {
    // Two that come at once are compared one after the other.
    const line = `evidence ${this.workspaceId} ${of.subjectKind} ${of.line} ${of.tool} ${of.format}`;
    await this.manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [line]);
    const known = await this.findSame(of);
    if (known) return { row: known, isNew: false };
    const before = await this.fingerprintsBefore(of);
    const [added, gone] = before ? compare(before, of.fingerprints) : [null, null];
    const [row] = await this.manager.query<[EvidenceRow]>(
      `INSERT INTO bauta.evidence (workspace_id, digest, bytes, format, tool, tool_version, subject_kind, subject, line, subject_stated, received_by,
         producer, made_at, database_at, missing, rules, targets, errors, counts, suppressed, new_findings, fixed_findings, findings, fingerprints)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
       RETURNING ${columns}`,
      [
        ...[
          this.workspaceId,
          of.digest,
          of.bytes,
          of.format,
          of.tool,
          of.toolVersion,
          of.subjectKind,
          of.subject,
          of.line,
          of.subjectStated,
        ],
        ...[of.receivedBy, of.producer === null ? null : JSON.stringify(of.producer), of.madeAt, of.databaseAt, of.missing, of.rules],
        ...[of.targets, of.errors, JSON.stringify(of.counts), of.suppressed, added, gone, of.findings, of.fingerprints],
      ],
    );
    return { row, isNew: true };
  }

  async find(id: string): Promise<EvidenceRow | undefined> {
    const [row] = await this.manager.query<EvidenceRow[]>(`SELECT ${columns} FROM bauta.evidence WHERE workspace_id = $1 AND id = $2`, [
      ...[this.workspaceId, id],
    ]);
    return row;
  }

  /** Newest first; `after` is the id of the last one of the page before. */
  async list({ limit, after, subject }: { limit: number; after?: string; subject?: Subject }): Promise<readonly EvidenceRow[]> {
    return this.manager.query<EvidenceRow[]>(
      `SELECT ${columns} FROM bauta.evidence e WHERE workspace_id = $1 AND ($3::text IS NULL OR (subject_kind = $3 AND subject = $4))
         AND ($5::uuid IS NULL OR (received_at, id) < (SELECT received_at, id FROM bauta.evidence WHERE workspace_id = $1 AND id = $5))
       ORDER BY received_at DESC, id DESC LIMIT $2`,
      [this.workspaceId, limit, subject?.kind ?? null, subject?.name ?? null, after ?? null],
    );
  }

  /** The last one of each format and tool of these subjects: what a gate goes by. */
  async latest(subjects: readonly Subject[]): Promise<readonly EvidenceRow[]> {
    return this.manager.query<EvidenceRow[]>(
      `SELECT ${columns} FROM (
         SELECT DISTINCT ON (subject_kind, subject, format, tool) * FROM bauta.evidence
         WHERE workspace_id = $1 AND (subject_kind, subject) IN (SELECT * FROM unnest($2::text[], $3::text[]))
           AND NOT EXISTS (SELECT FROM bauta.evidence_withdrawal w WHERE w.workspace_id = $1 AND w.evidence_id = evidence.id)
         ORDER BY subject_kind, subject, format, tool, received_at DESC, id) e
       ORDER BY format, tool, subject_kind, subject`,
      [this.workspaceId, subjects.map(({ kind }) => kind), subjects.map(({ name }) => name)],
    );
  }

  /** False: it was withdrawn before. `reason`: a commitment. */
  async withdraw(id: string, by: string, reason: string): Promise<boolean> {
    const rows = await this.manager.query<unknown[]>(
      `INSERT INTO bauta.evidence_withdrawal (workspace_id, evidence_id, withdrawn_by, reason) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING RETURNING evidence_id`,
      [this.workspaceId, id, by, reason],
    );
    return rows.length > 0;
  }

  /** Lines of JSON, gzip. */
  async findings(id: string): Promise<Uint8Array | undefined> {
    const [row] = await this.manager.query<{ findings: Uint8Array }[]>(
      'SELECT findings FROM bauta.evidence WHERE workspace_id = $1 AND id = $2',
      [this.workspaceId, id],
    );
    return row?.findings;
  }

  private async findSame({ digest, format, subjectKind, subject }: NewEvidence): Promise<EvidenceRow | undefined> {
    const [row] = await this.manager.query<EvidenceRow[]>(
      `SELECT ${columns} FROM bauta.evidence WHERE workspace_id = $1 AND subject_kind = $2 AND subject = $3 AND format = $4 AND digest = $5`,
      [this.workspaceId, subjectKind, subject, format, digest],
    );
    return row;
  }

  /** Of the last report that says something. */
  private async fingerprintsBefore({ subjectKind, line, tool, format }: NewEvidence): Promise<Uint8Array | undefined> {
    const [row] = await this.manager.query<{ fingerprints: Uint8Array }[]>(
      `SELECT fingerprints FROM bauta.evidence
       WHERE workspace_id = $1 AND subject_kind = $2 AND line = $3 AND tool = $4 AND format = $5 AND missing IS NULL
       ORDER BY received_at DESC LIMIT 1`,
      [this.workspaceId, subjectKind, line, tool, format],
    );
    return row?.fingerprints;
  }
}

/** How many are in the second only, and in the first only. */
function compare(before: Uint8Array, now: Uint8Array): readonly [added: number, gone: number] {
  const [had, has] = [toSet(before), toSet(now)];
  const without = (a: ReadonlySet<string>, b: ReadonlySet<string>): number => [...a].filter((one) => !b.has(one)).length;
  return [without(has, had), without(had, has)];
}

function toSet(fingerprints: Uint8Array): ReadonlySet<string> {
  const bytes = Buffer.from(fingerprints.buffer, fingerprints.byteOffset, fingerprints.length);
  return new Set(Array.from({ length: bytes.length / 16 }, (_, i) => bytes.toString('latin1', i * 16, i * 16 + 16)));
}
