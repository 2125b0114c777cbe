// The door of Postgres: a source, a target and a reader, each on sessions of its own.
import type { Clock } from '../../kernel/clock.js';
import type { Verifier } from '../../kernel/signed-note.js';
import { toSqlName } from '../../kernel/sql-name.js';
import type { Catalogue, Table } from '../../pipeline/catalogue.js';
import type { Plan } from '../../pipeline/plan.js';
import { readSequenceValues, schemaTexts, toCatalogueDigest } from './catalogue/catalogue.js';
import { toDatabaseName } from './target/session.js';
import type { ConnectionTarget } from './connection.js';
import { type Statement, toGrantStatements, toSchemaStatements } from './ddl/ddl.js';
import { readCatalogueWithoutMarker } from './leave-marker-out.js';
import { quoteLiteral, quoteName, quoteQualified } from './quote.js';
import { PostgresSource, type SourceSettings } from './source/source.js';
import { PostgresTarget, type TargetSettings, type TargetStep, toEnvironmentRoles } from './target/target.js';

export { schemaTexts };
export { type ConnectionTarget, connect, toVerifiedUrl } from './connection.js';
export { type EmbeddedServer, findLeftRunning, startEmbedded } from './embedded.js';
export { openPool } from './pool.js';
export { DatasetReader } from './reader/dataset-reader.js';
export { PostgresReader } from './reader/reader.js';
export { resolveConnection, resolveDefinition, resolveReference } from './reference.js';
export { type Survey, type SurveyOptions, survey } from './sample/survey.js';
export type { PostgresSource, SourceSettings } from './source/source.js';
export { type PostgresTarget, type TargetSettings, type TargetStep, targetSteps } from './target/target.js';

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
  readonly settings: Partial<TargetSettings>;
  readonly clock: Clock;
  readonly verifiers?: readonly Verifier[];
  readonly onStep?: (step: TargetStep) => void | Promise<void>;
}

/** A target whose schema is rebuilt from the catalogue; roles of the source's policies become those of the map, or the environment's read-write role. */
export function openTarget(options: TargetOptions): PostgresTarget {
  const schemaStatements = (catalogue: Catalogue, plan: Plan) => {
    const cut = findCut(catalogue, plan);
    const { roles } = plan.facts.target;
    const { owner, readWrite } = toEnvironmentRoles(toDatabaseName(options.connection), roles);
    const map = roles?.map && new Map(Object.entries(roles.map));
    const made = toSchemaStatements(leaveUnchecked(catalogue, cut), {
      drop: (plan.facts.schemaTexts ?? []).filter(({ action }) => action === 'drop').map(({ object }) => object),
      role: (name) => (map ? map.get(name) : readWrite),
    });
    return { ...made, postData: [...made.postData, cut.map(toValidation), ...(plan.roles ? toGrantStatements(plan.roles, owner) : [])] };
  };
  return new PostgresTarget({ ...options, schemaStatements });
}

interface Cut {
  readonly table: Table;
  readonly constraint: string;
}

/** References that the plan itself cuts. That of a partitioned table cannot be left unchecked before 18: the plan refuses one that would not hold. */
function findCut({ tables }: Catalogue, { cutReferences }: Plan): readonly Cut[] {
  const cut = new Set(cutReferences.map(({ table, constraint }) => `${table} ${constraint}`));
  return tables.flatMap((table) =>
    table.constraints
      .filter(({ name, kind, validated, inherited }) => {
        const unchecked = kind === 'f' && validated && !inherited && table.kind === 'r';
        return unchecked && cut.has(`${toSqlName(table.schema, table.name)} ${name}`);
      })
      .map(({ name }) => ({ table, constraint: name })),
  );
}

/** Made for the rows that come; whether those that are there hold is found out afterwards. */
function leaveUnchecked(catalogue: Catalogue, cut: readonly Cut[]): Catalogue {
  const tables = catalogue.tables.map((table) => {
    const names = new Set(cut.filter((one) => one.table === table).map(({ constraint }) => constraint));
    const constraints = table.constraints.map((constraint) =>
      names.has(constraint.name) ? { ...constraint, validated: false, definition: `${constraint.definition} NOT VALID` } : constraint,
    );
    return { ...table, constraints };
  });
  return { ...catalogue, tables };
}

/** Where no row is missing after all the reference is as valid as the source's; where one is, the verifier counts and tells. */
function toValidation({ table, constraint }: Cut): Statement {
  const validate = `ALTER TABLE ${quoteQualified(table)} VALIDATE CONSTRAINT ${quoteName(constraint)}`;
  const body = `BEGIN ${validate}; EXCEPTION WHEN foreign_key_violation THEN NULL; END`;
  return { sql: `DO LANGUAGE plpgsql ${quoteLiteral(body)}`, object: `constraint ${constraint} of ${table.schema}.${table.name}` };
}
