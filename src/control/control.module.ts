// The composition root of the API: what is opened before Nest starts goes in as values, every controller stands in one list.
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';

import type { Settings } from '../config/settings.js';
import { type Clock, systemClock } from '../kernel/clock.js';
import type { HttpClient } from '../systems/http/http.js';
import { Metadata } from '../systems/metadata/metadata.js';
import { AnomaliesController } from './anomalies/anomalies.js';
import { ApplyController } from './apply-controller.js';
import { ApprovalsController, CONSEQUENCES } from './approvals/approvals.js';
import { consequences } from './consequences.js';
import { AuditController, RetentionController } from './audit/audit.js';
import { DailyReportsController, REPORT_MAKER, type ReportMaker, ReportsController, RowsController } from './reports/reports.js';
import { AccessReviewsController } from './accessreviews/accessreviews.js';
import { BreakglassesController, BreakglassUsesController } from './breakglasses/breakglasses.js';
import { ClassificationLocksController } from './classificationlocks/classificationlocks.js';
import { ClassificationsController } from './classifications/classifications.js';
import { PipelinesController } from './pipelines/pipelines.js';
import { RulebooksController } from './rulebooks/rulebooks.js';
import { ChannelsController } from './channels/channels.js';
import { NotificationsController } from './notifications/notifications.js';
import { ConnectionsController } from './connections/connections.js';
import { AgentsController } from './agents/agents.js';
import { ClonesController, EnvironmentsController } from './environments/environments.js';
import { EventsController } from './events/events.js';
import { IncidentsController } from './incidents/incidents.js';
import { LinksController } from './links/links.js';
import { IssuersController } from './issuers/issuers.js';
import { OrganisationsController } from './organisations/organisations.js';
import { DataController } from './data/data.js';
import { OpaController } from './opa/opa.js';
import { DecisionsController } from './decisions/decisions.js';
import { AdmissionController, GATE_DOORS, GateCallersController, type GateDoors, GatesController } from './gates/gates.js';
import { Grants } from './references.js';
import { HealthController, HealthDetailController } from './health/health.js';
import { CLOCK, GRANTS, HOOK_SECRETS, PermissionGuard, ProblemFilter, type ReadHookSecret, SERVER_KEY, SETTINGS } from './http/http.js';
import { MetricsController, ProcessMetrics, WorkerMetricsController } from './metrics/metrics.js';
import { Description, OpenApiController } from './openapi-controller.js';
import { AttestationController, CurrentDatasetsController, DatasetsController, MarksController } from './datasets/datasets.js';
import { ExpiriesController } from './expiries/expiries.js';
import { KeysController } from './keys/keys.js';
import { PlansController } from './plans/plans.js';
import { ArchivesController } from './archives/archives.js';
import { RollbacksController } from './rollbacks/rollbacks.js';
import { RotationsController } from './rotations/rotations.js';
import { RunsController } from './runs/runs.js';
import { ScheduleTimer, SchedulesController } from './schedules/schedules.js';
import { BreachesController } from './breaches/breaches.js';
import { SubjectsController } from './subjects/subjects.js';
import { DetokenizeController, TOKEN_DOORS, type TokenDoors, TokensController } from './tokens/tokens.js';
import { TriggersController } from './triggers/triggers.js';
import { WebhooksController } from './webhooks/webhooks.js';
import { EvidenceController } from './evidence/evidence.js';
import { PlaybooksController } from './playbooks/playbooks.js';
import { WaiversController } from './waivers/waivers.js';
import { WatchesController } from './watches/watches.js';
import { ErasureController, PeopleController, ApiKeysController, WorkspacesController } from './access/access.js';

const controllers = [
  ...[HealthController, OpenApiController, PeopleController, ApiKeysController, WorkspacesController, ApprovalsController],
  ...[ApplyController, PipelinesController, ClassificationsController, ClassificationLocksController, RulebooksController, RunsController],
  ...[PlansController, DatasetsController, CurrentDatasetsController, AttestationController, RollbacksController, ExpiriesController],
  ...[ArchivesController, MarksController],
  ...[AgentsController, KeysController, RotationsController, SubjectsController, BreachesController],
  ...[EvidenceController, WaiversController],
  ...[AnomaliesController, IncidentsController, WatchesController, PlaybooksController],
  ...[BreakglassUsesController, BreakglassesController, AccessReviewsController],
  ...[GatesController, GateCallersController, AdmissionController, DecisionsController, DataController, OpaController],
  ...[SchedulesController, TriggersController, WebhooksController, TokensController, DetokenizeController],
  ...[
    ConnectionsController,
    EnvironmentsController,
    ClonesController,
    LinksController,
    OrganisationsController,
    IssuersController,
    ChannelsController,
    NotificationsController,
  ],
  ...[
    MetricsController,
    HealthDetailController,
    EventsController,
    AuditController,
    DailyReportsController,
    ReportsController,
    RowsController,
    RetentionController,
    ErasureController,
  ],
];

export interface Opened {
  readonly metadata: Metadata;
  readonly serverKey: Uint8Array;
  readonly settings: Settings;
  /** Absent: there is none, and no delivery is accepted. */
  readonly readHookSecret?: ReadHookSecret;
  /** Default: that of the machine. */
  readonly clock?: Clock;
  /** Default: what holds without a file of grants. */
  readonly grants?: Grants;
  /** Of this process; default: its own, which counts requests only. */
  readonly metrics?: ProcessMetrics;
  /** Absent: no token is exchanged here. */
  readonly tokens?: TokenDoors;
  /** Absent: no deployment is decided about here. */
  readonly gates?: GateDoors;
  /** Absent: no report is made here. */
  readonly reports?: ReportMaker;
  /** What it listens with; absent: HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** By which issuers are asked for their keys; default: one to the hosts of the settings. */
  readonly http?: HttpClient;
}

@Module({})
export class ControlModule {
  static of({
    metadata,
    serverKey,
    settings,
    readHookSecret = () => Promise.resolve(undefined),
    clock = systemClock,
    grants = Grants.usual,
    metrics = new ProcessMetrics(clock),
    tokens,
    gates,
    reports,
  }: Opened): DynamicModule {
    return {
      module: ControlModule,
      imports: [ScheduleModule.forRoot()],
      controllers,
      providers: [
        ScheduleTimer,
        Description,
        { provide: Metadata, useValue: metadata },
        { provide: SERVER_KEY, useValue: serverKey },
        { provide: SETTINGS, useValue: settings },
        { provide: CONSEQUENCES, useValue: consequences },
        { provide: HOOK_SECRETS, useValue: readHookSecret },
        { provide: GRANTS, useValue: grants },
        { provide: CLOCK, useValue: clock },
        ...(gates ? [{ provide: GATE_DOORS, useValue: gates }] : []),
        ...(reports ? [{ provide: REPORT_MAKER, useValue: reports }] : []),
        ...(tokens ? [{ provide: TOKEN_DOORS, useValue: tokens }] : []),
        { provide: ProcessMetrics, useValue: metrics },
        { provide: APP_GUARD, useClass: PermissionGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }

  /** What a worker answers: whether it is well, and what it measures. Nothing of it needs a token, and nothing of it is about anybody. */
  static forWorker(metadata: Metadata, metrics: ProcessMetrics): DynamicModule {
    return {
      module: ControlModule,
      controllers: [HealthController, WorkerMetricsController],
      providers: [
        { provide: Metadata, useValue: metadata },
        { provide: ProcessMetrics, useValue: metrics },
        { provide: CLOCK, useValue: systemClock },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
