// The door of Postgres: a source, a target and a reader, each on sessions of its own.
import type { Clock } from '../../kernel/clock.js';
import type { Catalogue } from '../../pipeline/catalogue.js';
import type { Plan } from '../../pipeline/plan.js';
import { readCatalogue, readSequenceValues, schemaTexts, toCatalogueDigest } from './catalogue/catalogue.js';
import { toDatabaseName } from './target/session.js';
import type { ConnectionTarget } from './connection.js';
import { toSchemaStatements } from './ddl/ddl.js';
import { type LineCutter, PostgresSource, type SourceSettings } from './source/source.js';
import { PostgresTarget, type TargetSettings, type TargetStep, toEnvironmentRoles } from './target/target.js';

export { schemaTexts };
export { type ConnectionTarget, connect } from './connection.js';
export { type EmbeddedServer, startEmbedded } from './embedded.js';
export { PostgresReader } from './reader/reader.js';
export { resolveConnection } from './reference.js';
export { type Survey, type SurveyOptions, survey } from './sample/survey.js';
export type { PostgresSource, SourceSettings } from './source/source.js';
export { type PostgresTarget, type TargetSettings, type TargetStep, targetSteps } from './target/target.js';

export interface SourceOptions {
  readonly connection: ConnectionTarget;
  readonly settings: Partial<SourceSettings>;
  readonly writable?: { readonly reason: string } | undefined;
  /** `toBatches` of the extract stage. */
  readonly toBatches: LineCutter;
  readonly clock: Clock;
}

export function openSource({ connection, ...options }: SourceOptions): PostgresSource {
  return new PostgresSource({ ...options, target: connection, readCatalogue, readSequenceValues, toCatalogueDigest });
}

export interface TargetOptions {
  readonly connection: ConnectionTarget;
  readonly settings: Partial<TargetSettings>;
  readonly clock: Clock;
  readonly onStep?: (step: TargetStep) => void | Promise<void>;
}

/** A target whose schema is rebuilt from the catalogue; roles of the source's policies become the environment's read-write role. */
export function openTarget(options: TargetOptions): PostgresTarget {
  const { readWrite } = toEnvironmentRoles(toDatabaseName(options.connection));
  const schemaStatements = (catalogue: Catalogue, plan: Plan) =>
    toSchemaStatements(catalogue, {
      drop: (plan.facts.schemaTexts ?? []).filter(({ action }) => action === 'drop').map(({ object }) => object),
      role: () => readWrite,
    });
  return new PostgresTarget({ ...options, schemaStatements });
}
