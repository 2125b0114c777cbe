// The server maps the names of schemas, not we: one transaction, always rolled back, makes the schema under its real names in the place of the
// current one, renames it to where staging will stand and reads it there. Views, defaults, checks, indexes and policies were bound to the new
// objects by then, and are written with the new names. Nobody else sees any of it, and no body of the source runs (stub.ts).
import type { Catalogue, SchemaObject, Table } from '../../../pipeline/catalogue.js';
import { type TableName, toLabel, toObjectLabel } from '../../../pipeline/catalogue.js';
import { BautaError, toError } from '../../../kernel/errors.js';
import type { Plan } from '../../../pipeline/plan.js';
import { readCatalogue } from '../catalogue/catalogue.js';
import { toSchemaStatements } from '../ddl/ddl.js';
import { quoteName } from '../quote.js';
import { runInOrder, type Statement } from '../target/build-schema.js';
import { toEnvironmentRoles } from '../target/names.js';
import type { Session, TargetServer } from '../target/session.js';
import { findCut, leaveUnchecked } from '../unchecked.js';
import { type Places, toOwnLabel } from './places.js';
import { toStub } from './stub.js';

const settings = { check_function_bodies: 'off', client_min_messages: 'warning' };

/** What is made otherwise: schemas by us, extensions by the administrator, rows by nobody here. */
const isLeftOut = ({ object }: Statement): boolean => /^(?:comment on )?(?:schema|extension) |^refresh of |^statistics of /.test(object);

/** The catalogue of staging before staging is there. `taken`: schemas of the same names. Throws DELIVER_OBJECT_FAILED for what cannot be made. */
export async function readTemplate(
  server: TargetServer,
  plan: Plan,
  catalogue: Catalogue,
  places: Places,
  taken: readonly string[],
): Promise<Catalogue> {
  const session = await server.open(server.target, settings);
  try {
    await session.query('BEGIN');
    const away = taken.map((name, i) => [name, `away_bauta_${places.runId}_${i}`] as const);
    for (const [name, place] of away) await rename(session, name, place);
    for (const name of places.schemas.keys()) await session.query(`CREATE SCHEMA ${quoteName(name)}`);
    await runInOrder(session, toTemplateStatements(server, plan, catalogue), '');
    for (const [name, place] of places.schemas) await rename(session, name, place);
    for (const [name, place] of away) await rename(session, place, name);
    return await readStaging(session, server, catalogue, places);
  } catch (error) {
    throw toOwn(places, session, error);
  } finally {
    if (!session.lost) await session.query('ROLLBACK').catch(() => undefined);
    await session.end();
  }
}

/** Everything with stubs for bodies, and when nothing is made any more the bodies: those that the server binds are bound, and none can run. */
function toTemplateStatements(server: TargetServer, plan: Plan, catalogue: Catalogue): readonly Statement[] {
  const readWrite = toEnvironmentRoles(server.target, plan.facts.target.roles).readWrite;
  const unchecked = leaveUnchecked(catalogue, findCut(catalogue, plan));
  const made = toSchemaStatements(
    { ...unchecked, objects: unchecked.objects.map(toStub) },
    { drop: toDropped(plan), role: () => readWrite },
  );
  const stubbed = [...made.preData, ...made.postData.flat()].filter((statement) => !isLeftOut(statement));
  const labels = new Set(stubbed.map(({ object }) => object));
  const bodies = catalogue.objects.flatMap((object): Statement[] => {
    const routine = object.kind === 'function' || object.kind === 'procedure';
    return routine && labels.has(toObjectLabel(object)) ? [{ sql: object.definition, object: toObjectLabel(object) }] : [];
  });
  return [...stubbed, ...bodies];
}

export function toDropped({ facts }: Plan): readonly string[] {
  return (facts.schemaTexts ?? []).filter(({ action }) => action === 'drop').map(({ object }) => object);
}

async function rename(session: Session, from: string, to: string): Promise<void> {
  await session.query(`ALTER SCHEMA ${quoteName(from)} RENAME TO ${quoteName(to)}`);
}

async function readStaging(session: Session, server: TargetServer, source: Catalogue, places: Places): Promise<Catalogue> {
  const include = [...places.schemas.values()].map((place) => `${place}.*`);
  const { catalogue, findings } = await readCatalogue(session.client, { include, exclude: [] }, server.connection.name);
  const chosen = toChosen(catalogue, places);
  const labels = new Set([
    ...chosen.tables.map((table) => `table ${toLabel(table.schema, table.name)}`),
    ...chosen.objects.map(toObjectLabel),
  ]);
  const [problem] = findings.filter(({ severity, where }) => severity === 'error' && labels.has(where.object ?? ''));
  if (problem) throw toError(problem.code, problem.where);
  return toFilled(chosen, source, places);
}

/** A cast stands in no schema: it is of staging where it needs something there, and what the others brought along is not. */
function toChosen(catalogue: Catalogue, { schemas }: Places): Catalogue {
  const there = new Set(schemas.values());
  const inside = (object: SchemaObject): boolean => object.schema !== null && there.has(object.schema) && object.kind !== 'extension';
  const own = new Set([
    ...catalogue.tables.map((table) => `table ${toLabel(table.schema, table.name)}`),
    ...catalogue.objects.filter(inside).map(toObjectLabel),
  ]);
  const needs = (object: SchemaObject): readonly string[] => catalogue.dependencies?.[toObjectLabel(object)] ?? [];
  const objects = catalogue.objects.filter(
    (object) => inside(object) || (object.kind === 'cast' && needs(object).some((label) => own.has(label))),
  );
  return { ...catalogue, schemas: catalogue.schemas.filter(({ name }) => there.has(name)), objects };
}

/** What a template cannot know: that a materialized view holds rows, and how large a table will be. */
function toFilled(catalogue: Catalogue, source: Catalogue, { schemas }: Places): Catalogue {
  const own = new Map([...schemas].map(([name, place]) => [place, name]));
  const keyOf = ({ schema, name }: TableName): string => JSON.stringify([own.get(schema) ?? schema, name]);
  const populated = new Set(
    source.objects.flatMap((object) => (object.kind === 'materialized view' && object.populated ? [keyOf(object)] : [])),
  );
  const bytes = new Map(source.tables.map((table) => [keyOf(table), table.bytes]));
  return {
    ...catalogue,
    tables: catalogue.tables.map((table): Table => ({ ...table, bytes: bytes.get(keyOf(table)) ?? 0 })),
    objects: catalogue.objects.map((object) =>
      object.kind === 'materialized view' ? { ...object, populated: populated.has(keyOf(object)) } : object,
    ),
  };
}

/** Under the names that the plan's author knows. */
function toOwn(places: Places, session: Session, error: unknown): BautaError {
  const { code, where, findings } = error instanceof BautaError ? error : session.toError(error);
  return toError(code, { ...where, ...(where.object !== undefined && { object: toOwnLabel(places, where.object) }) }, findings);
}
