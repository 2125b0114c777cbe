// The one step: a transaction in the maintenance database that renames, while a second session ends the sessions of the databases renamed.
import { toError } from '../../../kernel/errors.js';
import { type Session, type TargetServer, toSqlState } from './session.js';

/** 55006: sessions are still in a database that is renamed. 40P01, 55P03: somebody else locked it. */
const worthAnotherTry = new Set(['55006', '40P01', '55P03']);

/**
 * Runs `change` in a transaction, again and again while sessions stand in the way and time is left. `clear` are the databases whose
 * sessions are ended meanwhile, `watch` those whose sessions are named when it does not succeed. Throws TARGET_IN_USE; nothing changed then.
 */
export async function switchOver(
  server: TargetServer,
  session: Session,
  names: { readonly clear: readonly string[]; readonly watch: readonly string[] },
  change: () => Promise<void>,
): Promise<void> {
  const until = performance.now() + server.settings.switchTimeoutMs;
  const second = await server.openMaintenance();
  const ending = { done: false };
  const ender = endSessions(second, names.clear, ending);
  // The loop's own end is awaited below; until then its failure must not count as nobody's.
  ender.catch(() => undefined);
  try {
    for (;;) {
      try {
        await session.transaction(change);
        return;
      } catch (error) {
        if (!worthAnotherTry.has(toSqlState(error))) throw error;
        if (performance.now() >= until)
          throw toError('TARGET_IN_USE', { stage: 'deliver', expected: await nameSessions(session, names.watch) });
      }
    }
  } finally {
    ending.done = true;
    await ender.catch(() => undefined);
    await second.end();
  }
}

async function endSessions(session: Session, databases: readonly string[], ending: { readonly done: boolean }): Promise<void> {
  if (databases.length === 0) return;
  while (!ending.done) {
    const found = await session.query<{ pid: number }>(
      // backend_type and client_addr are hidden from a role without pg_read_all_stats; database, pid and role never are.
      `SELECT pid FROM pg_stat_activity WHERE datname = ANY ($1) AND usesysid IS NOT NULL`,
      [databases],
    );
    for (const { pid } of found) {
      try {
        await session.query('SELECT pg_terminate_backend($1)', [pid]);
      } catch (error) {
        // A superuser's session is not ours to end: it will be named when time is up.
        if (toSqlState(error) !== '42501') throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Who is there, as names and counts: `app (psql) × 3`, with an address where we may see it. */
async function nameSessions(session: Session, databases: readonly string[]): Promise<string> {
  const rows = await session.query<{ who: string; sessions: number }>(
    `SELECT coalesce(usename, 'a process of the server') || ' (' || coalesce(nullif(application_name, ''), 'unnamed')
              || coalesce(', ' || host(client_addr), '') || ')' AS who, count(*)::int AS sessions
       FROM pg_stat_activity WHERE datname = ANY ($1) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10`,
    [databases],
  );
  return rows.map(({ who, sessions }) => (sessions === 1 ? who : `${who} × ${sessions}`)).join('; ') || 'they have left by now';
}
