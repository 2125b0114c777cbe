// What stands against a delivery, all of it at once, before a row is read.
import { BautaError, type Finding, type Where, sortFindings, toError, toFinding } from '../../../kernel/errors.js';
import type { ErrorCode } from '../../../kernel/messages.js';
import type { Verifier } from '../../../kernel/signed-note.js';
import type { Catalogue, GrantPlan } from '../../../pipeline/catalogue.js';
import { toPeakBytes } from '../../../pipeline/peak-bytes.js';
import type { DeliveryPlan } from '../../../pipeline/delivery-plan.js';
import type { TargetFacts } from '../../../pipeline/ports.js';
import { type Database, type Role, readDatabases, readRoles } from './databases.js';
import { findMarkerProblem } from './marker-of.js';
import { findRunId, toEnvironmentRoles, toLockKey } from './names.js';
import { findRoom, toMegabytes } from './room.js';
import { type Session, type TargetServer, toSqlState } from './session.js';

export interface Self {
  name: string;
  superuser: boolean;
  createDb: boolean;
  createRole: boolean;
  signal: boolean;
  readOnly: boolean;
  version: number;
  address: string | null;
}

export async function inspect(
  server: TargetServer,
  session: Session,
  plan: DeliveryPlan,
  catalogue: Catalogue,
  verifiers: readonly Verifier[],
): Promise<{ facts: TargetFacts; findings: readonly Finding[] }> {
  const [self, databases, roles] = [await readSelf(session), await readDatabases(session), await readRoles(session)];
  const current = databases.find(({ name }) => name === server.target);
  const systemIdentifier = await readSystemIdentifier(session);
  const facts: TargetFacts = {
    systemIdentifier: systemIdentifier ?? '',
    databaseOid: current?.oid ?? null,
    database: server.target,
    address: self.address ?? 'local socket',
    serverVersion: self.version,
    peakBytes: toPeakBytes(plan, catalogue),
  };
  const identity = findIdentity(facts, plan);
  const found: [ErrorCode, Where?, Finding['severity']?][] = [
    ...findRights(self),
    ...identity,
    // Of the source itself, whose it is says nothing more.
    ...(identity.some(([code]) => code === 'TARGET_IS_SOURCE') ? [] : await findHeldStill(server, session, current, plan, verifiers)),
    ...findRoles(server.target, plan, roles, self),
    ...findVersion(self, plan, catalogue),
    ...findEncoding(current, catalogue),
  ];
  found.push(...(await findForClones(server, session, facts, plan)));
  if (await isBusy(session, server.target)) found.push(['TARGET_BUSY', { name: server.target }]);
  if (current && !self.superuser) found.push(...(await findSettings(session, current, self)));
  const place = { stage: 'deliver', connection: server.connection.name };
  return { facts, findings: sortFindings(found.map(([code, where, severity]) => toFinding(code, { ...place, ...where }, severity))) };
}

/** Nothing that a run without clones would ask. */
async function findForClones(
  server: TargetServer,
  session: Session,
  { peakBytes, database }: TargetFacts,
  { facts }: DeliveryPlan,
): Promise<Found> {
  const { clones } = facts.target;
  if (!clones) return [];
  const room = await findRoom(server, session, clones.megabytes);
  const open = await session.query<{ name: string }>(
    `SELECT d.datname AS name FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
      WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT' AND d.datallowconn AND d.datname <> $1 ORDER BY 1`,
    [server.target],
  );
  const known = { name: database, expected: toMegabytes(peakBytes), amount: toMegabytes(room ?? 0) };
  return [
    ...(room !== undefined && room < peakBytes ? [['TARGET_NO_ROOM', known] as Found[number]] : []),
    ...(open.length > 0
      ? [['CLONE_REACHES_OTHERS', { expected: open.map(({ name }) => name).join(', ') }, 'warning'] as Found[number]]
      : []),
  ];
}

export type Found = [ErrorCode, Where?, Finding['severity']?][];

