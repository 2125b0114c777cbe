// Rows of source and output side by side: what comes out as it was, and whether one original has one pseudonym.
import type { TablePlan } from '../plan.js';
import type { Field, Reader } from '../ports.js';
import { type Chance, type FieldEntry, type FieldTables, flags } from './field-table.js';
import { type Leaf, isNumeric } from './leaves.js';
import { type Hit, type Lines, type PairEvent, type SearchKernel, counters } from './search-kernel.js';

/** Of one leaf. `unpaired`: why its rows could not be compared. */
export interface PairResult {
  readonly leaf: Leaf;
  pairs: number;
  /** Those of them whose original has something to mask. */
  compared: number;
  /** Distinct originals in their scope that no column before it has, and how many of them chance leaves as they were. */
  units: number;
  expected: number;
  /** Units that are too short to be told from chance. */
  excluded: number;
  fixed: number;
  /** Originals with more than one pseudonym. */
  other: number;
  nullsFilled: number;
  nullsMade: number;
  /** Rows of both sides that found no partner. */
  alone: number;
  firstFixed?: PairEvent;
  firstOther?: PairEvent;
  /** Rows of the source whose pair said `other`, the first of them. */
  readonly otherRows: Set<number>;
  unpaired?: 'order' | 'memory';
}

/** Memory for rows that wait for their partner. */
const WAITING_BYTES = 24 << 20;
const MOST_UNIT_PARTS = 64;
const MOST_ROWS_TOLD = 10_000;

/** The leaves of one table that are compared together: all single-valued ones, or one multi-valued. */
export interface PairGroup {
  readonly table: TablePlan;
  readonly leaves: readonly Leaf[];
  readonly multiple: boolean;
}

interface Prepared {
  readonly fields: readonly Field[];
  readonly entries: readonly FieldEntry[];
  readonly at: number;
}

export class RowPairs {
  readonly results: readonly PairResult[];
  private readonly source: Prepared;
  private readonly narrow: Prepared;
  private readonly distinctFixed: readonly Set<number>[];

  constructor(
    private readonly reader: Reader,
    private readonly kernel: SearchKernel,
    private readonly tables: FieldTables,
    readonly group: PairGroup,
    private readonly ruleSeed: (leaf: Leaf) => bigint,
  ) {
    this.results = group.leaves.map((leaf) => ({
      ...{
        leaf,
        pairs: 0,
        compared: 0,
        units: 0,
        expected: 0,
        excluded: 0,
        fixed: 0,
        other: 0,
        nullsFilled: 0,
        nullsMade: 0,
        alone: 0,
        otherRows: new Set<number>(),
      },
    }));
    this.distinctFixed = group.leaves.map(() => new Set<number>());
    const chances = group.leaves.map(({ claim: { fixedPoints = 0 } }) => tables.chance(fixedPoints));
    this.source = this.prepare(true, chances);
    this.narrow = this.prepare(false, chances);
    group.leaves.forEach(({ claim: { fixedPoints = 0 } }, i) => tables.fill(chances[i] as Chance, fixedPoints));
  }

  /** What the pair at this index is told by in a wider stream of the output: the same counters and chances. */
  entryOf(leaf: Leaf): FieldEntry {
    return this.narrow.entries.at(this.group.leaves.indexOf(leaf) - this.group.leaves.length) as FieldEntry;
  }

  /** Reads both sides, the output through `output` where it is read anyway; again, in more parts or in order, where memory was too small. */
  async compare(output?: {
    readonly chunks: AsyncIterable<Uint8Array>;
    readonly feed: (chunk: Uint8Array) => void;
    readonly lines: Lines;
  }): Promise<void> {
    this.begin(0, 1);
    const target = output ?? this.openTarget(false);
    await this.alternate(target, false);
    let state = this.kernel.pairsState;
    this.takeEvents();
    if (state.rowsLost && this.group.table.pairing?.by === 'key') state = await this.again(0, 1, true);
    if (state.rowsLost) return this.give('order');
    for (let parts = 2; state.unitsLost; parts *= 2) {
      if (parts > MOST_UNIT_PARTS) return this.give('memory');
      this.clear();
      for (let part = 0; part < parts; part++) {
        state = await this.again(part, parts, state.rowsLost);
        if (state.unitsLost) break;
      }
    }
    this.read(state.waiting);
  }

  private async again(part: number, parts: number, ordered: boolean): Promise<SearchKernel['pairsState']> {
    if (part === 0) this.clear();
    this.begin(part, parts);
    await this.alternate(this.openTarget(ordered), ordered);
    const state = this.kernel.pairsState;
    this.takeEvents();
    return state;
  }

  private begin(part: number, parts: number): void {
    const { table, leaves, multiple } = this.group;
    const room = Math.floor(WAITING_BYTES / (24 + 8 * leaves.length));
    this.kernel.beginPairs(leaves.length, table.pairing?.by === 'place', multiple, room);
    this.kernel.beginUnits(part, parts);
  }

  private openTarget(ordered: boolean): { chunks: AsyncIterable<Uint8Array>; feed: (chunk: Uint8Array) => void; lines: Lines } {
    const lines = this.kernel.lines(this.narrow.at, false);
    const chunks = this.reader.lines('staging', this.group.table, this.narrow.fields, this.toOptions(ordered));
    return { chunks, lines, feed: (chunk) => this.kernel.feed(lines, chunk, ignore) };
  }

