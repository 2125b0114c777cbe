// The SELECT that a COPY reads: columns named and qualified, one table without its children, a range of pages, hidden fields at the end.
import type { TableName } from '../../../pipeline/catalogue.js';
import type { HiddenColumn, TablePlan } from '../../../pipeline/plan.js';
import type { Range } from '../../../pipeline/ports.js';
import { quoteName, quoteQualified } from '../quote.js';

/** What the source knows of a hop of `HiddenColumn.via` and the plan does not. */
export interface Hop {
  /** The referenced table is partitioned: its rows are in its partitions. */
  readonly partitioned: boolean;
  /** The foreign key's own equality per column, qualified and quoted: with `search_path` empty a plain `=` of citext would be that of text. */
  readonly operators: readonly string[];
}

export type FindHop = (from: TableName, step: HiddenColumn['via'][number]) => Hop;

export interface CopyOptions {
  readonly findHop: FindHop;
  /** The last range has no upper end: pages that were added after the size was read, and before the snapshot, are in it. */
  readonly pages?: Range['pages'];
}

/** The query inside `COPY (…) TO STDOUT`. */
export function toSelect(table: TablePlan, options: CopyOptions): string {
  const own = quoteQualified(table);
  const joins = new Map<string, { readonly alias: string; readonly text: string }>();
  const hidden = table.hidden.map(({ column, via }) => {
    let holder = own;
    let from: TableName = table;
    for (const [depth, step] of via.entries()) {
      const key = JSON.stringify(via.slice(0, depth + 1));
      const known = joins.get(key) ?? toJoin(holder, step, options.findHop(from, step), `bauta_${joins.size + 1}`);
      joins.set(key, known);
      holder = known.alias;
      from = step.references;
    }
    return column === 'ctid' && via.length === 0 ? `${own}.ctid` : `${holder}.${quoteName(column)}`;
  });
  const columns = [...table.columns.map(({ name }) => `${own}.${quoteName(name)}`), ...hidden].join(', ');
  const joined = [...joins.values()].map(({ text }) => text).join('');
  const conditions = toConditions(table, own, options);
  // A join or an index may bring rows in any order.
  const order = table.pairing?.by === 'place' && (joined !== '' || typeof table.rows === 'object') ? ` ORDER BY ${own}.ctid` : '';
  return `SELECT ${columns} FROM ONLY ${own}${joined}${conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''}${order}`;
}

/**
 * The condition on its own, without parentheses. Only a text that the server parses here and, inside parentheses, in `toSelect` is one
 * expression; either form alone would let a text close or extend the query around it.
 */
export function toBareCondition(table: TablePlan, where: string): string {
  return `SELECT FROM ONLY ${quoteQualified(table)} WHERE ${where}\n`;
}

function toConditions(table: TablePlan, own: string, { pages }: CopyOptions): string[] {
  const conditions: string[] = [];
  if (pages) {
    conditions.push(`${own}.ctid >= '(${pages[0]},0)'::pg_catalog.tid`);
    if (pages[1] !== null) conditions.push(`${own}.ctid < '(${pages[1]},0)'::pg_catalog.tid`);
  }
  if (typeof table.rows === 'object') {
    // Joined tables would make its names ambiguous, so the condition sees its own table alone, by the ctid that it keeps.
    const joined = table.hidden.some(({ via }) => via.length > 0);
    conditions.push(
      joined ? `${own}.ctid IN (SELECT ${own}.ctid FROM ONLY ${own} WHERE (${table.rows.where}\n))` : `(${table.rows.where}\n)`,
    );
  }
  return conditions;
}

function toJoin(holder: string, step: HiddenColumn['via'][number], hop: Hop, alias: string): { alias: string; text: string } {
  const on = step.columns.map((column, i) => {
    const key = step.references.columns[i] ?? '';
    return `${alias}.${quoteName(key)} OPERATOR(${hop.operators[i] ?? ''}) ${holder}.${quoteName(column)}`;
  });
  const only = hop.partitioned ? '' : 'ONLY ';
  return { alias, text: ` LEFT JOIN ${only}${quoteQualified(step.references)} AS ${alias} ON ${on.join(' AND ')}` };
}
