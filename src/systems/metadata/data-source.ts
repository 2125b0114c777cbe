// The TypeORM data source: what tables there are, and which migrations, as explicit lists.
import 'reflect-metadata';

import { DataSource } from 'typeorm';

import { Workspaces1763700000001 } from '../../../migrations/0001-workspaces.js';
import { Runs1763700000002 } from '../../../migrations/0002-runs.js';
import { Log1763700000003 } from '../../../migrations/0003-log.js';
import { Access1763700000004 } from '../../../migrations/0004-access.js';
import { Schedules1763700000005 } from '../../../migrations/0005-schedules.js';
import { Notifications1763700000006 } from '../../../migrations/0006-notifications.js';
import { RunStages1763700000007 } from '../../../migrations/0007-run-stages.js';
import { Observation1763700000008 } from '../../../migrations/0008-observation.js';
import { Identities1763700000010 } from '../../../migrations/0010-identities.js';
import { Reuse1763700000011 } from '../../../migrations/0011-reuse.js';
import { Told1763700000012 } from '../../../migrations/0012-told.js';
import { Lists1763700000013 } from '../../../migrations/0013-lists.js';
import { OldLogs1763700000014 } from '../../../migrations/0014-old-logs.js';
import { SnapshotHolders1763700000015 } from '../../../migrations/0015-snapshot-holders.js';
import { Datasets1763700000016 } from '../../../migrations/0016-datasets.js';
import { Standing1763700000017 } from '../../../migrations/0017-standing.js';
import { ErasedPeople1763700000018 } from '../../../migrations/0018-erased-people.js';
import { Errands1763700000019 } from '../../../migrations/0019-errands.js';
import { TokenEntries1763700000022 } from '../../../migrations/0022-token-entries.js';
import { Clones1763700000023 } from '../../../migrations/0023-clones.js';
import { Life1763700000024 } from '../../../migrations/0024-life.js';
import { Checks1763700000025 } from '../../../migrations/0025-checks.js';
import { RunTally1763700000027 } from '../../../migrations/0027-run-tally.js';
import { Inventory1763700000028 } from '../../../migrations/0028-inventory.js';
import { TokenVersions1763700000030 } from '../../../migrations/0030-token-versions.js';
import { Events1763700000031 } from '../../../migrations/0031-events.js';
import { Decisions1763700000032 } from '../../../migrations/0032-decisions.js';
import { Evidence1763700000033 } from '../../../migrations/0033-evidence.js';
import { Cosigned1763700000041 } from '../../../migrations/0041-cosigned.js';
import { Anchors1763700000043 } from '../../../migrations/0043-anchors.js';
import { DailyReports1763700000046 } from '../../../migrations/0046-daily-reports.js';
import { Agents1763700000034 } from '../../../migrations/0034-agents.js';
import { Life1763700000039 } from '../../../migrations/0039-life.js';
import { Glass1763700000036 } from '../../../migrations/0036-glass.js';
import { Callbacks1763700000038 } from '../../../migrations/0038-callbacks.js';
import { Anomalies1763700000047 } from '../../../migrations/0047-anomalies.js';
import { AccessReviews1763700000045 } from '../../../migrations/0045-access-reviews.js';
import { Privacy1763700000048 } from '../../../migrations/0048-privacy.js';
import { NameSalts1763700000049 } from '../../../migrations/0049-name-salts.js';
import { NoticesByPage1763700000050 } from '../../../migrations/0050-notices-by-page.js';
import { DocumentEntity } from './document.entity.js';
import { PersonEntity } from './person.entity.js';
import { RoleGrantEntity } from './role-grant.entity.js';
import { RunEventEntity } from './run-event.entity.js';
import { RunEntity } from './run.entity.js';
import { TokenEntity } from './token.entity.js';
import { WorkspaceEntity } from './workspace.entity.js';

export const entities = [WorkspaceEntity, PersonEntity, RoleGrantEntity, TokenEntity, DocumentEntity, RunEntity, RunEventEntity];

/** In the order in which they run; only ever added to. */
export const migrations = [
  ...[Workspaces1763700000001, Runs1763700000002, Log1763700000003, Access1763700000004, Schedules1763700000005],
  ...[Notifications1763700000006, RunStages1763700000007, Observation1763700000008, Identities1763700000010],
  ...[Reuse1763700000011, Told1763700000012, Lists1763700000013, OldLogs1763700000014, SnapshotHolders1763700000015],
  ...[Datasets1763700000016, Standing1763700000017, ErasedPeople1763700000018, Errands1763700000019],
  TokenEntries1763700000022,
  ...[Clones1763700000023, Life1763700000024, Checks1763700000025, RunTally1763700000027],
  Inventory1763700000028,
  TokenVersions1763700000030,
  Events1763700000031,
  Decisions1763700000032,
  Evidence1763700000033,
  Agents1763700000034,
  Glass1763700000036,
  Callbacks1763700000038,
  Life1763700000039,
  Cosigned1763700000041,
  Anchors1763700000043,
  AccessReviews1763700000045,
  DailyReports1763700000046,
  Anomalies1763700000047,
  Privacy1763700000048,
  NameSalts1763700000049,
  NoticesByPage1763700000050,
];

/** `search_path` is empty: every name is qualified, and nobody can put another in its place. */
export function createDataSource(url: string, options: { readonly connections: number; readonly upTo?: number }): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    schema: 'bauta',
    entities,
    migrations: migrations.slice(0, options.upTo),
    migrationsTableName: 'migration',
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
    installExtensions: false,

    poolSize: options.connections,
    connectTimeoutMS: 10_000,
    extra: { application_name: 'bauta service', options: '-c search_path= -c timezone=UTC', keepAlive: true },
  });
}
