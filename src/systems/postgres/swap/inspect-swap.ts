// What stands against a delivery by schemas, all of it at once, before a row is read; and if nothing does, whether the server can make it.
import { BautaError, type Finding, sortFindings, toError, toFinding } from '../../../kernel/errors.js';
import type { Verifier } from '../../../kernel/signed-note.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import { markerSchema } from '../../../pipeline/marker.js';
import { toPeakBytes } from '../../../pipeline/peak-bytes.js';
import type { Plan } from '../../../pipeline/plan.js';
import type { TargetFacts } from '../../../pipeline/ports.js';
import { readMarker } from '../marker-table.js';
import { readDatabases, readRoles } from '../target/databases.js';
import {
  type Found,
  type Self,
  findClash,
  findEncoding,
  findIdentity,
  findVersion,
  isBusy,
  readSelf,
  readSystemIdentifier,
  toMajor,
} from '../target/inspect.js';
import { toMarkerProblem } from '../target/marker-of.js';
import { toEnvironmentRoles } from '../target/names.js';
import { type Session, type TargetServer } from '../target/session.js';
import { findBuilder, readBuilder } from './builder.js';
import { findHanging, findShared } from './guard.js';
import { type Places, findSwapped } from './places.js';
import { type SchemaRow, type Version, findCurrent, readSchemas, toStanding, toVersions } from './records.js';
import { findRefusals } from './refusals.js';
import { readTemplate } from './template.js';

export interface Inspecting {
  readonly server: TargetServer;
  readonly builder: TargetServer;
  readonly session: Session;
  readonly plan: Plan;
  readonly catalogue: Catalogue;
  readonly verifiers: readonly Verifier[];
  /** Of a run that there will never be. */
  readonly places: Places;
  /** `YYYY-MM-DD`. */
  readonly today: string;
}

export async function inspectSwap(inspecting: Inspecting): Promise<{ facts: TargetFacts; findings: readonly Finding[] }> {
  const { server, session, plan, catalogue, today } = inspecting;
  const self = await readSelf(session);
  const database = (await readDatabases(session)).find(({ name }) => name === server.target);
  const facts: TargetFacts = {
    systemIdentifier: (await readSystemIdentifier(session)) ?? '',
    databaseOid: database?.oid ?? null,
    database: server.target,
    address: self.address ?? 'local socket',
    serverVersion: self.version,
    peakBytes: toPeakBytes(plan, catalogue),
  };
  const place = { stage: 'deliver', connection: server.connection.name };
  const found: Found = [
    ...(self.readOnly ? ([['SERVER_READ_ONLY']] as Found) : []),
    ...(self.version < 150_000 ? ([['SERVER_VERSION_UNSUPPORTED', { amount: toMajor(self.version) }]] as Found) : []),
    ...findIdentity(facts, plan),
    ...(database?.owned === false ? ([['TARGET_NOT_OWNED', { name: database.owner }]] as Found) : []),
    ...(database?.ours ? ([['SWAP_OTHER_WAY', { name: server.target }]] as Found) : []),
    ...(await findRoles(session, server.target, plan, self)),
    ...findVersion(self, plan, catalogue),
    ...findEncoding(database, catalogue),
    ...((await isBusy(session, server.target)) ? ([['TARGET_BUSY', { name: server.target }]] as Found) : []),
    ...(plan.facts.target.clones ? ([['CLONES_UNSUPPORTED', { name: server.target }]] as Found) : []),
    ['SWAP_CHOSEN', { name: server.target }, 'warning'],
  ];
  const findings = [
    ...found.map(([code, where, severity]) => toFinding(code, { ...place, ...where }, severity)),
    ...findRefusals(catalogue, plan, today),
    ...(await findSchemas(inspecting)),
    ...(await findBuilders(inspecting)),
  ];
  const stopped = findings.some(({ severity }) => severity === 'error');
  return { facts, findings: sortFindings([...findings, ...(stopped ? [] : await findUnmakeable(inspecting))]) };
}

/** The administrator makes the environment's roles: this login may not. */
async function findRoles(session: Session, target: string, { facts }: Plan, self: Self): Promise<Found> {
  const { owner, readWrite, readOnly } = toEnvironmentRoles(target, facts.target.roles);
  const roles = await readRoles(session);
  return [owner, readWrite, readOnly].flatMap((name): Found => {
    const role = roles.find((one) => one.name === name);
    if (!role) return [['SWAP_ROLE_MISSING', { name }]];
    const expected = findClash(role, target, self, name === owner, false);
    return expected === undefined ? [] : [['TARGET_ROLE_CLASH', { name, expected }]];
  });
}

