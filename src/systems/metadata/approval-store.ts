// Approvals of a workspace: what waits for a second person, for which digest, and what became of it.
import { randomUUID } from 'node:crypto';

import type { EntityManager } from 'typeorm';

import { toError } from '../../kernel/errors.js';
import { type ApprovalState, mayBecome } from './approval-state.js';

/** `Transaction` has it; a store does not import what it is a part of. */
type Audit = (type: string, data: Readonly<Record<string, string | null>>, actor?: string) => Promise<void>;

/** What waits: a run, documents, a waiver, a break-glass, the end of keys, of a hold or of an incident's freeze for an approver; roles and tokens for another administrator, trust in an issuer for any. */
export const approvalKinds = ['run', 'documents', 'roles', 'token', 'trust', 'keys', 'hold', 'waiver', 'breakglass', 'incident'] as const;

export type ApprovalKind = (typeof approvalKinds)[number];

export interface NewApproval {
  readonly kind: ApprovalKind;
  readonly digest: string;
  /** What is approved, as the approver sees it and as it is carried out. */
  readonly subject: object;
  /** Where it has effect; the approver needs his right in each of them. */
  readonly environments: readonly string[];
  readonly runId?: string;
  /** Null: a schedule. */
  readonly requestedBy: string | null;
  /** Who wrote what it rests on. */
  readonly authorIds: readonly string[];
  readonly expiresAt: Date;
}

export interface ApprovalRow extends Omit<NewApproval, 'runId'> {
  readonly id: string;
  readonly state: ApprovalState;
  readonly runId: string | null;
  readonly requestedAt: Date;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
}

const columns = `id, kind, state, digest, subject, environments, run_id AS "runId", requested_by AS "requestedBy", author_ids AS "authorIds",
  requested_at AS "requestedAt", expires_at AS "expiresAt", decided_by AS "decidedBy", decided_at AS "decidedAt"`;

export class ApprovalStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
    private readonly audit: Audit,
  ) {}

  async insert(wanted: NewApproval): Promise<string> {
    const id = randomUUID();
    const { kind, digest, subject, environments, runId, requestedBy, authorIds, expiresAt } = wanted;
    await this.manager.query(
      `INSERT INTO bauta.approval (id, workspace_id, kind, digest, subject, environments, run_id, requested_by, author_ids, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [id, this.workspaceId, kind, digest, JSON.stringify(subject), environments, runId ?? null, requestedBy, authorIds, expiresAt],
    );
    await this.audit('approval.wanted', { approval: id, kind, digest, run: runId ?? null }, requestedBy ?? undefined);
    return id;
  }

  async find(id: string): Promise<ApprovalRow | undefined> {
    return (await this.select('id = $2', [id]))[0];
  }

  /** Newest first. `environments`: only what has effect in one of them. `before`: the instant and id of the last one seen. */
  async list(
    limit: number,
    filter: ApprovalFilter,
    before?: { readonly at: string; readonly id: string },
  ): Promise<readonly ApprovalRow[]> {
    return this.select(
      `kind = ANY ($2) AND ($3::text IS NULL OR state = $3) AND ($4::text[] IS NULL OR environments && $4)
       AND ($5::timestamptz IS NULL OR (requested_at, id) < ($5, $6::uuid)) ORDER BY requested_at DESC, id DESC LIMIT $7`,
      [filter.kinds, filter.state ?? null, filter.environments ?? null, before?.at ?? null, before?.id ?? null, limit],
    );
  }

  /** Throws RESOURCE_UNKNOWN. The row stays locked until the transaction ends. */
  async lock(id: string): Promise<ApprovalRow> {
    const [row] = await this.select('id = $2 FOR UPDATE', [id]);
    if (!row) throw toError('RESOURCE_UNKNOWN', { type: 'approval' });
    return row;
  }

  /** Those of a run, or of a kind and a digest, that are not decided or not used; locked until the transaction ends. */
  async lockOpen(
    of: { readonly runId: string } | { readonly kind: ApprovalKind; readonly digest: string },
  ): Promise<readonly ApprovalRow[]> {
    const open = `state IN ('waiting', 'approved')`;
    return 'runId' in of
      ? this.select(`${open} AND run_id = $2 ORDER BY id FOR UPDATE`, [of.runId])
      : this.select(`${open} AND kind = $2 AND digest = $3 ORDER BY id FOR UPDATE`, [of.kind, of.digest]);
  }

  /** Open ones that this person asked for, wrote, or would gain by. */
  async openOf(personId: string): Promise<readonly string[]> {
    const rows = await this.select(
      `state IN ('waiting', 'approved') AND (requested_by = $2 OR $2 = ANY (author_ids) OR subject ->> 'personId' = $2::text) ORDER BY id`,
      [personId],
    );
    return rows.map(({ id }) => id);
  }

  /** Throws APPROVAL_NOT_OPEN where the table has no such way. MUST be given a row that this transaction locked. */
  async transition(
    { id, state, kind, digest, runId }: ApprovalRow,
    to: ApprovalState,
    by: { readonly actor?: string; readonly decidedAt?: Date; readonly expiresAt?: Date } = {},
  ): Promise<void> {
    if (!mayBecome(state, to)) throw toError('APPROVAL_NOT_OPEN', { name: state });
    const { actor, decidedAt, expiresAt } = by;
    await this.manager.query(
      `UPDATE bauta.approval SET state = $2, decided_by = coalesce($3, decided_by), decided_at = coalesce($4, decided_at),
         expires_at = coalesce($5, expires_at) WHERE id = $1`,
      [id, to, decidedAt ? (actor ?? null) : null, decidedAt ?? null, expiresAt ?? null],
    );
    await this.audit(`approval.${to}`, { approval: id, kind, digest, run: runId }, actor);
  }

  private async select(where: string, parameters: readonly unknown[]): Promise<readonly ApprovalRow[]> {
    return this.manager.query<ApprovalRow[]>(`SELECT ${columns} FROM bauta.approval WHERE workspace_id = $1 AND ${where}`, [
      this.workspaceId,
      ...parameters,
    ]);
  }
}

export interface ApprovalFilter {
  readonly kinds: readonly ApprovalKind[];
  readonly state?: string;
  readonly environments?: readonly string[];
}
