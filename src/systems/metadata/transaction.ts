// One transaction in one workspace, with the stores that it may use.
import type { EntityManager } from 'typeorm';

import type { Json } from '../../kernel/canonical-json.js';
import { AccessReviewStore } from './access-review-store.js';
import { AgentStore } from './agent-store.js';
import { AnomalyStore } from './anomaly-store.js';
import { ApprovalStore } from './approval-store.js';
import type { Event } from '../../pipeline/event.js';
import { BreakglassStore } from './breakglass-store.js';
import { CallbackStore } from './callback-store.js';
import { CloneStore } from './clone-store.js';
import { CounterpartStore } from './counterpart-store.js';
import { DailyReportStore } from './daily-report-store.js';
import { DatasetStore } from './dataset-store.js';
import { EventStore } from './event-store.js';
import { HoldStore } from './hold-store.js';
import { HolderStore } from './holder-store.js';
import { DocumentStore } from './document-store.js';
import { DecisionStore } from './decision-store.js';
import { DeploymentStore } from './deployment-store.js';
import { EnvironmentStore } from './environment-store.js';
import { ErrandStore } from './errand-store.js';
import { EvidenceStore } from './evidence-store.js';
import { IdempotencyStore } from './idempotency-store.js';
import { IdentityStore } from './identity-store.js';
import { IncidentStore } from './incident-store.js';
import { LogStore } from './log-store.js';
import { NotificationStore } from './notification-store.js';
import { PeopleStore } from './people-store.js';
import { RunStore } from './run-store.js';
import { WorkspaceStore } from './workspace-store.js';
import { ScheduleStore } from './schedule-store.js';
import { TokenEntryStore } from './token-entry-store.js';
import { TriggerStore } from './trigger-store.js';
import { WaiverStore } from './waiver-store.js';

/** What goes into the log: names, ids, counts, digests and decisions; people by their ids. Never a secret, never a value of a row. */
export interface AuditEvent {
  readonly type: string;
  /** RFC 3339. */
  readonly at: string;
  /** Id of the person who did it; absent: the service itself. */
  readonly actor?: string;
  readonly data: Readonly<Record<string, Json>>;
}

/** What people may want to be told of. Who is told, and what, is found out later: nothing waits for it. */
const toldOf: ReadonlySet<string> = new Set([
  'run.failed',
  'run.compensation-failed',
  'run.withheld',
  'run.denied',
  'run.late',
  'run.published',
  'approval.wanted',
  'dataset.expiring',
  'dataset.expired',
  'dataset.ended',
  'dataset.not-dropped',
  'dataset.drifted',
  'dataset.recovered',
  'agent.refused',
  'anchor.refused',
]);

export class Transaction {
  readonly documents: DocumentStore;
  readonly people: PeopleStore;
  readonly idempotency: IdempotencyStore;
  readonly runs: RunStore;
  readonly datasets: DatasetStore;
  readonly holders: HolderStore;
  readonly holds: HoldStore;
  readonly log: LogStore;
  readonly schedules: ScheduleStore;
  readonly approvals: ApprovalStore;
  readonly triggers: TriggerStore;
  readonly workspaces: WorkspaceStore;
  readonly notifications: NotificationStore;
  readonly identities: IdentityStore;
  readonly errands: ErrandStore;
  readonly environments: EnvironmentStore;
  readonly clones: CloneStore;
  readonly counterparts: CounterpartStore;
  readonly tokenEntries: TokenEntryStore;
  readonly events: EventStore;
  readonly evidence: EvidenceStore;
  readonly waivers: WaiverStore;
  readonly decisions: DecisionStore;
  readonly breakglasses: BreakglassStore;
  readonly callbacks: CallbackStore;
  readonly deployments: DeploymentStore;
  readonly agents: AgentStore;
  readonly anomalies: AnomalyStore;
  readonly accessReviews: AccessReviewStore;
  readonly dailyReports: DailyReportStore;
  readonly incidents: IncidentStore;