  /** Whichever side has given fewer rows gives the next chunk, so that few rows wait. */
  private async alternate(
    target: { readonly chunks: AsyncIterable<Uint8Array>; readonly feed: (chunk: Uint8Array) => void; readonly lines: Lines },
    ordered: boolean,
  ): Promise<void> {
    const { table } = this.group;
    const where = typeof table.rows === 'object' ? { where: table.rows.where } : {};
    const lines = this.kernel.lines(this.source.at, true);
    const source = this.reader.lines('source', table, this.source.fields, { ...where, ...this.toOptions(ordered) })[Symbol.asyncIterator]();
    const output = target.chunks[Symbol.asyncIterator]();
    let left = await source.next();
    let right = await output.next();
    while (left.done !== true || right.done !== true) {
      if (right.done === true || (left.done !== true && lines.rows <= target.lines.rows)) {
        if (left.done !== true) this.kernel.feed(lines, left.value, ignore);
        left = await source.next();
      } else {
        target.feed(right.value);
        right = await output.next();
      }
      this.takeEvents();
    }
  }

  private toOptions(ordered: boolean): { readonly order?: readonly string[] } {
    const { pairing } = this.group.table;
    return ordered && pairing?.by === 'key' ? { order: pairing.columns } : {};
  }

  private takeEvents(): void {
    if (this.kernel.pairsState.events === 0) return;
    for (const event of this.kernel.takeEvents()) {
      const result = this.results[event.pair] as PairResult;
      if (event.kind === 'fixed') {
        result.firstFixed ??= event;
        // Where the person stands more than a table away, rows of one person count as several units: then distinct originals are counted.
        const distinct = this.distinctFixed[event.pair] as Set<number>;
        if (!isFar(result.leaf)) result.fixed++;
        else if (!distinct.has(event.digest)) {
          distinct.add(event.digest);
          result.fixed++;
        }
      } else {
        result.firstOther ??= event;
        result.other++;
        if (result.otherRows.size < MOST_ROWS_TOLD) result.otherRows.add(event.sourceRow);
      }
    }
  }

  private read(alone: number): void {
    this.results.forEach((result, i) => {
      result.alone = alone;
      const offset = i - this.results.length;
      const source = (this.source.entries.at(offset) as FieldEntry).counters as number;
      const output = (this.narrow.entries.at(offset) as FieldEntry).counters as number;
      const both = (counter: number): number => this.kernel.counter(source, counter) + this.kernel.counter(output, counter);
      result.pairs = both(counters.pairs);
      result.compared = both(counters.compared);
      result.units = both(counters.units);
      result.excluded = both(counters.excluded);
      result.expected = this.kernel.expected(source) + this.kernel.expected(output);
      result.nullsFilled = both(counters.nullsFilled);
      result.nullsMade = both(counters.nullsMade);
    });
  }

  private clear(): void {
    for (const { entries } of [this.source, this.narrow])
      for (const { counters: at } of entries) this.kernel.put(at as number, new Uint8Array(256));
    for (const set of this.distinctFixed) set.clear();
    for (const result of this.results) {
      result.fixed = result.other = 0;
      result.otherRows.clear();
      delete result.firstFixed;
      delete result.firstOther;
    }
  }

  private give(why: NonNullable<PairResult['unpaired']>): void {
    for (const result of this.results) result.unpaired = why;
  }

  /** Key and, for the source, the person; then the leaves, last. */
  private prepare(source: boolean, chances: readonly Chance[]): Prepared {
    const { table, leaves } = this.group;
    const keys = toKeys(table);
    const persons = source ? toPersons(table).map((name) => toField(table, name)) : [];
    const entries: FieldEntry[] = [
      ...keys.map((): FieldEntry => ({ flags: flags.key })),
      ...persons.map((): FieldEntry => ({ flags: flags.unit })),
      ...leaves.map((leaf, i): FieldEntry => this.toEntry(leaf, i, chances[i] as Chance)),
    ];
    return { fields: [...keys, ...persons, ...leaves.map(({ field }) => field)], entries, at: this.tables.write(entries) };
  }

  private toEntry(leaf: Leaf, index: number, chance: Chance): FieldEntry {
    return {
      flags: (isNumeric(leaf.type.base) ? flags.numeric : 0) | (leaf.type.base === 'bpchar' ? flags.padded : 0),
      pair: index + 1,
      chance,
      unit: toUnitKind(leaf),
      ruleSeed: this.ruleSeed(leaf),
    };
  }
}

const ignore = (_: Hit): void => undefined;

/** What tells rows apart, in the table's order: so do fields follow each other in lines of the whole table. */
export function toKeys(table: TablePlan): readonly Field[] {
  const { pairing } = table;
  if (pairing?.by !== 'key') return [];
  return table.columns.filter(({ name }) => pairing.columns.includes(name)).map(({ name, type }) => ({ column: name, type }));
}

export function toField(table: TablePlan, name: string): Field {
  const column = table.columns.find((one) => one.name === name);
  // A column that no plan masks or keeps is not copied, and can be no key.
  return { column: name, type: column?.type ?? { display: 'text', kind: 'base', base: 'text', deterministicCollation: true } };
}

/** The columns of this table that lead to the person: its key, or the reference. */
export function toPersons(table: TablePlan): readonly string[] {
  const subject = table.hidden.filter(({ purpose }) => purpose === 'subject');
  return [...new Set(subject.flatMap(({ via, column }) => via[0]?.columns ?? [column]))];
}

function isFar({ rule, table }: Leaf): boolean {
  return rule.scope === 'subject' && table.hidden.some(({ purpose, via }) => purpose === 'subject' && via.length > 0);
}

/** The row is the unit where the draw is the row's own, or where each person has one row: then no unit has to be remembered. */
function toUnitKind({ rule, table, multiple }: Leaf): number {
  if (rule.scope === 'row') return 0;
  if (rule.scope === 'value') return 1;
  const persons = toPersons(table);
  const { pairing } = table;
  const isOwn = !multiple && pairing?.by === 'key' && pairing.columns.every((name) => persons.includes(name));
  return persons.length === 0 || isOwn ? 0 : 2;
}
