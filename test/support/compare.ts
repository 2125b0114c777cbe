// What a table holds, as the server itself tells it: digests of sorted lines, and where a text stands. For comparing a copy with its source.
import type { TestServer } from './server.js';

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const toSql = ({ schema, name }: TableName): string => `${quote(schema)}.${quote(name)}`;
const mine = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

/** Rows and md5 over the lines of these columns of one table without partitions and children, sorted bytewise. */
export async function digestOf(server: TestServer, database: string, table: TableName, columns: readonly string[]): Promise<string> {
  const line = columns.map((column) => `t.${quote(column)}`).join(', ');
  const [row] = await server.sql(
    database,
    `SET TimeZone = 'UTC'; SELECT count(*) || ' ' || coalesce(md5(string_agg(md5(line), '' ORDER BY line COLLATE "C")), '') AS digest FROM (SELECT (ROW(${line}))::text AS line FROM ONLY ${toSql(table)} t) x`,
  );
  return String(row?.['digest']);
}

/** Tables and partitions, by kind of relation (`rp`: tables; `vm`: views); not the marker's, if not asked for. */
export async function relationsOf(
  server: TestServer,
  database: string,
  kinds = 'r',
  marker: 'with marker' | 'without marker' = 'without marker',
): Promise<(TableName & { columns: string[] })[]> {
  const rows = await server.sql(
    database,
    `SELECT n.nspname AS schema, c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE ${mine}${marker === 'with marker' ? '' : ` AND n.nspname <> 'bauta'`} AND position(c.relkind::text in '${kinds}') > 0
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  return rows as unknown as (TableName & { columns: string[] })[];
}

/** The digest of all columns of every table. */
export async function digestAll(server: TestServer, database: string): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const table of await relationsOf(server, database)) digests[toSql(table)] = await digestOf(server, database, table, table.columns);
  return digests;
}

/** Where any of the texts stands, whatever its case, in every column of every table, view and materialized view; bytea as bytes. */
export async function findTexts(server: TestServer, database: string, texts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const needles = texts.map((text) => `position(lower('${text.replaceAll("'", "''")}') in line) > 0`).join(' OR ');
  for (const relation of await relationsOf(server, database, 'rvm', 'with marker')) {
    // A view of many rows is searched as its base tables are: row by row, as one text.
    const [row] = await server.sql(
      database,
      `SET bytea_output = 'escape'; SELECT count(*)::int AS n FROM (SELECT lower(t::text) AS line FROM ${toSql(relation)} t) x WHERE ${needles}`,
    );
    if (Number(row?.['n']) > 0) found.push(`${toSql(relation)}: ${String(row?.['n'])} rows`);
  }
  return found;
}
