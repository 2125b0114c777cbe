// Takes a version away for good: closed to everybody first, so that nobody gets in again whatever comes of the rest, then dropped. What is seen
// afterwards is seen on a session that had no part in it.
import { toError } from '../../../kernel/errors.js';
import type { DatasetVersion, DropKept, DropOptions, DropSeen, DropStep } from '../../../pipeline/ports.js';
import { quoteName } from '../quote.js';
import { dropClonesOf } from './clones.js';
import { type Database, type Role, readDatabases, readRoles } from './databases.js';
import { closeDatabase, endSessions, nameSessions } from './close-database.js';
import { waitForLock } from './locks.js';
import { findOwnName } from './names.js';
import { readReach } from './reach.js';
import { type Session, toSqlState } from './session.js';
import type { OnStep } from './steps.js';

/** 55006: sessions, prepared transactions or slots are in it. 42501: sessions that are not ours to end. */
const inUse = new Set(['55006', '42501']);

export async function readDropSteps(
  session: Session,
  target: string,
  { runId }: Pick<DatasetVersion, 'runId'>,
  { gone = [], clonesStay = false }: DropOptions & { readonly gone?: readonly DatasetVersion[] } = {},
): Promise<readonly DropStep[]> {
  const [databases, roles] = [await readDatabases(session), await readRoles(session)];
  const own = databases.filter((one) => isOf(one, target, runId));
  const clones = clonesStay ? [] : findClones(roles, target, runId);
  const left = databases.filter(
    (one) => one.ours?.target === target && !own.includes(one) && !gone.some(({ database }) => database === one.name),
  );
  const needless = left.length === 0 ? roles.filter((role) => isOfEnvironment(role, target)) : [];
  return [
    ...[...clones, ...own].map(({ name }): DropStep => ({
      kind: 'database',
      name,
      statement: `DROP DATABASE IF EXISTS ${quoteName(name)} WITH (FORCE)`,
    })),
    ...[...clones, ...needless].map(({ name }): DropStep => ({ kind: 'role', name, statement: `DROP ROLE IF EXISTS ${quoteName(name)}` })),
  ];
}

/** MUST be given a session that holds the target's lock. */
export async function dropVersion(
  session: Session,
  target: string,
  runId: string,
  steps: readonly DropStep[],
  { clonesStay = false }: DropOptions,
  onStep: OnStep,
): Promise<readonly DropKept[]> {
  // Nobody begins a clone meanwhile; one that is being made is dropped as it is.
  await waitForLock(session, 'clones', target);
  const there = (await readDatabases(session)).filter((one) => isOf(one, target, runId));
  const clones = findClones(await readRoles(session), target, runId);
  const named = new Set(steps.filter(({ kind }) => kind === 'database').map(({ name }) => name));
  if ([...there, ...(clonesStay ? [] : clones)].some(({ name }) => !named.has(name)))
    throw toError('TARGET_CHANGED', { stage: 'deliver', name: target });
  // All of it is closed before any of it is dropped. A template is closed as long as it lives.
  await onStep('version.close');
  for (const database of there.filter(({ ours }) => ours?.state !== 'template')) await closeDatabase(session, database, 'expiring');
  for (const { name } of there) await endSessions(session, name);
  if (!clonesStay) await dropClonesOf(session, target, runId);
  await onStep('version.drop');
  for (const { name, statement } of steps.filter((step) => there.some((one) => one.name === step.name)))
    await drop(session, name, statement);
  await onStep('roles.drop');
  return [...(clonesStay ? clones.flatMap(toKeptClone) : []), ...(await dropRoles(session, target, steps))];
}

/** Its database is called as its role is. */
function toKeptClone({ name, ours }: Role): readonly DropKept[] {
  return ours?.clone ? [{ kind: 'database', name, why: `a clone of it, which ends at ${ours.clone.expiresAt}` }] : [];
}

