// How nearly a column is unique, per row or per person, by the server's statistics.
import { type Table, toTableLabel } from '../catalogue.js';
import type { ColumnPlan, TablePlan } from '../plan.js';

/** Distinct values per row, or per person where there are fewer persons than rows; 1 at most. Null: nobody knows. */
export function toDistinctRatio(tables: ReadonlyMap<string, Table>, plan: TablePlan, column: ColumnPlan): number | null {
  const table = tables.get(toTableLabel(plan));
  if (table === undefined) return null;
  if (isUniqueAlone(table, column.name)) return 1;
  const distinct = table.columns.find(({ attnum }) => attnum === column.attnum)?.statistics?.nDistinct;
  if (distinct === undefined || !(distinct > 0) || !(table.estimatedRows > 0)) return null;
  return Math.min(1, distinct / Math.min(table.estimatedRows, countPersons(tables, plan) ?? table.estimatedRows));
}

function isUniqueAlone(table: Table, name: string): boolean {
  const alone = (columns: readonly (string | null)[]): boolean => columns.length === 1 && columns[0] === name;
  return (
    table.constraints.some(({ kind, columns }) => (kind === 'p' || kind === 'u') && alone(columns)) ||
    table.indexes.some(({ unique, keys, predicate }) => unique && predicate === null && alone(keys))
  );
}

/** Rows of the table of persons to which the rows of this one lead. */
function countPersons(tables: ReadonlyMap<string, Table>, plan: TablePlan): number | undefined {
  const last = plan.hidden.find(({ purpose }) => purpose === 'subject')?.via.at(-1);
  const rows = last && tables.get(toTableLabel(last.references))?.estimatedRows;
  return rows !== undefined && rows > 0 ? rows : undefined;
}
