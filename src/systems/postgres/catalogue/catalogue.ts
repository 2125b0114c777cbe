// The door: the catalogue of a database as a plain value, read by any role that may connect, on PostgreSQL 15 to 18.
import type pg from 'pg';

import { type Finding, sortFindings, toFinding } from '../../../kernel/errors.js';
import type { Catalogue, SchemaObject, Table } from '../../../pipeline/catalogue.js';
import { toLabel, toObjectLabel } from '../../../pipeline/catalogue.js';
import type { SourceScope } from '../../../pipeline/ports.js';
import { toServerError } from '../server-error.js';
import {
  readExtendedStatistics,
  readExtensions,
  readPolicies,
  readRules,
  readSequences,
  readTextSearch,
  readTriggers,
} from './attached.js';
import { toCandidates } from './candidates.js';
import { readDataTypes } from './data-type.js';
import { type Dependencies, readDependencies, toCreationOrder } from './dependencies.js';
import { readDefaultGrants, readGrants } from './grants.js';
import { findComment, type Reading, readComments, readRows, toAddress, toUserObject, toUserSchema } from './reading.js';
import { outwardExtensions, readLeftBehind, readOutwardFunctions, readRefused, type Refused } from './refused.js';
import { readAggregates, readCasts, readOperators, readRoutines, type Refusal } from './routines.js';
import { chooseInScope, toScopeTest } from './scope.js';
import { readServerFacts } from './server-facts.js';
import { readTables } from './tables.js';
import { readCollations, readComposites, readDomains, readEnums, readRanges, registerDerivedTypes } from './named-types.js';

export { toCatalogueDigest } from './digest.js';
export { toCreationOrder, type Dependencies } from './dependencies.js';
export { toScopeTest } from './scope.js';
export { readSequenceValues, toSequenceStatements } from './sequence-values.js';
export { type SchemaText, type SchemaTextPart, schemaTexts } from './schema-texts.js';

/**
 * Reads what is in scope. Every problem comes back as a finding; only a server that cannot be asked throws. Runs in the caller's transaction,
 * if there is one, and sets the session's search_path to nothing, so that every name in the server's texts is qualified.
 */
export async function readCatalogue(
  client: pg.Client,
  scope: SourceScope,
  connection = 'source',
): Promise<{ readonly catalogue: Catalogue; readonly findings: readonly Finding[] }> {
  try {
    await client.query(`SELECT pg_catalog.set_config('search_path', '', false)`);
    const everything = await readEverything(client);
    return narrow(everything, scope);
  } catch (error) {
    throw toServerError(error, { connection, stage: 'source' });
  }
}

interface Everything extends Required<Omit<Catalogue, 'objects' | 'dependencies'>> {
  readonly objects: readonly SchemaObject[];
  readonly dependencies: Dependencies;
  readonly refused: readonly Refused[];
  readonly refusals: readonly Refusal[];
  readonly leftBehind: readonly Refusal[];
  readonly outwardFunctions: ReadonlyMap<string, string>;
  readonly systemIdentifierKnown: boolean;
}

async function readEverything(client: pg.Client): Promise<Everything> {
  const { facts, known } = await readServerFacts(client);
  const reading: Reading = { client, comments: await readComments(client), addresses: new Map() };
  const schemas = await readSchemas(reading);
  const extensions = await readExtensions(reading);
  const refused = await readRefused(reading);
  const { tables, views, domainConstraints, refused: broken } = await readTables(reading, await readDataTypes(reading));
  const types: SchemaObject[] = [
    ...(await readCollations(reading)),
    ...(await readEnums(reading)),
    ...(await readDomains(reading, domainConstraints)),
    ...(await readComposites(reading)),
    ...(await readRanges(reading)),
  ];
  const routines = await readRoutines(reading);
  const aggregates = await readAggregates(reading);
  const operators = await readOperators(reading);
  const casts = await readCasts(reading);
  const attached: SchemaObject[] = [
    ...(await readTextSearch(reading)),
    ...(await readSequences(reading)),
    ...(await readTriggers(reading)),
    ...(await readRules(reading)),
    ...(await readPolicies(reading)),
    ...(await readExtendedStatistics(reading)),
  ];
  await registerDerivedTypes(reading);
  return {
    server: facts,
    schemas,
    tables,
    objects: [...extensions, ...types, ...routines.objects, ...aggregates, ...operators, ...casts.objects, ...views, ...attached],
    dependencies: await readDependencies(reading),
    grants: await readGrants(reading),
    defaultGrants: await readDefaultGrants(reading),
    refused,
    refusals: [...routines.refused, ...casts.refused, ...broken],
    leftBehind: await readLeftBehind(reading),
    outwardFunctions: await readOutwardFunctions(reading),
    systemIdentifierKnown: known,
  };
}

async function readSchemas(reading: Reading): Promise<Catalogue['schemas']> {
  const rows = await readRows<{ oid: number; name: string; by_role: boolean }>(
    reading.client,
    `SELECT n.oid, n.nspname AS name, n.nspname = 'public' AND n.nspowner <> 'pg_database_owner'::regrole AS by_role FROM pg_namespace n
     WHERE ${toUserSchema('n')} AND (n.nspname = 'public' OR ${toUserObject('schema', 'n.oid')}) ORDER BY n.nspname COLLATE "C"`,
  );
  return rows.map(({ oid, name, by_role }) => {
    reading.addresses.set(toAddress('schema', oid), `schema ${toLabel(name)}`);
    return { name, comment: findComment(reading, 'schema', oid), ...(by_role && { ownedByRole: true }) };
  });
}

