// A first classification of a catalogue: what each column and path probably is, by which rule, how sure. Nobody confirmed any of it.
import { toSqlName } from '../../kernel/sql-name.js';
import type { Catalogue, Table, TableColumn } from '../catalogue.js';
import type { ColumnSample, PathInventory } from '../column-sample.js';
import { toComponents, toEdges } from './components.js';
import { detect, type Guess } from './detect.js';
import { isPersonTable, toNameWords } from './detectors/by-name.js';
import { findAtPath, toLeaves, toShape } from './shape.js';
import { toJsonFamily, toTypeFamily } from './type-word.js';

export interface Suggestion extends Guess {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly path?: string;
  /** The joined column (`toSqlName`) under which the tag stands; the plan carries it here along the key or from the parent. */
  readonly follows?: string;
}

const identifying = new Set([
  'pii.first-name',
  'pii.last-name',
  'pii.full-name',
  'pii.email',
  'pii.date-of-birth',
  'pii.phone',
  'pii.national-id',
]);

/** Sorted by schema, table, position of the column and path. A column without any has no suggestion: a person has to decide. */
export function suggest(
  catalogue: Catalogue,
  samples: readonly ColumnSample[] = [],
  inventories: readonly PathInventory[] = [],
): readonly Suggestion[] {
  const seen = new Samples(samples, inventories);
  const tables = [...catalogue.tables].sort((a, b) => (toSqlName(a.schema, a.name) < toSqlName(b.schema, b.name) ? -1 : 1));
  const first = new Map(tables.map((table) => [toKey(table), guessTable(table, seen, [])]));
  const persons = new Set(tables.filter((table) => isPerson(table, first.get(toKey(table)) ?? [])).map(toKey));
  const all = tables.flatMap((table) => [...guessTable(table, seen, toRoles(table, persons))]);
  return join(all, catalogue.tables);
}

/** Tables whose rows are people, by what they are called or hold; only those with a primary key can be marked. */
export function findPersonTables(catalogue: Catalogue, suggestions: readonly Suggestion[]): ReadonlySet<string> {
  const of = (table: Table): readonly Suggestion[] => suggestions.filter((s) => s.schema === table.schema && s.table === table.name);
  return new Set(catalogue.tables.filter((table) => isPerson(table, of(table))).map(toKey));
}

const toKey = (table: { readonly schema: string; readonly name: string }): string => toSqlName(table.schema, table.name);

function isPerson(table: Table, guesses: readonly Suggestion[]): boolean {
  if (!table.constraints.some(({ kind }) => kind === 'p') || table.parents.length > 0) return false;
  const borrowed = new Set(table.constraints.filter(({ kind }) => kind === 'f').flatMap(({ columns }) => columns));
  const own = new Set(
    guesses.filter(({ column, path, tag }) => path === undefined && !borrowed.has(column) && identifying.has(tag)).map(({ tag }) => tag),
  );
  return own.size >= 3 || (own.size >= 1 && isPersonTable(table.name));
}

/** Keys of people, and of what belongs to them, point to them. */
function toRoles(table: Table, persons: ReadonlySet<string>): readonly (Guess & { readonly column: string })[] {
  const [column, ...more] = table.constraints.find(({ kind }) => kind === 'p')?.columns ?? [];
  const type = table.columns.find(({ name }) => name === column)?.type;
  if (column === undefined || more.length > 0 || !type) return [];
  const tag = toTypeFamily(type) === 'uuid' ? 'pii.uuid' : 'pii.key';
  if (persons.has(toKey(table))) return [{ column, tag, rule: 'key/person', confidence: 0.7 }];
  const belongs = table.constraints.some(({ kind, references }) => kind === 'f' && references && persons.has(toKey(references)));
  return belongs ? [{ column, tag, rule: 'key/of-a-person', confidence: 0.45 }] : [];
}

class Samples {
  private readonly values = new Map<string, string[]>();
  private readonly inventories: ReadonlyMap<string, PathInventory>;

  constructor(samples: readonly ColumnSample[], inventories: readonly PathInventory[]) {
    for (const { schema, table, column, path, values } of samples) {
      const key = JSON.stringify([schema, table, column, path ?? '']);
      this.values.set(key, [...(this.values.get(key) ?? []), ...values]);
    }
    this.inventories = new Map(inventories.map((inventory) => [toSqlName(inventory.schema, inventory.table, inventory.column), inventory]));
  }

  of(table: Table, column: TableColumn, path = ''): readonly string[] {
    return this.values.get(JSON.stringify([table.schema, table.name, column.name, path])) ?? [];
  }

  inventory(table: Table, column: TableColumn): PathInventory | undefined {
    return this.inventories.get(toSqlName(table.schema, table.name, column.name));
  }
}

