// The door of Postgres: a source, a target and a reader, each on sessions of its own.
import type { Clock } from '../../kernel/clock.js';
import type { Verifier } from '../../kernel/signed-note.js';
import type { Catalogue } from '../../pipeline/catalogue.js';
import type { DeliveryPlan } from '../../pipeline/delivery-plan.js';
import type { Target } from '../../pipeline/ports.js';
import { readSequenceValues, schemaTexts, toCatalogueDigest } from './catalogue/catalogue.js';
import { toDatabaseName } from './target/session.js';
import type { ConnectionTarget } from './connection.js';
import { toGrantStatements, toSchemaStatements } from './ddl/ddl.js';
import { readCatalogueWithoutMarker } from './leave-marker-out.js';
import { PostgresSource, type SourceSettings } from './source/source.js';
import { SchemaTarget } from './swap/swap.js';
import { PostgresTarget, type TargetSettings, type TargetStep, toEnvironmentRoles } from './target/target.js';
import { findNeedlessIndexes } from './needless-indexes.js';
import { findCut, leaveUnchecked, toValidation } from './unchecked.js';

export { schemaTexts };
export { type DumpedTable, VersionDump, toCopyHead } from './archive/dump.js';
export { ArchiveLoading } from './archive/loading.js';
export { CheckCounter, toRowsStatement } from './checks/checks.js';
export { type ConnectionTarget, asLogin, connect, toLoginUrl, toVerifiedUrl } from './connection.js';
export { type EmbeddedServer, findLeftRunning, startEmbedded } from './embedded.js';
export { openPool } from './pool.js';
export { DatasetReader } from './reader/dataset-reader.js';
export { PostgresReader } from './reader/reader.js';
export { type ProvingServer, startProving, sweepProving } from './proving.js';
export { canLogIn, setOwnPassword } from './own-password.js';
export { resolveConnection, resolveDefinition, resolveReference } from './reference.js';
export { type Survey, type SurveyOptions, survey } from './sample/survey.js';
export type { PostgresSource, SourceSettings } from './source/source.js';
export { type TargetSettings, type TargetStep, targetSteps } from './target/target.js';

export interface SourceOptions {
  readonly connection: ConnectionTarget;
  readonly settings: Partial<SourceSettings>;
  readonly writable?: { readonly reason: string } | undefined;
  readonly clock: Clock;
  /** Keys of the logs whose markers are known here. */
  readonly verifiers?: readonly Verifier[];
}

export function openSource({ connection, verifiers = [], ...options }: SourceOptions): PostgresSource {
  return new PostgresSource({
    ...options,
    target: connection,
    readCatalogue: (client, scope, name) => readCatalogueWithoutMarker(client, scope, name, verifiers),
    readSequenceValues,
    toCatalogueDigest,
  });
}

export interface TargetOptions {
  readonly connection: ConnectionTarget;
  /** The login that builds, where versions are schemas of the database and not databases. */
  readonly builder?: ConnectionTarget | undefined;
  readonly settings: Partial<TargetSettings>;
  readonly clock: Clock;
  readonly verifiers?: readonly Verifier[];
  readonly onStep?: (step: TargetStep) => void | Promise<void>;
  /** Nobody will use what it builds, but to prove the rows: indexes that can fail for no row are not made. */
  readonly onlyToProve?: boolean;
}

/** A target whose schema is rebuilt from the catalogue; roles of the source's policies become those of the map, or the environment's read-write role. */
export function openTarget({ builder, onlyToProve, ...options }: TargetOptions): Target {
  if (builder) return new SchemaTarget({ ...options, builder });
  const schemaStatements = (catalogue: Catalogue, plan: DeliveryPlan) => {
    const cut = findCut(catalogue, plan);
    const { roles } = plan.facts.target;
    const { owner, readWrite } = toEnvironmentRoles(toDatabaseName(options.connection), roles);
    const map = roles?.map && new Map(Object.entries(roles.map));
    const made = toSchemaStatements(leaveUnchecked(catalogue, cut), {
      drop: (plan.facts.schemaTexts ?? []).filter(({ action }) => action === 'drop').map(({ object }) => object),
      role: (name) => (map ? map.get(name) : readWrite),
    });
    const needless = onlyToProve ? findNeedlessIndexes(catalogue) : new Set();
    const postData = made.postData.map((phase) => phase.filter(({ object }) => !needless.has(object)));
    return { ...made, postData: [...postData, cut.map(toValidation), ...(plan.roles ? toGrantStatements(plan.roles, owner) : [])] };
  };
  return new PostgresTarget({ ...options, schemaStatements });
}
