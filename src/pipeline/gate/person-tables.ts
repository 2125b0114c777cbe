// Which tables speak of persons: those with a tagged column, and those whose rows lead to one by a foreign key or by inheritance.
import { type Catalogue, toTableLabel } from '../catalogue.js';
import type { ColumnPlan, Plan } from '../plan.js';

/** Labels (`schema.table`). A lookup table that persons refer to is not among them; a table that refers to persons is. */
export function findPersonTables(plan: Plan, catalogue: Catalogue): ReadonlySet<string> {
  const found = new Set<string>();
  const leading = toLeadingTables(catalogue);
  const open = plan.tables
    .filter((table) => table.columns.some(isPersonal) || table.hidden.some(({ purpose }) => purpose === 'subject'))
    .map(toTableLabel);
  for (let label = open.pop(); label !== undefined; label = open.pop()) {
    if (found.has(label)) continue;
    found.add(label);
    open.push(...(leading.get(label) ?? []));
  }
  return found;
}

function isPersonal(column: ColumnPlan): boolean {
  const { paths, rest } = column.rule;
  if (column.tag !== 'mixed') return column.tag !== 'none';
  return rest === 'keep' || Object.values(paths ?? {}).some(({ tag }) => tag !== 'none');
}

/** For each table those whose rows lead to its rows: referencing tables, partitions and children, and their parents. */
function toLeadingTables(catalogue: Catalogue): ReadonlyMap<string, readonly string[]> {
  const leading = new Map<string, string[]>();
  const add = (to: string, from: string): void => {
    const list = leading.get(to) ?? [];
    list.push(from);
    leading.set(to, list);
  };
  for (const table of catalogue.tables) {
    const label = toTableLabel(table);
    for (const { references } of table.constraints) if (references) add(toTableLabel(references), label);
    for (const parent of table.parents) {
      add(toTableLabel(parent), label);
      add(label, toTableLabel(parent));
    }
  }
  return leading;
}
