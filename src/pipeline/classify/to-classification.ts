// Suggestions as a document to be: one entry per table and column, what nobody knows marked as such, so that a person has to decide.
import { toSqlName } from '../../kernel/sql-name.js';
import type { Catalogue, Table, TableColumn } from '../catalogue.js';
import type { PathInventory } from '../column-sample.js';
import { findPersonTables, hasPaths, type Suggestion, toKnownPaths } from './suggest.js';

export interface ClassificationDraft {
  readonly tables: readonly TableDraft[];
}

export interface TableDraft {
  /** As SQL writes it: the key under `tables`. */
  readonly key: string;
  readonly person: boolean;
  readonly columns: readonly ColumnDraft[];
}

export type ColumnDraft = { readonly column: string; readonly type: string } & (
  | { readonly kind: 'tag'; readonly tag: string; readonly rule: string; readonly confidence: number }
  /** `complete`: every path has a tag, so that the entry may stand. */
  | { readonly kind: 'paths'; readonly paths: readonly PathDraft[]; readonly complete: boolean; readonly notes: readonly string[] }
  | { readonly kind: 'follows'; readonly of: string; readonly tag: string }
  /** A comment or label at the source says it already. */
  | { readonly kind: 'said' }
  | { readonly kind: 'unknown'; readonly notes: readonly string[] }
);

export interface PathDraft {
  readonly path: string;
  readonly tag?: string;
  readonly rule?: string;
  readonly confidence?: number;
}

export function toClassification(
  catalogue: Catalogue,
  suggestions: readonly Suggestion[],
  inventories: readonly PathInventory[] = [],
): ClassificationDraft {
  const persons = findPersonTables(catalogue, suggestions);
  const byColumn = new Map<string, Suggestion[]>();
  for (const suggestion of suggestions) {
    const name = toSqlName(suggestion.schema, suggestion.table, suggestion.column);
    byColumn.set(name, [...(byColumn.get(name) ?? []), suggestion]);
  }
  const tables = catalogue.tables.map((table): TableDraft => {
    const key = toSqlName(table.schema, table.name);
    const above = new Set(
      catalogue.tables
        .filter((other) => table.parents.some((p) => p.schema === other.schema && p.name === other.name))
        .flatMap(({ columns }) => columns.map(({ name }) => name)),
    );
    const own = table.columns.filter(({ name, generated }) => generated === '' && !above.has(name));
    const columns = own.map((column) =>
      toColumn(table, column, byColumn.get(toSqlName(table.schema, table.name, column.name)) ?? [], inventories),
    );
    return { key, person: persons.has(key), columns };
  });
  return { tables: tables.filter(({ columns }) => columns.length > 0).sort((a, b) => (a.key < b.key ? -1 : 1)) };
}

function toColumn(
  table: Table,
  column: TableColumn,
  suggestions: readonly Suggestion[],
  inventories: readonly PathInventory[],
): ColumnDraft {
  const at = { column: toSqlName(column.name), type: column.type.display };
  if (isSaid(column)) return { ...at, kind: 'said' };
  if (hasPaths(column)) {
    const inventory = inventories.find((i) => i.schema === table.schema && i.table === table.name && i.column === column.name);
    return { ...at, ...toPaths(column, suggestions, inventory) };
  }
  const [suggestion] = suggestions;
  if (!suggestion) return { ...at, kind: 'unknown', notes: [] };
  const { tag, rule, confidence, follows } = suggestion;
  return follows === undefined ? { ...at, kind: 'tag', tag, rule, confidence } : { ...at, kind: 'follows', of: follows, tag };
}

function isSaid({ comment, labels }: TableColumn): boolean {
  return (
    /(?:^|[\s;,])bauta:\s*[a-z]/.test(comment ?? '') ||
    labels.some(({ provider, label }) => provider === 'bauta' || label.trimStart().startsWith('bauta:'))
  );
}

function toPaths(column: TableColumn, suggestions: readonly Suggestion[], inventory: PathInventory | undefined) {
  const paths = toKnownPaths(column, inventory).map(({ path }): PathDraft => {
    const found = suggestions.find((suggestion) => suggestion.path === path);
    return found ? { path, tag: found.tag, rule: found.rule, confidence: found.confidence } : { path };
  });
  const notes: string[] = [];
  if (inventory) notes.push(inventory.whole ? 'paths of all rows' : 'paths of a sample of the rows');
  if (inventory?.dataKeys === true) notes.push('keys under * are data themselves: give the whole column one tag, or rest: drop');
  if (inventory?.cut === true) notes.push('there are more paths than are listed');
  if (paths.length === 0) return { kind: 'unknown' as const, notes };
  const complete = paths.every(({ path, tag }) => tag !== undefined && path !== '' && !path.includes('*')) && inventory?.cut !== true;
  return { kind: 'paths' as const, paths, complete, notes };
}