function findRights(self: Self): Found {
  const found: Found = [];
  if (self.readOnly) found.push(['SERVER_READ_ONLY']);
  if (self.version < 150_000) found.push(['SERVER_VERSION_UNSUPPORTED', { amount: toMajor(self.version) }]);
  if (!self.createDb) found.push(['TARGET_NO_CREATEDB', { name: self.name }]);
  if (!self.createRole) found.push(['TARGET_NO_CREATEROLE', { name: self.name }]);
  if (!self.signal) found.push(['TARGET_NO_SIGNAL', { name: self.name }]);
  return found;
}

export function findIdentity(facts: TargetFacts, plan: DeliveryPlan): Found {
  if (facts.systemIdentifier === '') return [['TARGET_UNKNOWN_IDENTITY']];
  const same = facts.systemIdentifier === plan.source.systemIdentifier && facts.databaseOid === plan.source.databaseOid;
  return same ? [['TARGET_IS_SOURCE', { name: facts.database }]] : [];
}

/**
 * A run that is given up because its worker is silent may still publish. Between comment and marker the name may then come to stand for the next
 * version, or be in the middle of a switch, where nobody gets in: that is no other person's database, and time mends it. Throws TARGET_CHANGED.
 */
async function findHeldStill(
  server: TargetServer,
  session: Session,
  current: Database | undefined,
  plan: DeliveryPlan,
  verifiers: readonly Verifier[],
): Promise<Found> {
  const changed = async (): Promise<boolean> => {
    const now = (await readDatabases(session)).find(({ name }) => name === server.target);
    return now?.oid !== current?.oid || now?.comment !== current?.comment;
  };
  try {
    const found = await findDatabase(server, current, plan, verifiers);
    if (found.length === 0 || !(await changed())) return found;
  } catch (error) {
    if (!(error instanceof BautaError) || error.code !== 'DATABASE_MISSING' || !(await changed())) throw error;
  }
  throw toError('TARGET_CHANGED', { stage: 'deliver', name: server.target });
}

async function findDatabase(
  server: TargetServer,
  current: Database | undefined,
  plan: DeliveryPlan,
  verifiers: readonly Verifier[],
): Promise<Found> {
  if (!current) return [];
  const found: Found = [];
  const { target } = server;
  if (!plan.facts.target.adopt) {
    const problem = current.ours?.target === target ? await findMarkerProblem(server, target, current.ours, verifiers) : undefined;
    if (current.ours?.target !== target || problem !== undefined) found.push(['TARGET_NOT_OURS', { name: target, expected: problem }]);
  }
  if (!current.owned) found.push(['TARGET_NOT_OWNED', { name: current.owner }]);
  return found;
}

function findRoles(target: string, { facts }: DeliveryPlan, roles: readonly Role[], self: Self): Found {
  const { owner, readWrite, readOnly, mapped } = toEnvironmentRoles(target, facts.target.roles);
  return [owner, readWrite, readOnly, ...mapped].flatMap((name): Found => {
    const role = roles.find((one) => one.name === name);
    const expected = role ? findClash(role, target, self, name === owner, mapped.includes(name)) : findRunClash(name);
    return expected === undefined ? [] : [['TARGET_ROLE_CLASH', { name, expected }]];
  });
}

export function findClash(role: Role, target: string, self: Self, isOwner: boolean, isMapped: boolean): string | undefined {
  if (role.superuser) return 'it is a superuser';
  // Who has our rights could change the marker, and publish.
  if (role.hasOurs) return `it has the rights of ${self.name}`;
  // A role that rights are mapped to may be somebody's login; the environment's own three are for groups.
  if (role.canLogin && !isMapped) return 'it can log in';
  if (role.ours?.role === 'run') return 'it is the role of a run';
  if (role.ours?.role === 'clone') return 'it is the role of a clone';
  if (role.ours && role.ours.target !== target) return `it is of the target ${role.ours.target}`;
  return isOwner && !role.owned ? `it is not granted to ${self.name}` : undefined;
}

function findRunClash(name: string): string | undefined {
  return findRunId(name) === undefined ? undefined : 'roles of runs are named so';
}