/** The schemas that stand there now: whose they are, and what hangs on them and would be left behind. */
async function findSchemas({ server, session, plan, catalogue, verifiers }: Inspecting): Promise<readonly Finding[]> {
  const rows = await readSchemas(session);
  const current = findCurrent(toVersions(rows, server.target));
  const where = { stage: 'deliver', connection: server.connection.name };
  const taken = findTaken(rows, current, findSwapped(catalogue));
  const findings: Finding[] = [];
  if (current) {
    const problem = toMarkerProblem(await readMarker(session.client), current.ours, verifiers);
    // Published between our look at the comment and our look at the marker: time mends it.
    if (problem !== undefined && findCurrent(toVersions(await readSchemas(session), server.target))?.ours.runId !== current.ours.runId)
      throw toError('TARGET_CHANGED', { stage: 'deliver', name: server.target });
    if (problem !== undefined && !plan.facts.target.adopt)
      findings.push(toFinding('TARGET_NOT_OURS', { ...where, name: server.target, expected: problem }));
    for (const { name } of taken.filled) findings.push(toFinding('SWAP_SCHEMA_TAKEN', { ...where, schema: name }));
  } else {
    if (rows.some(({ name }) => name === markerSchema)) findings.push(toFinding('MARKER_SCHEMA_TAKEN', { ...where, schema: markerSchema }));
    const [first] = taken.filled;
    if (first && !plan.facts.target.adopt)
      findings.push(toFinding('TARGET_NOT_OURS', { ...where, name: server.target, expected: `its schema ${first.name} is in use` }));
  }
  const standing = [...(current ? toStanding(current) : []), ...taken.filled.map(({ name }) => name), ...taken.empty];
  const { owner } = toEnvironmentRoles(server.target, plan.facts.target.roles);
  for (const object of await findForeign(session, standing)) findings.push(toFinding('SWAP_NOT_OWNED', { ...where, object }));
  for (const object of [...(await findShared(session, standing)), ...(await findHanging(session, standing, owner))])
    findings.push(toFinding('SWAP_HANGS', { ...where, object }));
  return findings;
}

/** Schemas of the names that the new version will have, which are not the current version's. */
export function findTaken(
  rows: readonly SchemaRow[],
  current: Version | undefined,
  swapped: readonly string[],
): { readonly filled: readonly SchemaRow[]; readonly empty: readonly string[] } {
  const taken = rows.filter(({ name }) => swapped.includes(name) && !current?.ours.schemas.includes(name));
  return { filled: taken.filter(({ empty }) => !empty), empty: taken.filter(({ empty }) => empty).map(({ name }) => name) };
}

/** What this login could not lock or rename. */
async function findForeign(session: Session, schemas: readonly string[]): Promise<readonly string[]> {
  const rows = await session.query<{ object: string }>(
    `SELECT 'schema ' || quote_ident(n.nspname) AS object FROM pg_namespace n WHERE n.nspname = ANY ($1::text[]) AND NOT pg_has_role(n.nspowner, 'USAGE')
     UNION ALL SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p', 'm', 'S') AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY 1 LIMIT 20`,
    [schemas],
  );
  return rows.map(({ object }) => object);
}

/** The login that builds, and what it needs beside staging: the extensions, made by the administrator where the source has them. */
async function findBuilders({ builder, session, server, catalogue }: Inspecting): Promise<readonly Finding[]> {
  const connection = builder.connection.name;
  let name: string;
  try {
    name = await readBuilder(session, builder, server.target);
  } catch (error) {
    if (!(error instanceof BautaError)) throw error;
    return [toFinding(error.code, error.where)];
  }
  const wanted = catalogue.objects.flatMap((object) => (object.kind === 'extension' ? [object] : []));
  const there = await session.query<{ name: string; schema: string; usable: boolean }>(
    `SELECT x.extname AS name, n.nspname AS schema, has_schema_privilege($1::name, n.oid, 'USAGE') AS usable
       FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace`,
    [name],
  );
  const missing = wanted.flatMap(({ name: extension, schema }) => {
    const found = there.find((one) => one.name === extension && one.schema === schema);
    const where = { stage: 'deliver', connection, name: extension, schema };
    if (!found) return [toFinding('SWAP_EXTENSION_MISSING', where)];
    return found.usable ? [] : [toFinding('SWAP_EXTENSION_CLOSED', { ...where, expected: name })];
  });
  return [...(await findBuilder(session, name, server.target, connection)), ...missing];
}

/** The template, made and rolled back. */
async function findUnmakeable({ server, plan, catalogue, places, session }: Inspecting): Promise<readonly Finding[]> {
  const rows = await readSchemas(session);
  const taken = rows.filter(({ name }) => places.schemas.has(name)).map(({ name }) => name);
  try {
    await readTemplate(server, plan, catalogue, places, taken);
    return [];
  } catch (error) {
    if (!(error instanceof BautaError)) throw error;
    return error.findings.length > 0 ? error.findings : [toFinding(error.code, error.where)];
  }
}
