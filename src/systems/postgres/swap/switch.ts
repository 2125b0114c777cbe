// The one step: a transaction that renames schemas while nobody reads or writes the tables that lose their names. Tried again and again, each time
// for a moment only, because whoever comes while it waits has to wait too.
import { toError } from '../../../kernel/errors.js';
import { quoteName, quoteQualified } from '../quote.js';
import { type Session, type TargetServer, toSqlState } from '../target/session.js';

/** 40P01, 55P03: somebody else holds a lock. */
const worthAnotherTry = new Set(['40P01', '55P03']);
const pauseMs = 50;

export interface Switch {
  /** Schemas whose tables lose or get their names. Read inside the transaction. */
  readonly standing: () => Promise<readonly string[]>;
  /** A transaction's number: whoever looks at an older state of the database does not see the rows that were loaded. */
  readonly after?: string;
  readonly change: () => Promise<void>;
}

/** Throws TARGET_IN_USE with who stands in the way when time is up; nothing changed then. */
export async function switchSchemas(server: TargetServer, session: Session, order: Switch): Promise<void> {
  const { switchTimeoutMs } = server.settings;
  const until = performance.now() + switchTimeoutMs;
  const [setting] = await session.query<{ ms: number }>(`SELECT setting::int AS ms FROM pg_settings WHERE name = 'deadlock_timeout'`);
  const deadlockMs = setting?.ms ?? 1000;
  let standing: readonly string[] = [];
  let longer = false;
  /** What was in others' hands, the latest first: who waits for it before he holds anything is in nobody's way meanwhile. */
  const wanted: string[] = [];
  for (;;) {
    try {
      const done = await session.transaction(async () => {
        await session.query(`SELECT set_config('lock_timeout', $1, true)`, [String(toWait(deadlockMs, longer))]);
        standing = await order.standing();
        await lockAll(session, standing, wanted);
        if (order.after !== undefined && (await findOld(session, order.after)).length > 0) throw new StillOld();
        await order.change();
        return true;
      });
      if (done) return;
    } catch (error) {
      if (!(error instanceof StillOld) && !worthAnotherTry.has(toSqlState(error))) throw error;
      const holders = await findHolders(session, standing);
      longer = holders.length > 0 && holders.every(({ own }) => own);
      if (performance.now() >= until) {
        const pids = [...holders.map(({ pid }) => pid), ...(order.after === undefined ? [] : await findOld(session, order.after))];
        throw toError('TARGET_IN_USE', { stage: 'deliver', expected: await nameSessions(session, pids) });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/**
 * Shorter than the time after which the server looks for sessions that wait for each other, and would end one of theirs; longer where only
 * processes of its own are in the way, because an autovacuum gives way after that time and not before.
 */
function toWait(deadlockMs: number, longer: boolean): number {
  return Math.max(1, Math.round(deadlockMs * (longer ? 1.5 : 0.5)));
}

/** Sessions look at an older state: the transaction is given up and tried again. It goes no further than this file. */
class StillOld extends Error {}

const kinds: Readonly<Record<string, string>> = { r: 'TABLE', p: 'TABLE', m: 'MATERIALIZED VIEW', S: 'SEQUENCE' };

/**
 * ACCESS EXCLUSIVE on tables, materialized views and sequences, by giving each the owner that it has: that takes the lock and changes nothing.
 * LOCK TABLE takes tables only, and asks for rights that the owner of the marker has given up. What could not be had goes to the head of `wanted`.
 */
async function lockAll(session: Session, schemas: readonly string[], wanted: string[]): Promise<void> {
  const rows = await session.query<{ schema: string; name: string; kind: string; owner: string }>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind, pg_get_userbyid(c.relowner) AS owner
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p', 'm', 'S') ORDER BY c.oid`,
    [schemas],
  );
  const all = new Map(rows.map((row) => [quoteQualified(row), row]));
  const inOrder = [...wanted.filter((name) => all.has(name)), ...[...all.keys()].filter((name) => !wanted.includes(name))];
  for (const name of inOrder) {
    const { kind = '', owner = '' } = all.get(name) ?? {};
    try {
      await session.query(`ALTER ${kinds[kind] ?? ''} ${name} OWNER TO ${quoteName(owner)}`);
    } catch (error) {
      if (worthAnotherTry.has(toSqlState(error))) wanted.splice(0, wanted.length, name, ...wanted.filter((other) => other !== name));
      throw error;
    }
  }
}

/** Sessions of this database whose snapshot is older than the transaction: whatever role they have, this may be seen of them. */
async function findOld(session: Session, after: string): Promise<readonly number[]> {
  const rows = await session.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
        AND backend_xmin IS NOT NULL AND age(backend_xmin) > age($1::xid8::xid)`,
    [after],
  );
  return rows.map(({ pid }) => pid);
}

/** `own`: a process of the server and nobody's session. */
async function findHolders(
  session: Session,
  schemas: readonly string[],
): Promise<readonly { readonly pid: number; readonly own: boolean }[]> {
  return session.query<{ pid: number; own: boolean }>(
    `SELECT DISTINCT l.pid, NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = l.pid AND a.usesysid IS NOT NULL) AS own FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE l.granted AND l.pid <> pg_backend_pid() AND n.nspname = ANY ($1::text[])
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [schemas],
  );
}

/** Who is there, as names and counts: `app (psql) × 3`. */
async function nameSessions(session: Session, pids: readonly number[]): Promise<string> {
  const rows = await session.query<{ who: string; sessions: number }>(
    `SELECT coalesce(usename, 'a process of the server') || ' (' || coalesce(nullif(application_name, ''), 'unnamed') || ')' AS who,
            count(*)::int AS sessions
       FROM pg_stat_activity WHERE pid = ANY ($1::int[]) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10`,
    [pids],
  );
  return rows.map(({ who, sessions }) => (sessions === 1 ? who : `${who} × ${sessions}`)).join('; ') || 'they have left by now';
}

/** Ends the other sessions of the database, as far as this login may. Returns how many stay. */
export async function endOthers(session: Session): Promise<number> {
  const rows = await session.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usesysid IS NOT NULL AND usename <> session_user AND pid <> pg_backend_pid()`,
  );
  let stay = 0;
  for (const { pid } of rows) {
    try {
      await session.query('SELECT pg_terminate_backend($1)', [pid]);
    } catch (error) {
      // Not ours to end: it is told.
      if (toSqlState(error) !== '42501') throw error;
      stay += 1;
    }
  }
  return stay;
}