function guessTable(table: Table, seen: Samples, roles: readonly (Guess & { readonly column: string })[]): readonly Suggestion[] {
  return table.columns.flatMap((column): readonly Suggestion[] => {
    if (column.generated !== '') return [];
    const at = { schema: table.schema, table: table.name, column: column.name };
    if (hasPaths(column)) return guessPaths(table, column, seen).map((guess) => ({ ...at, ...guess }));
    const more: Guess[] = roles
      .filter((role) => role.column === column.name)
      .map(({ tag, rule, confidence }) => ({ tag, rule, confidence }));
    const family = toTypeFamily(column.type);
    // What a person is called stands under `name`; a product's name stands there too.
    if (toNameWords(column.name).join('_') === 'name' && family === 'text' && isPersonTable(table.name))
      more.push({ tag: 'pii.full-name', rule: 'name/of-a-person', confidence: 0.65 });
    const guess = detect({ name: column.name, family, type: column.type, values: seen.of(table, column), more });
    return guess ? [{ ...at, ...guess }] : [];
  });
}

/** Is the unit of classification a path? An array of scalars has one tag for its elements. */
export function hasPaths(column: TableColumn): boolean {
  const shape = toShape(column.type);
  return (
    shape === 'open' ||
    shape === 'composite' ||
    (shape === 'array' && toLeaves(column.type).some(({ type, path }) => !type || path !== '[]'))
  );
}

/** Every path that a column has: those of its type, and those that were found in its rows. */
export function toKnownPaths(
  column: TableColumn,
  inventory: PathInventory | undefined,
): readonly { readonly path: string; readonly kinds: readonly string[] }[] {
  const typed = toLeaves(column.type).filter(({ type }) => type);
  const found = inventory?.paths.filter(({ path }) => !typed.some((leaf) => leaf.path === path)) ?? [];
  return [...typed.map(({ path }) => ({ path, kinds: [] })), ...found];
}

function guessPaths(table: Table, column: TableColumn, seen: Samples): readonly (Guess & { readonly path: string })[] {
  return toKnownPaths(column, seen.inventory(table, column)).flatMap(({ path, kinds }) => {
    const type = findAtPath(column.type, path)?.type;
    const family = type ? toTypeFamily(type) : toJsonFamily(kinds);
    const name = path.replaceAll('[]', '').split('.').at(-1) ?? '';
    // The last key is all that stands for a name when the path is elements only.
    const more: Guess[] = name === 'name' && family === 'text' ? [{ tag: 'pii.full-name', rule: 'name/en/name', confidence: 0.45 }] : [];
    const guess = detect({
      name: name === '*' || name === '' ? column.name : name,
      family,
      type,
      values: seen.of(table, column, path),
      more,
    });
    return guess ? [{ path, ...guess }] : [];
  });
}

/** Joined columns are one thing: the surest of them speaks for all, at the column to which the others refer. */
function join(all: readonly Suggestion[], tables: readonly Table[]): readonly Suggestion[] {
  const nameOf = (s: Suggestion): string => toSqlName(s.schema, s.table, s.column);
  const edges = toEdges(tables);
  const below = new Set(edges.map(({ from }) => from));
  const places = new Map(
    tables.flatMap((table) =>
      table.columns.map((column) => [toSqlName(table.schema, table.name, column.name), { table, column }] as const),
    ),
  );
  const joined = new Map<string, Suggestion>();
  const members = new Set<string>();
  for (const { columns } of toComponents(edges)) {
    for (const column of columns) members.add(column);
    const [best] = all
      .filter((s) => s.path === undefined && columns.includes(nameOf(s)))
      .sort((a, b) => b.confidence - a.confidence || (nameOf(a) < nameOf(b) ? -1 : 1));
    const head = columns.find((column) => !below.has(column)) ?? columns[0];
    if (!best || head === undefined) continue;
    for (const name of columns) {
      const place = places.get(name);
      if (!place || place.column.generated !== '') continue;
      const at = { schema: place.table.schema, table: place.table.name, column: place.column.name };
      const guess = { tag: best.tag, rule: best.rule, confidence: best.confidence };
      joined.set(name, name === head ? { ...at, ...guess } : { ...at, ...guess, follows: head });
    }
  }
  const alone = all.filter((s) => s.path !== undefined || !members.has(nameOf(s)));
  return sortByPlace([...alone, ...joined.values()], places);
}

function sortByPlace(all: readonly Suggestion[], places: ReadonlyMap<string, { readonly column: TableColumn }>): readonly Suggestion[] {
  const key = (s: Suggestion): string => {
    const attnum = places.get(toSqlName(s.schema, s.table, s.column))?.column.attnum ?? 0;
    return [toSqlName(s.schema, s.table), String(attnum).padStart(5, '0'), s.path ?? ''].join('\0');
  };
  return [...all].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
