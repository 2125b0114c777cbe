// How many values a column has, or a path inside it, and how many distinct ones: asked where no statistics say it.
import type pg from 'pg';

import type { CountedColumn } from '../../../pipeline/ports.js';
import { quoteLiteral, quoteName, quoteQualified } from '../quote.js';

/** Enough to tell fewer than 10,000 values that stand in many rows each, at a bounded price. */
const ROWS = 200_000;
const MANY_VALUES = 10_000;
/** A path with many values mostly shows them in so many rows already, at a tenth of the price. */
const FIRST_ROWS = 20_000;

export interface Count {
  readonly rows: number;
  readonly distinct: number;
}

export async function countValues(client: pg.Client, column: CountedColumn): Promise<Count> {
  const count = async (rowsRead: number): Promise<Count> => {
    const { rows } = await client.query<Count>(toCountStatement(column, rowsRead));
    return rows[0] ?? { rows: 0, distinct: 0 };
  };
  if (column.path === undefined) return count(Infinity);
  const first = await count(FIRST_ROWS);
  return first.distinct < MANY_VALUES ? count(ROWS) : first;
}

function toCountStatement(column: CountedColumn, rowsRead: number): string {
  const name = quoteName(column.column);
  if (column.path === undefined)
    return `SELECT count(${name})::float8 AS rows, count(DISTINCT ${name})::float8 AS distinct FROM ${quoteQualified(column)}`;
  const { type } = column;
  const plain = type?.element === undefined && type?.attributes === undefined;
  const json = plain ? `t.${name}::pg_catalog.jsonb` : `pg_catalog.to_jsonb(t.${name})`;
  const rows = `SELECT ${name} FROM ${quoteQualified(column)} LIMIT ${rowsRead}`;
  const at = `pg_catalog.jsonb_path_query(${json}, ${quoteLiteral(toJsonPath(column.path))}::pg_catalog.jsonpath)`;
  const values = `SELECT p.v OPERATOR(pg_catalog.#>>) '{}' AS v FROM (SELECT ${at} AS v FROM (${rows}) t) p`;
  // Grouped and not DISTINCT, which would sort them all: half the time.
  return `SELECT coalesce(pg_catalog.sum(g.n), 0)::float8 AS rows, count(g.v)::float8 AS distinct FROM (SELECT x.v, count(x.v) AS n FROM (${values}) x GROUP BY x.v) g`;
}

/** `items[].name` → `lax $."items"[*]."name"`. */
function toJsonPath(path: string): string {
  const parts = path.match(/\[\]|"(?:[^"\\]|\\.)*"|[^.[\]"]+/g) ?? [];
  return `lax $${parts.map((part) => (part === '[]' ? '[*]' : `.${part.startsWith('"') ? part : JSON.stringify(part)}`)).join('')}`;
}
