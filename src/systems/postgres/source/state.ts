// What the server counts of its tables, as one digest: equal twice, no row has changed between. Counters begin anew after a crash, a restart or
// a reset, and sessions hand theirs in late: what cannot be known is said, never guessed.
import type pg from 'pg';

import { digestJson } from '../../../kernel/digest.js';
import { type TableName, toTableLabel } from '../../../pipeline/catalogue.js';
import type { SequenceValue, SourceState } from '../../../pipeline/ports.js';
import { quoteQualified } from '../quote.js';

/** The server's own times (pgstat.c of 15 and later): an idle session hands in after 10 s, one at work within 60 s, one in a transaction after it. */
const IDLE_MS = 11_000;
const BUSY_MS = 61_000;
const LONGEST_MS = 600_000;

/** Those that hand in what they count as clients do, or change no row of a table. */
const known = [
  ...['client backend', 'parallel worker', 'autovacuum worker', 'walsender', 'logical replication worker'],
  ...['logical replication apply worker', 'logical replication parallel worker', 'logical replication tablesync worker'],
];

interface Server {
  version: number;
  replica: boolean;
  counting: boolean;
  began: string;
  database: string | null;
  cluster: string | null;
}

interface Sessions {
  hidden: number;
  strange: string | null;
  lag: number;
}

interface Counted {
  name: string;
  oid: string | null;
  kind: string | null;
  filenode: string | null;
  counters: string[];
}

/** MUST be given a session that is in no transaction: within one the server shows the same counters again. */
export async function readState(
  client: pg.Client,
  tables: readonly TableName[],
  sequences: readonly SequenceValue[],
): Promise<SourceState> {
  const server = await readServer(client);
  const unfit = findUnfit(server);
  if (unfit !== undefined) return { digest: null, lagMs: null, unknown: unfit };
  // Before the counters: who ends a transaction between the two looks has lag all the same.
  const sessions = await readSessions(client);
  const counted = await readCounted(client, tables);
  const uncounted = counted.find(({ kind, filenode }) => kind !== 'p' && (kind !== 'r' || filenode === null));
  if (uncounted) return { digest: null, lagMs: null, unknown: `the server counts nothing of ${uncounted.name}` };
  const { began, database, cluster } = server;
  const rows = counted.map(({ oid, filenode, counters }) => [oid, filenode, ...counters]);
  const places = sequences.map(({ schema, name, lastValue, isCalled }) => [schema, name, lastValue, isCalled]);
  const digest = digestJson({ began, database, cluster, tables: rows, sequences: places });
  const late = findLate(sessions);
  return late === undefined ? { digest, lagMs: sessions.lag } : { digest, lagMs: null, unknown: late };
}

function findUnfit({ version, replica, counting }: Server): string | undefined {
  if (replica) return 'a replica counts no changes';
  if (version < 150_000) return 'before Postgres 15 a session may keep its counters for itself';
  return counting ? undefined : 'track_counts is off for somebody';
}

function findLate({ hidden, strange, lag }: Sessions): string | undefined {
  if (hidden > 0) return 'other sessions are not shown to the role of the source (GRANT pg_read_all_stats)';
  if (strange !== null) return `a process of its own kind works there (${strange})`;
  return lag > LONGEST_MS ? `a transaction has been open for ${Math.round(lag / 60_000)} minutes, and what it counts is not in` : undefined;
}

async function readServer(client: pg.Client): Promise<Server> {
  const { rows } = await client.query<Server>(
    `SELECT pg_catalog.current_setting('server_version_num')::int AS version, pg_catalog.pg_is_in_recovery() AS replica,
       pg_catalog.current_setting('track_counts')::bool AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) AS c WHERE c ~* '^track_counts=') AS counting,
       pg_catalog.pg_postmaster_start_time()::text AS began, pg_catalog.pg_stat_get_db_stat_reset_time(d.oid)::text AS database,
       pg_catalog.pg_stat_get_bgwriter_stat_reset_time()::text AS cluster
     FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()`,
  );
  return rows[0]!;
}

/** How long ago something may have been committed that is not handed in yet; nothing is, where everybody has been idle for a while. */
async function readSessions(client: pg.Client): Promise<Sessions> {
  const { rows } = await client.query<Sessions>(
    `SELECT pg_catalog.count(*) FILTER (WHERE a.backend_type IS NULL OR a.state = 'disabled')::int AS hidden,
       pg_catalog.min(a.backend_type) FILTER (WHERE a.backend_type <> ALL ($1::text[])) AS strange,
       coalesce(pg_catalog.max(CASE
         WHEN a.backend_type IN ('autovacuum worker', 'walsender') THEN 0
         WHEN a.xact_start IS NOT NULL THEN $3 + 1000 * extract(epoch FROM n.at - a.xact_start)
         WHEN a.state = 'idle' AND n.at - a.state_change > $2 * interval '1 millisecond' THEN 0
         ELSE $3 END), 0)::float8 AS lag
     FROM pg_catalog.pg_stat_activity a CROSS JOIN (SELECT pg_catalog.clock_timestamp() AS at) AS n
     WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()`,
    [known, IDLE_MS, BUSY_MS],
  );
  return rows[0]!;
}

/** Of partitioned tables, whose rows are elsewhere, every part; in the order of their oids. */
async function readCounted(client: pg.Client, tables: readonly TableName[]): Promise<readonly Counted[]> {
  const { rows } = await client.query<Counted>(
    `SELECT DISTINCT ON (c.oid) t.label AS name, c.oid::text AS oid, c.relkind::text AS kind, pg_catalog.pg_relation_filenode(c.oid)::text AS filenode,
       ARRAY[pg_catalog.pg_stat_get_tuples_inserted(c.oid)::text, pg_catalog.pg_stat_get_tuples_updated(c.oid)::text,
         pg_catalog.pg_stat_get_tuples_deleted(c.oid)::text] AS counters
     FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS t(label, name)
       LEFT JOIN LATERAL (
         SELECT pg_catalog.to_regclass(t.name) AS oid UNION SELECT p.relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass(t.name)) AS p
       ) AS o ON true LEFT JOIN pg_catalog.pg_class c ON c.oid = o.oid
     ORDER BY c.oid`,
    [tables.map(toTableLabel), tables.map(quoteQualified)],
  );
  return rows;
}
