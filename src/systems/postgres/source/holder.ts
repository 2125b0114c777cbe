// The holder: the connection that locks the plan's tables, sees that they are still as planned, and only then exports the snapshot.
import { randomUUID } from 'node:crypto';

import pg from 'pg';

import type { Clock } from '../../../kernel/clock.js';
import { toError } from '../../../kernel/errors.js';
import type { Catalogue, TableName } from '../../../pipeline/catalogue.js';
import type { Plan, TablePlan } from '../../../pipeline/plan.js';
import type { HeldSnapshot, SourceScope } from '../../../pipeline/ports.js';
import { quoteLiteral, quoteQualified } from '../quote.js';
import { toServerError } from '../server-error.js';
import { type FindHop, toBareCondition, toSelect } from './copy-statement.js';
import { readHops, toJoinedTables } from './hops.js';
import type { TableSize } from './ranges.js';
import { findDifference, isSameSource } from './stale.js';
import type { CatalogueReader } from './catalogue-reader.js';

/** What the holder learned; its transaction keeps locks and snapshot until it ends. */
export interface Held {
  readonly exported: HeldSnapshot;
  /** By index into `Plan.tables`. */
  readonly sizes: readonly TableSize[];
  readonly findHop: FindHop;
  /** As it is under the locks. */
  readonly catalogue: Catalogue;
}

const tablesPerLock = 100;
const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

/**
 * LOCK TABLE takes no snapshot, so the first query after it does: from then on the transaction sees every schema change that was committed
 * before the locks, and no other can happen to a locked table. Throws PLAN_STALE before a row is read.
 */
export async function hold(
  client: pg.Client,
  plan: Plan,
  scope: SourceScope,
  reader: CatalogueReader,
  connection: string,
  clock: Clock,
): Promise<Held> {
  try {
    const openedAtMs = clock.now();
    await client.query(begin);
    await lock(client, [...plan.tables, ...toJoinedTables(plan)]).catch((cause: unknown) =>
      explain(client, plan, scope, reader, connection, cause),
    );
    const catalogue = await compare(client, plan, scope, reader, connection);
    const findHop = await readHops(client, plan, connection);
    for (const table of plan.tables) await checkStatement(client, table, findHop, connection);
    const sizes = await readSizes(client, plan);
    return { exported: await exportAnew(client, { moment: randomUUID(), openedAtMs }), sizes, findHop, catalogue };
  } catch (cause) {
    throw toServerError(cause, { connection, stage: 'source' });
  }
}

/**
 * The moment of a snapshot that another session holds, for as long as this one lives. Locks that are had while that session has its own leave
 * no gap in which a table could have changed: so it MUST still be there afterwards. Undefined where it is not, or holds another moment than the
 * plan's.
 */
