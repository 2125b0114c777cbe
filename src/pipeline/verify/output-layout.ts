// How each table of staging is read: which fields, and what is looked for in each. Paths and generated columns stand before the table's own
// columns, so that the digest is of the rest of the line.
import type { DataType, TableName } from '../catalogue.js';
import type { ColumnPlan, TablePlan } from '../plan.js';
import type { Field, Relation } from '../ports.js';
import type { Place } from './candidates.js';
import { type FieldEntry, type FieldTables, flags } from './field-table.js';
import { type Leaf, isNumber, isNumeric, isText } from './leaves.js';
import type { Originals } from './originals.js';
import type { RowPairs } from './row-pairs.js';
import type { Lines } from './search-kernel.js';

export interface Layout {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly lines: Lines;
  readonly feed: (chunk: Uint8Array) => void;
}

export interface Laid {
  readonly of: TableName;
  readonly fields: readonly Field[];
  readonly at: number;
  readonly places: readonly Place[];
  /** Fields before the table's own. */
  readonly extras: number;
}

interface One {
  readonly field: Field;
  readonly entry: FieldEntry;
  readonly place: Omit<Place, 'windows' | 'produces' | 'rows' | 'schema' | 'table' | 'column'>;
  /** Whose pseudonyms may stand there. */
  readonly leaves: readonly Leaf[];
}

export class OutputLayout {
  readonly done: Laid[] = [];
  /** Tags with originals that may stand where a pseudonym of the tag stands, and nowhere else. */
  private readonly shared: readonly string[];

  constructor(
    private readonly tables: FieldTables,
    private readonly originals: Originals,
    private readonly leaves: readonly Leaf[],
    private readonly aim: { readonly pairs: boolean; readonly search: boolean },
  ) {
    const some = leaves.filter((leaf) => leaf.reach === 'inside' && originals.of(leaf).inSpace > 0).map(({ tag }) => tag);
    this.shared = [...new Set(some)];
  }

  table(table: TablePlan, relation: Relation | undefined, pairs: RowPairs | undefined): Laid {
    const own = this.leaves.filter((leaf) => leaf.table === table);
    const paths = own
      .filter((leaf) => leaf.field.path !== undefined && !leaf.multiple && this.isAsked(leaf, pairs))
      .map((leaf) => this.toLeaf(leaf, pairs));
    const generated = (relation?.columns ?? [])
      .filter((column) => this.aim.search && column.generated && table.kind === 'r')
      .map((column) => this.toDerived(column));
    const columns = table.columns.map((column) => this.toColumn(column, own, pairs, table.pairing));
    return this.lay(table, [...paths, ...generated, ...columns], paths.length + generated.length);
  }

  /** The multi-valued paths of a table that have to be asked for by themselves. */
  multiple(table: TablePlan): readonly Laid[] {
    const some = this.leaves.filter((leaf) => leaf.table === table && leaf.multiple && this.isAsked(leaf, undefined));
    return some.map((leaf) => this.lay(table, [this.toLeaf(leaf, undefined)], 0));
  }

  /** What no plan speaks of: a materialized view, or a table that an `after` file made. */
  relation(relation: Relation): Laid | undefined {
    const some = relation.columns.map((column) => this.toDerived(column));
    return some.every(({ entry }) => entry.flags === 0) ? undefined : this.lay(relation, some, 0);
  }

  private lay(of: TableName, some: readonly One[], extras: number): Laid {
    some.forEach(({ entry }, i) => (entry.column = i));
    const at = this.tables.write(some.map(({ entry }) => entry));
    const places = some.map(({ field, entry, place, leaves }): Place => ({
      ...{ schema: of.schema, table: of.name, column: field.column, ...place, rows: 0 },
      windows: (digits) => this.tables.windows(entry.counters as number, digits),
      produces: (text) => this.produces(leaves, text),
    }));
    const laid = { of: { schema: of.schema, name: of.name }, fields: some.map(({ field }) => field), at, places, extras };
    this.done.push(laid);
    return laid;
  }

  /** Whether a path has to be read by itself: short originals are found only so, and pairs. */
  private isAsked(leaf: Leaf, pairs: RowPairs | undefined): boolean {
    if (pairs?.group.leaves.includes(leaf)) return true;
    return this.aim.search && leaf.claim.output === 'disjoint' && this.ownSeeds([leaf.tag]).length > 0;
  }

