// Closes a database of ours to the environment: nobody of it may connect, and nobody of it may give the right back, because it is ours meanwhile.
// What it was stands in its comment, so that it can be opened again.
import { toError } from '../../../kernel/errors.js';
import { quoteLiteral, quoteName } from '../quote.js';
import { type Database, readDatabases } from './databases.js';
import { type OwnComment, toCommentText } from './own-comment.js';
import { type Session, toSqlState } from './session.js';

/** One transaction; doing it twice changes nothing. Sessions that are there stay until they are ended. */
export async function closeDatabase(
  session: Session,
  { oid, name, owner, ours }: Pick<Database, 'oid' | 'name' | 'owner' | 'ours'>,
  why: NonNullable<OwnComment['closed']>['why'],
): Promise<void> {
  if (!ours || ours.closed?.why === why) return;
  const database = quoteName(name);
  await session.transaction(async () => {
    await session.query(`ALTER DATABASE ${database} OWNER TO CURRENT_USER`);
    const others = await session.query<{ role: string | null }>(
      `SELECT DISTINCT CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END AS role
         FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a WHERE d.oid = $1 AND a.grantee <> d.datdba`,
      [oid],
    );
    for (const { role } of others)
      await session.query(`REVOKE ALL ON DATABASE ${database} FROM ${role === null ? 'PUBLIC' : quoteName(role)} CASCADE`);
    const closed = { why, owner: ours.closed?.owner ?? owner };
    await session.query(`COMMENT ON DATABASE ${database} IS ${quoteLiteral(toCommentText({ ...ours, closed }))}`);
  });
}

/** As far as they are ours to end: a superuser's are not. */
export async function endSessions(session: Session, database: string): Promise<void> {
  const found = await session.query<{ pid: number }>(
    'SELECT pid FROM pg_stat_activity WHERE datname = $1 AND usesysid IS NOT NULL AND pid <> pg_backend_pid()',
    [database],
  );
  for (const { pid } of found) {
    try {
      await session.query('SELECT pg_terminate_backend($1)', [pid]);
    } catch (error) {
      if (toSqlState(error) !== '42501') throw error;
    }
  }
}

/** Who is there, as names and counts. */
export async function nameSessions(session: Session, databases: readonly string[]): Promise<string> {
  const rows = await session.query<{ who: string; sessions: number }>(
    `SELECT coalesce(usename, 'a process of the server') || ' (' || coalesce(nullif(application_name, ''), 'unnamed') || ')' AS who,
            count(*)::int AS sessions
       FROM pg_stat_activity WHERE datname = ANY ($1) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10`,
    [databases],
  );
  return rows.map(({ who, sessions }) => (sessions === 1 ? who : `${who} × ${sessions}`)).join('; ') || 'no session that we may see';
}

/** MUST be given a session that holds the target's lock. Throws TARGET_CHANGED where another version is current. */
export async function quarantineVersion(session: Session, target: string, runId: string): Promise<void> {
  const current = (await readDatabases(session)).find(({ name }) => name === target);
  if (current?.ours?.runId !== runId || current.ours.target !== target) throw toError('TARGET_CHANGED', { stage: 'deliver', name: target });
  if (current.ours.closed === undefined) await closeDatabase(session, current, 'quarantined');
  await endSessions(session, target);
}
