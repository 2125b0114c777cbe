// Finds what dead runs left and drops it. Dead: the advisory lock on its run id is free. Ours: the exact form of name, and a comment of ours on
// the database, or on the owner role made for it when the run died before it could mark the database.
import { quoteName } from '../quote.js';
import { type Database, type Role, readDatabases, readRoles } from './databases.js';
import { sweepClones } from './clones.js';
import { findRunId } from './names.js';
import { tryLock, unlock } from './locks.js';
import { type Session, toSqlState } from './session.js';

/** Names of the databases and roles that it dropped; those of runs that go on stay. */
export async function sweep(session: Session, goesOn: ReadonlySet<string>): Promise<readonly string[]> {
  const dropped: string[] = [];
  const [databases, roles] = [await readDatabases(session), await readRoles(session)];
  const candidates = [...databases.filter((one) => isStaging(one) || isLeftTemplate(one, databases)), ...roles.filter(isRunRole)];
  const names = candidates.filter(({ owned }) => owned).map(({ name }) => name.replace(/_template$/, ''));
  for (const name of new Set(names)) {
    const runId = findRunId(name);
    if (runId === undefined || goesOn.has(runId) || !(await tryLock(session, 'run', runId))) continue;
    try {
      // Between our look and our lock its run may have published it: the name then stands for another thing, or for none.
      dropped.push(...(await dropStaging(session, name)));
    } finally {
      await unlock(session, 'run', runId);
    }
  }
  dropped.push(...(await sweepClones(session)), ...(await dropUnusedEnvironmentRoles(session)));
  return dropped;
}

/** Drops a run's database, template and role if they are still staging of ours. Safe to call twice. */
export async function dropStaging(session: Session, name: string): Promise<readonly string[]> {
  const dropped: string[] = [];
  const databases = await readDatabases(session);
  const database = databases.find((one) => one.name === name);
  const template = databases.find((one) => one.name === `${name}_template` && isLeftTemplate(one, databases));
  if (template) {
    await session.query(`DROP DATABASE IF EXISTS ${quoteName(template.name)} WITH (FORCE)`);
    dropped.push(template.name);
  }
  if (database && !isStaging(database)) return dropped;
  if (database) {
    await session.query(`DROP DATABASE IF EXISTS ${quoteName(name)} WITH (FORCE)`);
    dropped.push(name);
  }
  if ((await readRoles(session)).some((role) => role.name === name && isRunRole(role))) {
    await session.query(`DROP ROLE IF EXISTS ${quoteName(name)}`);
    if (!database) dropped.push(name);
  }
  return dropped;
}

/** An environment's roles are made by its first run; one that did not publish leaves them without a database. */
export async function dropUnusedEnvironmentRoles(session: Session): Promise<readonly string[]> {
  const dropped: string[] = [];
  const isUsed = async (target: string): Promise<boolean> => (await readDatabases(session)).some(({ ours }) => ours?.target === target);
  for (const { name, ours, owned } of await readRoles(session)) {
    if (!ours || ours.role === 'run' || ours.role === 'clone' || !owned) continue;
    // Looked at first without the lock: whoever wants to begin on a target that is in use would find it busy for nothing.
    if (await isUsed(ours.target)) continue;
    // A run that has just begun has roles and no database yet; it holds the target's lock. The lock is ours already when our own run ends.
    if (!(await tryLock(session, 'target', ours.target))) continue;
    try {
      if (!(await isUsed(ours.target)) && (await dropUnneeded(session, name))) dropped.push(name);
    } finally {
      await unlock(session, 'target', ours.target);
    }
  }
  return dropped;
}

async function dropUnneeded(session: Session, role: string): Promise<boolean> {
  try {
    await session.query(`DROP ROLE IF EXISTS ${quoteName(role)}`);
    return true;
  } catch (error) {
    // 2BP01: somebody else's object needs the role, so it is in use and stays.
    if (toSqlState(error) === '2BP01') return false;
    throw error;
  }
}

export function isStaging({ name, ours, ownerOurs, comment, owner }: Database): boolean {
  const runId = findRunId(name);
  if (runId === undefined) return false;
  if (ours) return ours.state === 'staging' && ours.runId === runId;
  return comment === null && owner === name && ownerOurs?.role === 'run';
}

/** Of a run that did not come to publish, or of a version that was dropped. */
function isLeftTemplate({ ours }: Database, databases: readonly Database[]): boolean {
  if (ours?.state !== 'template') return false;
  const isOf = (one: Database): boolean => one.ours?.runId === ours.runId && one.ours.target === ours.target;
  return !databases.some((one) => isOf(one) && (one.ours?.state === 'current' || one.ours?.state === 'previous'));
}

function isRunRole({ name, ours, superuser }: Role): boolean {
  return findRunId(name) !== undefined && ours?.role === 'run' && !superuser;
}