function narrow(all: Everything, scope: SourceScope): { catalogue: Catalogue; findings: Finding[] } {
  const choice = chooseInScope(toCandidates(all), all.dependencies, scope);
  const tables = all.tables.filter((table) => choice.labels.has(toTableKey(table)));
  const chosen = new Map(
    all.objects.map((object) => [toObjectLabel(object), object]).filter(([label]) => choice.labels.has(label as string)) as [
      string,
      SchemaObject,
    ][],
  );
  const dependencies = Object.fromEntries(
    Object.entries(all.dependencies)
      .filter(([from]) => choice.labels.has(from))
      .map(([from, to]): [string, string[]] => [from, to.filter((label) => choice.labels.has(label))]),
  );
  const order = toCreationOrder([...chosen.keys()].sort(), dependencies);
  const objects = order.map((label) => chosen.get(label)).filter((object) => object !== undefined);
  const test = toScopeTest(scope);
  const used = new Set([...tables.map((table) => table.schema), ...objects.map((object) => object.schema)]);
  const schemas = all.schemas.filter(({ name }) => name === 'public' || used.has(name) || test(`${name}.*`) === 'in');
  const names = new Set(schemas.map(({ name }) => name));
  const grants = all.grants.filter(({ label, on, name }) => (on === 'SCHEMA' ? names.has(name) : choice.labels.has(label)));
  const defaultGrants = all.defaultGrants.filter(({ schema }) => schema === null || names.has(schema));
  const catalogue: Catalogue = { server: all.server, schemas, tables, objects, dependencies, grants, defaultGrants };
  return { catalogue, findings: sortFindings(dedupe([...choice.findings, ...toSupportFindings(all, choice.labels, catalogue)])) };
}

function toTableKey(table: Table): string {
  return `table ${toLabel(table.schema, table.name)}`;
}

/** What was chosen and cannot be made, what reaches out, and (as warnings) what stays behind. */
function toSupportFindings(all: Everything, chosen: ReadonlySet<string>, catalogue: Catalogue): Finding[] {
  const findings: Finding[] = [];
  for (const { label, name, why } of all.refused) {
    if (chosen.has(label))
      findings.push(toFinding(why === 'outward' ? 'SCHEMA_REACHES_OUT' : 'SCHEMA_UNSUPPORTED', { object: label, name }));
    else if (why === 'outward') findings.push(toFinding('SCHEMA_NOT_CARRIED', { object: label, name }, 'warning'));
  }
  for (const { label, name, severity } of all.refusals) {
    if (severity === 'warning') findings.push(toFinding('SCHEMA_NOT_CARRIED', { object: label, name }, 'warning'));
    else if (chosen.has(label)) findings.push(toFinding('SCHEMA_UNSUPPORTED', { object: label, name }));
  }
  for (const { label, name } of all.leftBehind) findings.push(toFinding('SCHEMA_NOT_CARRIED', { object: label, name }, 'warning'));
  for (const object of all.objects) findings.push(...toObjectFindings(object, all, chosen));
  if (!all.systemIdentifierKnown)
    findings.push(toFinding('PRIVILEGE_MISSING', { connection: 'source', schema: 'pg_catalog', table: 'pg_control_system()' }));
  for (const table of catalogue.tables) {
    const missing = table.parents.filter((parent) => !catalogue.tables.some((t) => t.schema === parent.schema && t.name === parent.name));
    for (const parent of missing) {
      findings.push(
        toFinding('SCHEMA_NEEDS_OUT_OF_SCOPE', { object: toTableKey(table), name: `table ${toLabel(parent.schema, parent.name)}` }),
      );
    }
  }
  return findings;
}

function toObjectFindings(object: SchemaObject, all: Everything, chosen: ReadonlySet<string>): Finding[] {
  const label = toObjectLabel(object);
  if (object.kind === 'extension') {
    if (outwardExtensions.has(object.name)) {
      const needy = Object.entries(all.dependencies).filter(([from, to]) => chosen.has(from) && to.includes(label));
      const reaching = needy.map(([from]) => toFinding('SCHEMA_REACHES_OUT', { object: from, name: label }));
      return [...reaching, toFinding('SCHEMA_NOT_CARRIED', { object: label, name: 'it reaches other servers' }, 'warning')];
    }
    if (object.trusted) return [];
    if (chosen.has(label)) return [toFinding('SCHEMA_EXTENSION_UNTRUSTED', { object: label }, 'warning')];
    return [toFinding('SCHEMA_NOT_CARRIED', { object: label, name: 'nothing in scope needs it, and it is not trusted' }, 'warning')];
  }
  if ((object.kind !== 'function' && object.kind !== 'procedure') || !chosen.has(label)) return [];
  return [...all.outwardFunctions]
    .filter(([name]) => new RegExp(`(^|[^\\w$])"?${name.replace(/[^\w]/g, '\\$&')}"?\\s*\\(`, 'i').test(object.body))
    .map(([name, extension]) => toFinding('SCHEMA_REACHES_OUT', { object: label, name: `function ${name} of extension ${extension}` }));
}

function dedupe(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify([finding.code, finding.where]), finding])).values()];
}