async function drop(session: Session, name: string, statement: string): Promise<void> {
  try {
    await session.query(statement);
  } catch (error) {
    if (!inUse.has(toSqlState(error))) throw error;
    throw toError('EXPIRY_IN_USE', { stage: 'deliver', name, expected: await nameSessions(session, [name]), sqlState: toSqlState(error) });
  }
}

async function dropRoles(session: Session, target: string, steps: readonly DropStep[]): Promise<readonly DropKept[]> {
  const wanted = steps.filter(({ kind, name }) => kind === 'role' && findOwnName(name)?.form !== 'clone');
  if (wanted.length === 0) return [];
  const used = (await readDatabases(session)).some(({ ours }) => ours?.target === target);
  if (used) return wanted.map(({ name }) => ({ kind: 'role', name, why: 'another version of the target needs it' }));
  const roles = (await readRoles(session)).filter((role) => isOfEnvironment(role, target));
  const kept: DropKept[] = [];
  for (const { name, statement } of wanted) {
    if (!roles.some((role) => role.name === name)) continue;
    const members = await countMembers(session, name);
    if (members > 0) kept.push({ kind: 'role', name, why: `${members} others are members of it` });
    else if (!(await dropRole(session, statement))) kept.push({ kind: 'role', name, why: 'what is not of this environment depends on it' });
  }
  return kept;
}

async function dropRole(session: Session, statement: string): Promise<boolean> {
  try {
    await session.query(statement);
    return true;
  } catch (error) {
    // 2BP01: somebody else's object needs the role.
    if (toSqlState(error) === '2BP01') return false;
    throw error;
  }
}

/** Logins of people and jobs that were made members: they need the role when the environment is filled again. */
async function countMembers(session: Session, role: string): Promise<number> {
  const [row] = await session.query<{ members: number }>(
    `SELECT count(DISTINCT m.member)::int AS members FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
      WHERE r.rolname = $1 AND m.member <> session_user::regrole`,
    [role],
  );
  return row?.members ?? 0;
}

/** What is looked for is names and not what was dropped: another thing of the same name would be told as there. */
export async function seeDropped(session: Session, steps: readonly DropStep[]): Promise<DropSeen> {
  const names = (kind: DropStep['kind']): readonly string[] => steps.filter((step) => step.kind === kind).map(({ name }) => name);
  const found = await session.query<{ kind: DropStep['kind']; name: string }>(
    `SELECT 'database' AS kind, datname::text AS name FROM pg_database WHERE datname = ANY ($1)
     UNION ALL SELECT 'role', rolname::text FROM pg_roles WHERE rolname = ANY ($2)
     UNION ALL SELECT 'schema', nspname::text FROM pg_namespace WHERE nspname = ANY ($3)`,
    [names('database'), names('role'), names('schema')],
  );
  const sessions = await session.query<{ name: string; sessions: number }>(
    'SELECT datname::text AS name, count(*)::int AS sessions FROM pg_stat_activity WHERE datname = ANY ($1) GROUP BY 1',
    [names('database')],
  );
  return {
    ...(await readReach(session)),
    things: steps.map(({ kind, name }) => ({
      ...{ kind, name, there: found.some((one) => one.kind === kind && one.name === name) },
      sessions: (kind === 'database' && sessions.find((one) => one.name === name)?.sessions) || 0,
    })),
  };
}

function isOf({ name, ours, owned }: Database, target: string, runId: string): boolean {
  if (!owned || ours?.target !== target || ours.runId !== runId || ours.version === 0 || ours.state === 'staging') return false;
  return (ours.state === 'current') === (name === target);
}

/** In whatever state; its role says of which version it is. */
function findClones(roles: readonly Role[], target: string, runId: string): readonly Role[] {
  return roles.filter(({ ours, owned }) => owned && ours?.role === 'clone' && ours.target === target && ours.clone?.runId === runId);
}

function isOfEnvironment({ ours, owned, superuser }: Role, target: string): boolean {
  return ours?.target === target && ours.role !== 'run' && ours.role !== 'clone' && owned && !superuser;
}