  private toLeaf(leaf: Leaf, pairs: RowPairs | undefined): One {
    const { field, claim, tag } = leaf;
    const path = field.path === undefined ? {} : { path: field.path };
    const pair = pairs?.group.leaves.includes(leaf) ? pairs.entryOf(leaf) : undefined;
    const own = this.aim.search && claim.output === 'disjoint' ? this.ownSeeds([tag]) : [];
    const entry: FieldEntry = {
      ...pair,
      flags: (pair?.flags ?? 0) | this.typeFlags(leaf.type.base) | (own.length > 0 ? flags.own : 0),
      own,
      ...this.law(leaf),
    };
    if (entry.space !== undefined) entry.flags |= flags.law;
    return { field, entry, place: { ...path, tags: new Set([tag]), drawn: claim.output === 'overlapping' }, leaves: [leaf] };
  }

  private toColumn(column: ColumnPlan, own: readonly Leaf[], pairs: RowPairs | undefined, pairing: TablePlan['pairing']): One {
    const leaves = own.filter((leaf) => leaf.column === column);
    const whole = leaves.find(({ field }) => field.path === undefined);
    const tags = leaves.map(({ tag }) => tag);
    // Kept on purpose: the plan has the reason, and nothing is looked for in it.
    const released = column.tag !== 'none' && column.rule.transform === 'keep' && !column.rule.paths;
    const base = whole ? this.toLeaf(whole, pairs) : undefined;
    const entry: FieldEntry = base?.entry ?? { flags: this.typeFlags(column.type.base) };
    // The sample of the laws is told by it even where no rows are compared.
    if (this.aim.pairs && pairing?.by === 'key' && pairing.columns.includes(column.name)) entry.flags |= flags.key;
    if (!released && this.aim.search) this.addSearch(entry, column.type.base, tags);
    const drawn = leaves.some(({ claim }) => claim.output === 'overlapping');
    return {
      field: { column: column.name, type: column.type },
      entry,
      place: { tags: new Set(tags), drawn, ...toStructure(column.type.base, column.type.element !== undefined) },
      leaves,
    };
  }

  private toDerived({ name, base, array }: Relation['columns'][number]): One {
    const type: DataType = { display: base, kind: 'base', base, deterministicCollation: true };
    const entry: FieldEntry = { flags: 0 };
    // Made of columns of any tag: what may stand where a pseudonym stands may stand here.
    this.addSearch(entry, base, this.shared);
    return {
      field: { column: name, type },
      entry,
      place: { tags: new Set(), drawn: false, ...toStructure(base, array) },
      leaves: this.leaves,
    };
  }

  private addSearch(entry: FieldEntry, base: string, tags: readonly string[]): void {
    const seeds = [this.originals.seed, ...this.shared.filter((tag) => !tags.includes(tag)).map((tag) => this.originals.tagSeed(tag))];
    if (isText(base)) entry.flags |= flags.inside | flags.cell;
    else if (isNumber(base)) entry.flags |= flags.inside | flags.longOnly;
    else return;
    entry.seeds = seeds;
  }

  /** Values that are told from others by their tag only are compared as whole cells, in the columns of the tag. */
  private ownSeeds(tags: readonly string[]): readonly bigint[] {
    const some = tags.filter((tag) => this.leaves.some((leaf) => leaf.tag === tag && this.originals.of(leaf).ownOnly > 0));
    return some.map((tag) => this.originals.ownSeed(tag));
  }

  private produces(leaves: readonly Leaf[], text: string): boolean {
    return leaves.some(({ claim }) => claim.pattern !== undefined && this.tables.accepts(this.tables.space(claim.pattern), text));
  }

  private typeFlags(base: string): number {
    return (base === 'bpchar' ? flags.padded : 0) | (isNumeric(base) ? flags.numeric : 0);
  }

  /** Every output is of the declared space, as the load left it: what `after` files write need not be. */
  private law({ claim }: Leaf): { readonly space?: number } {
    return this.aim.pairs && claim.pattern !== undefined ? { space: this.tables.space(claim.pattern) } : {};
  }
}

function toStructure(base: string, array: boolean): Pick<Place, 'structure'> {
  if (array) return { structure: 'array' };
  if (base === 'xml') return { structure: 'xml' };
  return base === 'json' || base === 'jsonb' ? { structure: 'json' } : {};
}
