// What must stay unique, how many values there are, and whether a transform has room for them.
import type { Constraint, Table } from './catalogue.js';
import type { Counts } from './bind-input.js';
import { toSqlName } from '../kernel/sql-name.js';

const UNIQUE_KINDS: readonly Constraint['kind'][] = ['p', 'u', 'x'];

/**
 * Columns of primary keys, unique and exclusion constraints and unique indexes, those that an index expression or predicate mentions included.
 * Where such a column is generated, every column that its expression could mean counts: its text is searched for names, never parsed.
 */
export function findUniqueColumns(table: Table): ReadonlySet<string> {
  const unique = new Set<string>();
  for (const { kind, columns } of table.constraints) if (UNIQUE_KINDS.includes(kind)) columns.forEach((column) => unique.add(column));
  for (const index of table.indexes) {
    const excludes = table.constraints.some(({ kind, name }) => kind === 'x' && name === index.constraint);
    if (!index.unique && !excludes) continue;
    for (const column of [...index.keys, ...index.mentions]) if (column !== null) unique.add(column);
  }
  for (const { name, generated, expression } of table.columns) {
    if (generated === '' || !unique.has(name)) continue;
    const words = toWords(expression ?? '');
    for (const other of table.columns) if (words.has(other.name)) unique.add(other.name);
  }
  return unique;
}

/** Could the generated column be made of the other one? */
export function mentionsColumn(table: Table, generated: string, column: string): boolean {
  return toWords(table.columns.find(({ name }) => name === generated)?.expression ?? '').has(column);
}

/** Every word of an SQL text that could be a column's name, quoted or not. */
function toWords(sql: string): ReadonlySet<string> {
  const words = sql.match(/"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*/gu) ?? [];
  return new Set(words.map((word) => (word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word)));
}

export interface Spread {
  readonly rows: number;
  readonly distinct: number;
}

/** From what was counted, else from statistics; undefined when neither says it. For a unique column as many distinct values as rows. */
export function findSpread(table: Table, column: string, unique: boolean, counts: Counts | undefined): Spread | undefined {
  const counted = counts?.columns?.get(toSqlName(table.schema, table.name, column));
  if (counted) return counted;
  if (table.estimatedRows < 0) return undefined;
  const rows = table.estimatedRows;
  const { statistics } = table.columns.find(({ name }) => name === column) ?? {};
  if (statistics) return { rows, distinct: Math.min(statistics.nDistinct, Math.max(rows, 1)) };
  return unique || rows === 0 ? { rows, distinct: rows } : undefined;
}

/** Distinct outputs with a chance of less than 10^-6 that two meet: n² / (2 · space) < 10^-6. A bijection (0n) always has room. */
export function hasRoom(space: bigint, values: number): boolean {
  const n = BigInt(Math.ceil(values));
  return space === 0n || n < 2n || n * n * 1_000_000n < 2n * space;
}

/** Few values that stand in many rows each: under scope `value` their frequencies tell which is which. */
export function isFrequent({ rows, distinct }: Spread): boolean {
  return distinct > 0 && distinct < 10_000 && rows / distinct > 10;
}

/** A partitioned table has as many rows as its partitions together: the server keeps no estimate of its own until somebody asks for one. */
export function withPartitionRows(tables: readonly Table[]): Table[] {
  const rowsOf = (table: Table): number => {
    if (table.kind !== 'p') return table.estimatedRows;
    const parts = tables.filter(
      ({ partitionBound, parents }) =>
        partitionBound !== undefined && parents.some((parent) => parent.schema === table.schema && parent.name === table.name),
    );
    const rows = parts.map(rowsOf);
    return rows.some((count) => count < 0) ? -1 : rows.reduce((sum, count) => sum + count, 0);
  };
  return tables.map((table) => (table.kind === 'p' ? { ...table, estimatedRows: rowsOf(table) } : table));
}