export async function joinHolder(
  client: pg.Client,
  plan: Plan,
  scope: SourceScope,
  reader: CatalogueReader,
  connection: string,
  from: HeldSnapshot,
): Promise<Held | undefined> {
  try {
    await client.query(begin);
    await client.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(from.id)}`);
    await lock(client, [...plan.tables, ...toJoinedTables(plan)]);
    if (!(await isThere(client, from))) return undefined;
    const catalogue = await compare(client, plan, scope, reader, connection);
    const findHop = await readHops(client, plan, connection);
    const sizes = await readSizes(client, plan);
    return { exported: await exportAnew(client, from), sizes, findHop, catalogue };
  } catch (cause) {
    if (cause instanceof pg.DatabaseError && notHeld.has(cause.code ?? '')) return undefined;
    const error = toServerError(cause, { connection, stage: 'source' });
    if (error.code === 'PLAN_STALE') return undefined;
    throw error;
  }
}

/** Of SET TRANSACTION SNAPSHOT (no such name, or its session is gone: the codes differ with the versions), and of locks on what is gone. */
const notHeld = new Set(['22023', '42704', '55000', '42P01', '3F000', '42809', '55P03']);

async function isThere(client: pg.Client, { backend }: HeldSnapshot): Promise<boolean> {
  const { rows } = await client.query(`SELECT FROM pg_catalog.pg_stat_activity a WHERE ${backendText} = $1`, [backend]);
  return rows.length === 1;
}

const backendText = `a.pid || '/' || extract(epoch FROM a.backend_start)::pg_catalog.text`;

async function exportAnew(client: pg.Client, of: Pick<HeldSnapshot, 'moment' | 'openedAtMs'>): Promise<HeldSnapshot> {
  const { rows } = await client.query<{ id: string; backend: string }>(
    `SELECT pg_catalog.pg_export_snapshot() AS id, ${backendText} AS backend FROM pg_catalog.pg_stat_activity a
     WHERE a.pid = pg_catalog.pg_backend_pid()`,
  );
  const { moment, openedAtMs } = of;
  return { moment, openedAtMs, id: rows[0]?.id ?? '', backend: rows[0]?.backend ?? '' };
}

async function lock(client: pg.Client, tables: readonly TableName[]): Promise<void> {
  const names = [...new Set(tables.map((table) => `ONLY ${quoteQualified(table)}`))];
  for (let at = 0; at < names.length; at += tablesPerLock) {
    await client.query(`LOCK TABLE ${names.slice(at, at + tablesPerLock).join(', ')} IN ACCESS SHARE MODE`);
  }
}

/** Undefined table, schema or column, what is no table any more, and what became somebody else's: the plan may speak of something gone. */
const gone = new Set(['42P01', '3F000', '42703', '42809', '42501']);

/** A lock failed: when the catalogue says why, that is said; else the failure itself. */
async function explain(
  client: pg.Client,
  plan: Plan,
  scope: SourceScope,
  reader: CatalogueReader,
  connection: string,
  cause: unknown,
): Promise<never> {
  if (cause instanceof pg.DatabaseError && gone.has(cause.code ?? '')) {
    await client.query('ROLLBACK');
    await client.query(begin);
    await compare(client, plan, scope, reader, connection);
  }
  throw cause;
}

async function compare(client: pg.Client, plan: Plan, scope: SourceScope, reader: CatalogueReader, connection: string): Promise<Catalogue> {
  const { catalogue } = await reader.readCatalogue(client, scope, connection);
  if (!isSameSource(plan, catalogue)) throw toError('PLAN_STALE', { connection, name: 'source' });
  if (reader.toCatalogueDigest(catalogue) === plan.catalogueDigest) return catalogue;
  throw toError('PLAN_STALE', { connection, ...findDifference(plan, catalogue) });
}

/**
 * Has the server plan the statement of a table that people or joins had a hand in, before a row is read. The extended protocol takes one
 * statement only, so a condition cannot bring another along.
 */
async function checkStatement(client: pg.Client, table: TablePlan, findHop: FindHop, connection: string): Promise<void> {
  if (table.kind !== 'r' || table.rows === 'none') return;
  const where = typeof table.rows === 'object' ? table.rows.where : undefined;
  if (where === undefined && table.hidden.every(({ via }) => via.length === 0)) return;
  const statements = [...(where === undefined ? [] : [toBareCondition(table, where)]), toSelect(table, { findHop })];
  for (const statement of statements) {
    try {
      const query: pg.QueryConfig & { queryMode: 'extended' } = { text: `EXPLAIN ${statement}`, queryMode: 'extended' };
      await client.query(query);
    } catch (cause) {
      const state = cause instanceof pg.DatabaseError ? cause.code : undefined;
      if (where === undefined || !state || state === '42501' || !/^(42|22|0A|25006)/.test(state)) throw cause;
      throw toError('SOURCE_ROWS_CONDITION_INVALID', { connection, schema: table.schema, table: table.name, sqlState: state });
    }
  }
}

async function readSizes(client: pg.Client, plan: Plan): Promise<readonly TableSize[]> {
  const { rows } = await client.query<TableSize>(
    `SELECT coalesce(pg_catalog.pg_table_size(c.oid), 0)::float8 AS bytes,
       coalesce(pg_catalog.pg_relation_size(c.oid, 'main'), 0)::float8 / s.bytes AS pages, s.bytes AS "pageBytes"
     FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS t(name, i)
       JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(t.name)
       CROSS JOIN (SELECT pg_catalog.current_setting('block_size')::int AS bytes) AS s
     ORDER BY t.i`,
    [plan.tables.map(quoteQualified)],
  );
  return rows;
}
