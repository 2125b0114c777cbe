// The door of the metadata database. Every query runs in a transaction that says in which workspace it is; row-level security holds it there.
import type { DataSource } from 'typeorm';

import { toError } from '../../kernel/errors.js';
import { createDataSource } from './data-source.js';
import { toMetadataError } from './metadata-error.js';
import { type EventStream, takeEventLease } from './event-store.js';
import { type Observation, observe } from './observation.js';
import type { RunRow } from './run-store.js';
import { Transaction } from './transaction.js';

export type { AccessEffect, AccessReviewItem, AccessReviewRow, Holding } from './access-review-store.js';
export type { AgentInvite, AgentRow, AgentStream, NewAgent } from './agent-store.js';
export type { AnomalyRow } from './anomaly-store.js';
export { type ApprovalFilter, type ApprovalKind, type ApprovalRow, type NewApproval, approvalKinds } from './approval-store.js';
export { type ApprovalState, approvalStates } from './approval-state.js';
export type { BreakglassRow, NewBreakglass } from './breakglass-store.js';
export type { CallbackRow, NewCallback, Verdict } from './callback-store.js';
export type { CloneRow } from './clone-store.js';
export { type CounterpartRow, isCounterpartKey } from './counterpart-store.js';
export type { DailyReportRow, StoredPaper } from './daily-report-store.js';
export type { DatasetRow, Drifted, InventoryRow, MadeWith, Readers } from './dataset-store.js';
export type { DecisionRow, NewDecision, NewOpaEvent } from './decision-store.js';
export type { Deployment } from './deployment-store.js';
export type { DocumentKey, DocumentVersion } from './document-store.js';
export type { EnvironmentRow } from './environment-store.js';
export type { ErrandKind, ErrandRow, Loss, NewErrand } from './errand-store.js';
export { type EventPlace, type EventProgress, type EventStream, type SignedEntry, eventStreams } from './event-store.js';
export type { Counts, EvidenceRow, NewEvidence, Producer, Subject, SubjectKind } from './evidence-store.js';
export type { HoldRow } from './hold-store.js';
export type { IncidentFile, IncidentOutcome, IncidentRow, IncidentStep, NewIncident, StepState } from './incident-store.js';
export type { Observation } from './observation.js';
export { migrate } from './migrate.js';
export type { LogEntry } from './log-store.js';
export type { LogKeys } from './log-keys.js';
export { Sequencer } from './sequencer.js';
export type { DocumentRef } from './run.entity.js';
export { type RunState, isAllowed, isEnded, isResting, runStates, transitions } from './run-state.js';
export type { Move, Moved, RunEventView, RunFilter, RunLine, RunRow, RunStep, RunTold } from './run-store.js';
export type { ScheduleRow } from './schedule-store.js';
export type { NewTokenEntry, TokenEntry, TokenPlace } from './token-entry-store.js';
export type { TriggerRow } from './trigger-store.js';
export { type AuditEvent, Transaction } from './transaction.js';
export type { Notice, NotificationRow } from './notification-store.js';
export { type WaiverRow, type WaiverScope, waiverScopes } from './waiver-store.js';
export type { Erased, Identity, TokenView, PersonView } from './people-store.js';

export class Metadata {
  private constructor(private readonly source: DataSource) {}

  /** As the service role. Throws METADATA_UNREACHABLE. */
  static async open(url: string, connections: number): Promise<Metadata> {
    const source = createDataSource(url, { connections });
    try {
      await source.initialize();
      return new Metadata(source);
    } catch (error) {
      throw toMetadataError(error);
    }
  }

  /** Without a database, for who only describes what there is. */
  static unconnected(): Metadata {
    return new Metadata(createDataSource('postgres://127.0.0.1', { connections: 1 }));
  }

  /** One transaction in one workspace: all of it, or nothing. */
  async within<T>(workspaceId: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    try {
      return await this.source.transaction(async (manager) => {
        await manager.query(`SELECT pg_catalog.set_config('bauta.workspace', $1, true)`, [workspaceId]);
        return work(new Transaction(manager, workspaceId));
      });
    } catch (error) {
      throw toMetadataError(error);
    }
  }

  /** Counts and ages; a worker is heard when it said within `silentMs` that it is there. */
  async observe(workspaceId: string, silentMs: number): Promise<Observation> {
    try {
      return await this.source.transaction(async (manager) => {
        await manager.query(`SELECT pg_catalog.set_config('bauta.workspace', $1, true)`, [workspaceId]);
        return observe(manager, workspaceId, silentMs);
      });
    } catch (error) {
      throw toMetadataError(error);
    }
  }

  /**
   * The run that a worker of this pool shall do next, of whichever workspace, is its own from now on. One claim at a time in the whole
   * installation, so that the limit of runs on one source holds.
   */
  async claim(workerId: string, pool: readonly string[], perSource: number): Promise<RunRow | undefined> {
    try {
      return await this.source.transaction(async (manager) => {
        await manager.query(`SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('bauta claim', 0))`);
        const [next] = await manager.query<{ workspace_id: string; id: string }[]>(
          'SELECT workspace_id, id FROM bauta.find_next_run($1, $2)',
          [pool, perSource],
        );
        if (!next) return undefined;
        await manager.query(`SELECT pg_catalog.set_config('bauta.workspace', $1, true)`, [next.workspace_id]);
        return new Transaction(manager, next.workspace_id).runs.transition(next.id, { to: 'planning', workerId });
      });
    } catch (error) {
      throw toMetadataError(error);
    }
  }

  /** What has entries that were not published, of whichever workspace. */
  findUnpublished(streams: readonly EventStream[]): Promise<{ readonly workspaceId: string; readonly stream: EventStream }[]> {
    return this.query('SELECT workspace_id AS "workspaceId", stream FROM bauta.find_unpublished($1)', [streams]);
  }

  /** Ours for so long, anew each time it is asked for; for 0 ms it is given back. False: another process publishes events. */
  async takeEventLease(holder: string, ms: number): Promise<boolean> {
    try {
      return await takeEventLease(this.source.manager, holder, ms);
    } catch (error) {
      throw toMetadataError(error);
    }
  }

  /** Sessions of this process on the database, and requests that wait for one. */
  sessions(): { readonly open: number; readonly idle: number; readonly waiting: number } {
    const { master } = this.source.driver as unknown as {
      readonly master: { readonly totalCount: number; readonly idleCount: number; readonly waitingCount: number };
    };
    return { open: master.totalCount, idle: master.idleCount, waiting: master.waitingCount };
  }

  /** Outside every workspace: sees names of workspaces, and what is found by the digest of a secret. */
  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    try {
      return await this.source.query<Row[]>(sql, [...parameters]);
    } catch (error) {
      throw toMetadataError(error);
    }
  }

  /** Throws RESOURCE_UNKNOWN. */
  async workspaceName(id: string): Promise<string> {
    const [row] = await this.query<{ name: string }>('SELECT name FROM bauta.workspace WHERE id = $1', [id]);
    if (!row) throw toError('RESOURCE_UNKNOWN', { type: 'workspace' });
    return row.name;
  }

  close(): Promise<void> {
    return this.source.destroy();
  }
}
