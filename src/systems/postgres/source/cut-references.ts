// How many rows refer to a row that a `rows: none | where` leaves behind: counted by the server, with the foreign key's own equality.
import pg from 'pg';

import { toError } from '../../../kernel/errors.js';
import type { Rows } from '../../../pipeline/definition.js';
import type { CutReference } from '../../../pipeline/ports.js';
import { quoteName, quoteQualified } from '../quote.js';

interface Key {
  readonly childPartitioned: boolean;
  readonly parentPartitioned: boolean;
  readonly columns: readonly string[];
  readonly keys: readonly string[];
  readonly schemas: readonly string[];
  readonly operators: readonly string[];
}

const key = `
  SELECT t.relkind = 'p' AS "childPartitioned", r.relkind = 'p' AS "parentPartitioned", k.*
  FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class t ON t.oid = f.conrelid JOIN pg_catalog.pg_class r ON r.oid = f.confrelid
    CROSS JOIN LATERAL (
      SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.i) AS columns, pg_catalog.array_agg(b.attname::text ORDER BY u.i) AS keys,
        pg_catalog.array_agg(n.nspname::text ORDER BY u.i) AS schemas, pg_catalog.array_agg(o.oprname::text ORDER BY u.i) AS operators
      FROM ROWS FROM (pg_catalog.unnest(f.conkey), pg_catalog.unnest(f.confkey), pg_catalog.unnest(f.conpfeqop))
          WITH ORDINALITY AS u(attnum, keynum, operator, i)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = u.attnum
        JOIN pg_catalog.pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = u.keynum
        JOIN pg_catalog.pg_operator o ON o.oid = u.operator JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    ) AS k
  WHERE f.contype = 'f' AND f.conrelid = pg_catalog.to_regclass($1) AND f.conname = $2`;

/** Zero for a reference that is not there. A condition that the server cannot plan is SOURCE_ROWS_CONDITION_INVALID. */
export async function countCut(client: pg.Client, reference: CutReference, connection: string): Promise<number> {
  const found = await client.query<Key>(key, [quoteQualified(reference), reference.constraint]);
  const [row] = found.rows;
  if (!row) return 0;
  const child = await toRelation(client, { ...reference, connection, partitioned: row.childPartitioned });
  const parent = await toRelation(client, {
    ...reference.references,
    rows: reference.referencedRows,
    connection,
    partitioned: row.parentPartitioned,
  });
  const present = row.columns.map((name) => `c.${quoteName(name)} IS NOT NULL`).join(' AND ');
  // An operator's name is made of operator characters only and stands unquoted; the schema in front of it does not.
  const same = row.columns.map(
    (name, i) =>
      `p.${quoteName(row.keys[i] ?? '')} OPERATOR(${quoteName(row.schemas[i] ?? '')}.${row.operators[i] ?? ''}) c.${quoteName(name)}`,
  );
  const { rows } = await client.query<{ broken: number }>(
    `SELECT count(*)::float8 AS broken FROM ${child} AS c WHERE ${present} AND NOT EXISTS (SELECT FROM ${parent} AS p WHERE ${same.join(' AND ')})`,
  );
  return rows[0]?.broken ?? 0;
}

interface Relation {
  readonly schema: string;
  readonly name: string;
  readonly rows: Rows;
  readonly connection: string;
  readonly partitioned: boolean;
}

/** The rows that will be copied, for FROM. The condition is planned alone first, so that no text can close the query around it. */
async function toRelation(client: pg.Client, { rows, connection, partitioned, ...table }: Relation): Promise<string> {
  const from = `${partitioned ? '' : 'ONLY '}${quoteQualified(table)}`;
  if (rows === 'all') return `(SELECT * FROM ${from})`;
  if (rows === 'none') return `(SELECT * FROM ${from} WHERE false)`;
  for (const text of [`SELECT FROM ${from} WHERE ${rows.where}\n`, `SELECT FROM ${from} WHERE (${rows.where}\n)`]) {
    try {
      const query: pg.QueryConfig & { queryMode: 'extended' } = { text: `EXPLAIN ${text}`, queryMode: 'extended' };
      await client.query(query);
    } catch (cause) {
      const state = cause instanceof pg.DatabaseError ? cause.code : undefined;
      if (!state || state === '42501' || !/^(42|22|0A|25006)/.test(state)) throw cause;
      throw toError('SOURCE_ROWS_CONDITION_INVALID', { connection, schema: table.schema, table: table.name, sqlState: state });
    }
  }
  return `(SELECT * FROM ${from} WHERE (${rows.where}\n))`;
}