export function findVersion(self: Self, { roles }: DeliveryPlan, catalogue: Catalogue): Found {
  const [ours, theirs] = [Math.floor(self.version / 10_000), Math.floor(catalogue.server.version / 10_000)];
  if (ours >= theirs) return [];
  const virtual = ours < 18 && catalogue.tables.some((table) => table.columns.some(({ generated }) => generated === 'v'));
  if (virtual) return [['TARGET_OLDER', { amount: String(ours), expected: 'virtual generated columns' }]];
  const maintain = ours < 17 && [...(roles?.grants ?? []), ...(roles?.defaults ?? [])].some(hasMaintain);
  if (maintain) return [['TARGET_OLDER', { amount: String(ours), expected: 'the privilege MAINTAIN' }]];
  return [['TARGET_OLDER_VERSION', { amount: String(ours) }, 'warning']];
}

function hasMaintain({ entries }: Pick<GrantPlan, 'entries'>): boolean {
  return entries.some(({ privileges }) => privileges.includes('MAINTAIN'));
}

export function findEncoding(current: Database | undefined, catalogue: Catalogue): Found {
  const expected = catalogue.server.encoding;
  if (!current || current.encoding === expected || current.encoding === 'UTF8') return [];
  return [['TARGET_ENCODING_DIFFERS', { name: current.encoding, expected }, 'warning']];
}

export async function readSelf(session: Session): Promise<Self> {
  const [self] = await session.query<Self>(
    `SELECT rolname AS name, rolsuper AS superuser, rolsuper OR rolcreatedb AS "createDb", rolsuper OR rolcreaterole AS "createRole",
            pg_has_role('pg_signal_backend', 'USAGE') AS signal,
            pg_is_in_recovery() OR current_setting('transaction_read_only')::bool AS "readOnly",
            current_setting('server_version_num')::int AS version,
            host(inet_server_addr()) || ':' || inet_server_port() AS address
       FROM pg_roles WHERE rolname = session_user`,
  );
  return self as Self;
}

/** Null when the server does not let us see it. Some providers revoke the function. */
export async function readSystemIdentifier(session: Session): Promise<string | null> {
  try {
    const [row] = await session.query<{ id: string }>('SELECT system_identifier::text AS id FROM pg_control_system()');
    return row?.id ?? null;
  } catch (error) {
    if (toSqlState(error) !== '42501') throw error;
    return null;
  }
}

export async function isBusy(session: Session, target: string): Promise<boolean> {
  const rows = await session.query(
    `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (classid::int8 << 32) | objid::int8 = $1::int8`,
    [toLockKey('target', target)],
  );
  return rows.length > 0;
}

/**
 * Settings of the current database that we may not copy: those of a role that we do not administer (a superuser's; from 16 on any other
 * that was not granted so), and those that only a superuser may set, which includes names that no module of the server declares.
 */
async function findSettings(session: Session, current: Database, self: Self): Promise<Found> {
  const roles = await session.query<{ name: string }>(
    `SELECT r.rolname AS name FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
      WHERE s.setdatabase = $1 AND (r.rolsuper OR NOT $2 OR ($3 AND NOT pg_has_role(r.oid, 'USAGE WITH ADMIN OPTION'))) ORDER BY 1`,
    [current.oid, self.createRole, self.version >= 160_000],
  );
  const settings = await session.query<{ name: string }>(
    `SELECT DISTINCT split_part(c, '=', 1) AS name FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) c
       LEFT JOIN pg_settings g ON lower(g.name) = lower(split_part(c, '=', 1))
      WHERE s.setdatabase = $1 AND coalesce(g.context, 'superuser') NOT IN ('user', 'backend')
        AND NOT has_parameter_privilege(split_part(c, '=', 1), 'SET') ORDER BY 1`,
    [current.oid],
  );
  return [
    ...roles.map(({ name }): Found[number] => ['TARGET_ROLE_SETTING', { name }]),
    ...settings.map(({ name }): Found[number] => ['TARGET_SETTING_LOCKED', { name, expected: self.name }]),
  ];
}

export function toMajor(version: number): string {
  return String(Math.floor(version / 10_000));
}
