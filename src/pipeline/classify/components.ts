// Columns that must agree: joined by foreign keys (each column of a composite key by itself), by partitioning or by inheritance.
import { toSqlName } from '../../kernel/sql-name.js';
import type { Table, TableName } from '../catalogue.js';

export interface Edge {
  readonly by: 'foreign-key' | 'inherited';
  readonly from: string;
  readonly to: string;
}

export interface Component {
  /** Columns by `toSqlName(schema, table, column)`, sorted. */
  readonly columns: readonly string[];
  /** True when a foreign key is among what joins them, so that equal values must stay equal. */
  readonly keyed: boolean;
}

/** Edges between columns of the tables given; what leads out of them is not an edge. */
export function toEdges(tables: readonly Table[]): readonly Edge[] {
  const known = new Map(tables.map((table) => [toSqlName(table.schema, table.name), table]));
  const edges: Edge[] = [];
  const join = (by: Edge['by'], a: TableName, b: TableName, column: string, other: string): void => {
    edges.push({ by, from: toSqlName(a.schema, a.name, column), to: toSqlName(b.schema, b.name, other) });
  };
  for (const table of tables) {
    for (const { kind, columns, references } of table.constraints) {
      if (kind !== 'f' || !references || !known.has(toSqlName(references.schema, references.name))) continue;
      columns.forEach((column, i) => join('foreign-key', table, references, column, references.columns[i] ?? ''));
    }
    for (const parent of table.parents) {
      const above = known.get(toSqlName(parent.schema, parent.name));
      const shared = above?.columns.filter(({ name }) => table.columns.some((column) => column.name === name)) ?? [];
      for (const { name } of shared) join('inherited', table, parent, name, name);
    }
  }
  return edges;
}

export function toNeighbours(edges: readonly Edge[]): ReadonlyMap<string, readonly { readonly column: string; readonly by: Edge['by'] }[]> {
  const neighbours = new Map<string, { column: string; by: Edge['by'] }[]>();
  const add = (column: string, other: string, by: Edge['by']): void => {
    const list = neighbours.get(column);
    if (list) list.push({ column: other, by });
    else neighbours.set(column, [{ column: other, by }]);
  };
  for (const { from, to, by } of edges) {
    add(from, to, by);
    add(to, from, by);
  }
  return neighbours;
}

/** Components in the order of their first column, so that their numbers do not depend on the order of the catalogue. */
export function toComponents(edges: readonly Edge[]): readonly Component[] {
  const neighbours = toNeighbours(edges);
  const seen = new Set<string>();
  const components: Component[] = [];
  for (const start of [...neighbours.keys()].sort()) {
    if (seen.has(start)) continue;
    const columns = [start];
    seen.add(start);
    let keyed = false;
    // The list grows while it is walked: breadth first without recursion.
    for (const column of columns) {
      for (const next of neighbours.get(column) ?? []) {
        keyed ||= next.by === 'foreign-key';
        if (!seen.has(next.column)) columns.push(next.column);
        seen.add(next.column);
      }
    }
    if (columns.length > 1) components.push({ columns: columns.sort(), keyed });
  }
  return components;
}
