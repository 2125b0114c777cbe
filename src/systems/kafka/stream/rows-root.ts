// For consumers a partitioned table is one table: its partitions are the server's own affair.
import { toError } from '../../../kernel/errors.js';
import type { Catalogue, Table, TableName } from '../../../pipeline/catalogue.js';
import type { ColumnPlan } from '../../../pipeline/plan.js';

/** The table itself, or the one that it is a partition of, however deep. */
export function findRoot({ tables }: Catalogue, name: TableName): Table {
  const find = (wanted: TableName): Table => {
    const found = tables.find((one) => one.schema === wanted.schema && one.name === wanted.name);
    if (!found) throw toError('UNEXPECTED', { name: 'a table that is in no catalogue' });
    const [parent] = found.partitionBound === undefined ? [] : found.parents;
    return parent ? find(parent) : found;
  };
  return find(name);
}

/** In the order of the table that is copied; what its root lets be NULL may be NULL in every record of the topic. */
export function toColumnsOf(
  root: Pick<Table, 'columns'>,
  { columns }: { readonly columns: readonly Pick<ColumnPlan, 'name' | 'type' | 'notNull'>[] },
): { readonly columns: readonly Pick<ColumnPlan, 'name' | 'type' | 'notNull'>[] } {
  const nullable = new Set(root.columns.filter(({ notNull }) => !notNull).map(({ name }) => name));
  return { columns: columns.map(({ name, type, notNull }) => ({ name, type, notNull: notNull && !nullable.has(name) })) };
}
