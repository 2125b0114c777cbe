// How many values a column has, or a path inside it, and how many distinct ones: asked where no statistics say it.
import type { CountedColumn } from '../../../pipeline/ports.js';
import { quoteLiteral, quoteName, quoteQualified } from '../quote.js';

/** Enough to tell fewer than 10,000 values that stand in many rows each, at a bounded price. */
const ROWS = 200_000;

export function toCountStatement(column: CountedColumn): string {
  const name = quoteName(column.column);
  const counts = (value: string): string => `SELECT count(${value})::float8 AS rows, count(DISTINCT ${value})::float8 AS distinct`;
  if (column.path === undefined) return `${counts(name)} FROM ${quoteQualified(column)}`;
  const { type } = column;
  const plain = type?.element === undefined && type?.attributes === undefined;
  const json = plain ? `t.${name}::pg_catalog.jsonb` : `pg_catalog.to_jsonb(t.${name})`;
  const rows = `SELECT ${name} FROM ${quoteQualified(column)} LIMIT ${ROWS}`;
  const at = `pg_catalog.jsonb_path_query(${json}, ${quoteLiteral(toJsonPath(column.path))}::pg_catalog.jsonpath)`;
  return `${counts('x.v')} FROM (SELECT p.v OPERATOR(pg_catalog.#>>) '{}' AS v FROM (${rows}) t, LATERAL ${at} AS p(v)) x`;
}

/** `items[].name` → `lax $."items"[*]."name"`. */
function toJsonPath(path: string): string {
  const parts = path.match(/\[\]|"(?:[^"\\]|\\.)*"|[^.[\]"]+/g) ?? [];
  return `lax $${parts.map((part) => (part === '[]' ? '[*]' : `.${part.startsWith('"') ? part : JSON.stringify(part)}`)).join('')}`;
}
