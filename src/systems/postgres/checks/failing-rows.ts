// The rows that break a check, for who looks into a masked copy: their key and the columns of the check, as text, and no more of them than asked for.
import type { CheckPlan } from '../../../pipeline/check.js';
import { quoteName } from '../quote.js';
import { type CountOptions, toDuplicates, toGroup, toOrphans, toThere, toViolation } from './statements.js';

export interface RowsStatement {
  readonly text: string;
  /** What stands in its columns, in order. */
  readonly columns: readonly string[];
}

/** Undefined: no row breaks a check of that kind by itself. `key`: columns by which a row of the table is known. */
export function toRowsStatement(check: CheckPlan, key: readonly string[], most: number, options: CountOptions): RowsStatement | undefined {
  if (check.kind === 'unique') {
    const names = check.columns.map((name) => toText(`d.${quoteName(name)}`));
    const text = `SELECT ${[...names, 'd.n'].join(', ')} FROM (${toDuplicates(check, options)}) AS d LIMIT ${most}`;
    return { text, columns: [...check.columns, 'rows'] };
  }
  if (check.kind === 'relation') {
    const columns = [...new Set([...key, ...check.columns])];
    const names = columns.map((name) => toText(`c.${quoteName(name)}`));
    return { text: `SELECT ${names.join(', ')} FROM ${toOrphans(check, options, key)} LIMIT ${most}`, columns };
  }
  if (check.kind !== 'notNull' && check.kind !== 'acceptedValues' && check.kind !== 'range') return undefined;
  const columns = [...new Set([...key, ...check.columns])];
  const conditions = [...(check.where === undefined ? [] : [toGroup(check.where)]), toViolation(check, options) ?? 'false'];
  const names = columns.map((name) => toText(quoteName(name)));
  return {
    text: `SELECT ${names.join(', ')} FROM ${toThere(check.table, options)} WHERE ${conditions.join(' AND ')} LIMIT ${most}`,
    columns,
  };
}

/** The beginning of a long value is enough to find its row by. */
const toText = (sql: string): string => `pg_catalog.left(${sql}::pg_catalog.text, 200)`;
