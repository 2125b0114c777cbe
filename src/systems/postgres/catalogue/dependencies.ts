// pg_depend as labels: what must be there before what. And an order in which everything can be made.
import { classOids, type Reading, readRows } from './reading.js';

export type Dependencies = Readonly<Record<string, readonly string[]>>;

export async function readDependencies(reading: Reading): Promise<Dependencies> {
  const rows = await readRows<{ from: string; to: string }>(
    reading.client,
    // Left out: members of extensions, parts of partitioned indexes (P, S), a partition on its parent (attached in a step of its own),
    // and a sequence on the column that owns it (the column's default needs the sequence, not the reverse).
    `SELECT DISTINCT d.classid || '/' || d.objid AS from, d.refclassid || '/' || d.refobjid AS to
     FROM pg_depend d LEFT JOIN pg_class c ON d.classid = ${classOids.relation} AND c.oid = d.objid
     WHERE d.objid >= 16384 AND d.refobjid >= 16384 AND d.deptype IN ('n', 'a', 'i', 'x')
       AND NOT coalesce(c.relkind = 'S' AND d.refclassid = ${classOids.relation}, false)
       AND NOT coalesce(c.relispartition AND c.relkind IN ('r', 'p') AND d.refclassid = ${classOids.relation} AND d.refobjsubid = 0, false)`,
  );
  const found = new Map<string, Set<string>>();
  for (const row of rows) {
    const from = reading.addresses.get(row.from);
    const to = reading.addresses.get(row.to);
    if (from === undefined || to === undefined || from === to) continue;
    found.set(from, (found.get(from) ?? new Set()).add(to));
  }
  return Object.fromEntries(
    [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([from, to]): [string, string[]] => [from, [...to].sort()]),
  );
}

/** The labels in an order in which each comes after what it needs; within that, as given. Of a cycle the first met comes last. */
export function toCreationOrder(labels: readonly string[], dependencies: Dependencies): string[] {
  const wanted = new Set(labels);
  const done = new Set<string>();
  const order: string[] = [];
  const visit = (label: string): void => {
    if (done.has(label)) return;
    done.add(label);
    for (const needed of dependencies[label] ?? []) visit(needed);
    if (wanted.has(label)) order.push(label);
  };
  for (const label of labels) visit(label);
  return order;
}
