// Takes a version away that is some schemas of a database: closed to the environment's roles first, then dropped in one transaction with its marker.
// The roles stay: an administrator made them.
import { toError } from '../../../kernel/errors.js';
import type { DropStep } from '../../../pipeline/ports.js';
import { quoteName } from '../quote.js';
import type { Session } from '../target/session.js';
import type { OnStep } from '../target/steps.js';
import { findShared } from './guard.js';
import { type Version, readVersions, toStanding, writeRecord } from './records.js';
import { endOthers } from './switch.js';

export async function readSchemaDropSteps(session: Session, target: string, runId: string): Promise<readonly DropStep[]> {
  const version = await findVersion(session, target, runId);
  if (!version) return [];
  const names = [...toStanding(version), version.record];
  const statement = `DROP SCHEMA IF EXISTS ${names.map(quoteName).join(', ')} CASCADE`;
  return names.map((name) => ({ kind: 'schema', name, statement }));
}

/** MUST be given a session that holds the target's lock. Throws SWAP_HANGS where something of others stands on it, TARGET_CHANGED. */
export async function dropSchemaVersion(
  session: Session,
  target: string,
  runId: string,
  steps: readonly DropStep[],
  onStep: OnStep,
): Promise<void> {
  const version = await findVersion(session, target, runId);
  if (!version) return;
  const names = [...toStanding(version), version.record];
  const [statement] = steps.map((step) => step.statement);
  if (statement === undefined || names.some((name) => !steps.some((step) => step.name === name)))
    throw toError('TARGET_CHANGED', { stage: 'deliver', name: target });
  await onStep('version.close');
  await closeSchemas(session, version, 'expiring');
  if (version.ours.state === 'current') await endOthers(session);
  await onStep('version.drop');
  await session.transaction(async () => {
    const [object] = await findShared(session, names);
    if (object !== undefined) throw toError('SWAP_HANGS', { stage: 'deliver', object });
    await session.query(statement);
  });
}

/** MUST be given a session that holds the target's lock. Throws TARGET_CHANGED where another version is current. */
export async function quarantineSchemas(session: Session, target: string, runId: string): Promise<void> {
  const version = await findVersion(session, target, runId);
  if (version?.ours.state !== 'current') throw toError('TARGET_CHANGED', { stage: 'deliver', name: target });
  if (version.ours.closed === undefined) await closeSchemas(session, version, 'quarantined');
  await endOthers(session);
}

async function closeSchemas(session: Session, version: Version, why: 'expiring' | 'quarantined'): Promise<void> {
  const schemas = toStanding(version);
  await session.transaction(async () => {
    const granted = await session.query<{ schema: string; role: string | null }>(
      `SELECT DISTINCT n.nspname AS schema, CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END AS role
         FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = ANY ($1::text[]) AND a.grantee <> n.nspowner`,
      [schemas],
    );
    for (const { schema, role } of granted)
      await session.query(`REVOKE ALL ON SCHEMA ${quoteName(schema)} FROM ${role === null ? 'PUBLIC' : quoteName(role)} CASCADE`);
    await writeRecord(session, version.record, { ...version.ours, closed: { why } });
  });
}

async function findVersion(session: Session, target: string, runId: string): Promise<Version | undefined> {
  return (await readVersions(session, target)).find(({ ours }) => ours.runId === runId && ours.state !== 'staging' && ours.version > 0);
}
