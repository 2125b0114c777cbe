// What a classification says of each column and path, as one flat table: a tag, or that it goes through as it is.
import { parseSqlName, toSqlName } from '../../kernel/sql-name.js';
import type { ClassificationDefinition } from '../../pipeline/definition.js';

export interface Said {
  /** `shop.customer.email`, `shop.customer.profile at contact.email`, or a pattern as it is written. */
  readonly column: string;
  readonly table: string | null;
  /** What a detector of names is asked about. */
  readonly name: string;
  /** `none`: it is kept. */
  readonly tag: string;
}

export function toSaid({ tables, patterns = {} }: ClassificationDefinition): ReadonlyMap<string, Said> {
  const said = new Map<string, Said>();
  const add = (one: Said): void => void said.set(one.column, one);
  for (const [written, { columns = {}, keep = [] }] of Object.entries(tables)) {
    const table = toPlain(written);
    for (const [key, what] of Object.entries(columns)) {
      const at = `${table}.${toPlain(key)}`;
      const name = parseSqlName(key)?.[0] ?? key;
      if (typeof what === 'string') {
        add({ column: at, table, name, tag: what });
        continue;
      }
      for (const [path, tag] of Object.entries(what.paths))
        add({ column: `${at} at ${path}`, table, name: path.replaceAll('[]', '').split('.').at(-1) || name, tag });
      if (typeof what.rest === 'object') add({ column: `${at} at the rest`, table, name, tag: 'none' });
    }
    for (const { columns: kept } of keep) {
      for (const key of kept) add({ column: `${table}.${toPlain(key)}`, table, name: parseSqlName(key)?.[0] ?? key, tag: 'none' });
    }
  }
  for (const [pattern, tag] of Object.entries(patterns))
    add({ column: pattern, table: null, name: pattern.split('.').at(-1) ?? pattern, tag });
  return said;
}

/** A name as every document's is told; a pattern as it is written. */
export function toPlain(written: string): string {
  const parts = parseSqlName(written);
  return parts ? toSqlName(...parts) : written;
}