  constructor(
    private readonly manager: EntityManager,
    readonly workspaceId: string,
  ) {
    this.documents = new DocumentStore(manager, workspaceId);
    this.people = new PeopleStore(manager, workspaceId);
    this.schedules = new ScheduleStore(manager, workspaceId);
    this.triggers = new TriggerStore(manager, workspaceId);
    this.idempotency = new IdempotencyStore(manager, workspaceId);
    this.holders = new HolderStore(manager, workspaceId);
    this.holds = new HoldStore(manager, workspaceId);
    this.notifications = new NotificationStore(manager, workspaceId);
    const audit = async (type: string, data: AuditEvent['data'], actor?: string): Promise<void> => {
      const at = new Date().toISOString();
      await this.audit({ type, at, ...(actor === undefined ? {} : { actor }), data });
      if (toldOf.has(type)) await this.notifications.note({ type, at, data });
    };
    this.log = new LogStore(manager, workspaceId);
    this.runs = new RunStore(manager, workspaceId, audit, this.log);
    this.datasets = new DatasetStore(manager, workspaceId, audit);
    this.workspaces = new WorkspaceStore(manager, workspaceId);
    this.approvals = new ApprovalStore(manager, workspaceId, audit);
    this.identities = new IdentityStore(manager);
    this.environments = new EnvironmentStore(manager, workspaceId);
    this.clones = new CloneStore(manager, workspaceId);
    this.counterparts = new CounterpartStore(manager, workspaceId);
    this.errands = new ErrandStore(manager, workspaceId);
    this.tokenEntries = new TokenEntryStore(manager, workspaceId);
    this.events = new EventStore(manager, workspaceId);
    this.evidence = new EvidenceStore(manager, workspaceId);
    this.waivers = new WaiverStore(manager, workspaceId);
    this.decisions = new DecisionStore(manager, workspaceId);
    this.deployments = new DeploymentStore(manager, workspaceId);
    this.breakglasses = new BreakglassStore(manager, workspaceId);
    this.callbacks = new CallbackStore(manager, workspaceId);
    this.agents = new AgentStore(manager, workspaceId);
    this.anomalies = new AnomalyStore(manager, workspaceId);
    this.accessReviews = new AccessReviewStore(manager, workspaceId);
    this.dailyReports = new DailyReportStore(manager, workspaceId);
    this.incidents = new IncidentStore(manager, workspaceId);
  }

  /** Into the outbox: durable exactly if what this transaction changes is. */
  async audit(event: AuditEvent): Promise<void> {
    await this.manager.query('INSERT INTO bauta.outbox (workspace_id, event) VALUES ($1, $2)', [this.workspaceId, JSON.stringify(event)]);
  }

  /** Into the outbox, and to whoever wants to be told. */
  async tellAll(type: string, data: AuditEvent['data']): Promise<void> {
    const at = new Date().toISOString();
    await this.audit({ type, at, data });
    if (toldOf.has(type)) await this.notifications.note({ type, at, data });
  }

  /** Many at once; `key` finds the place of each in the log. */
  async auditAll(events: readonly { readonly event: AuditEvent; readonly key: string }[]): Promise<void> {
    await this.manager.query('INSERT INTO bauta.outbox (workspace_id, event, key) SELECT $1, o.* FROM unnest($2::json[], $3::uuid[]) o', [
      ...[this.workspaceId, events.map(({ event }) => JSON.stringify(event)), events.map(({ key }) => key)],
    ]);
  }

  /** What a run tells, as it shall stand in the log; `key` finds its place there. */
  async append(event: Event, key: string): Promise<void> {
    await this.manager.query('INSERT INTO bauta.outbox (workspace_id, event, key) VALUES ($1, $2, $3)', [
      ...[this.workspaceId, JSON.stringify(event), key],
    ]);
  }

  /** A statement of another system that has to be part of this transaction. */
  async run(statement: { readonly sql: string; readonly parameters: readonly unknown[] }): Promise<void> {
    await this.manager.query(statement.sql, [...statement.parameters]);
  }
}
