// Privacy, measured on a copy before it is published: how far persons can be singled out, linked to the source, guessed and followed. Bounded in rows, so
// in time and memory; what was not looked at is said, and is not known.
import type { Catalogue, DataType, TableName } from '../../catalogue.js';
import { toTableLabel } from '../../catalogue.js';
import type { CheckPlan } from '../../check.js';
import { findComparison, hasEquality } from '../../check-type.js';
import type { ColumnPlan, Plan } from '../../plan.js';
import type { Field, Reader, Relation } from '../../ports.js';
import {
  type ClassFigures,
  type DictionaryFigures,
  type FollowedFigures,
  type Frequencies,
  type GuessFigures,
  MOST_GROUPED,
  type PrivacyLimits,
  type Sampling,
  type SensitiveFigures,
  type TablePrivacy,
  type Unmeasured,
} from '../../privacy.js';
import { findIdentifying } from './classes.js';
import { type PersonTable, isText, toPersonTables } from './columns.js';
import { Dictionary, MOST_WORDS, toDigestForm } from './dictionary.js';
import { MOST_RANKS, guess, hasRanks } from './guesses.js';
import { Links } from './links.js';
import { type TriedRows, toText } from './tried-rows.js';

export { type PersonTable, toPersonTables } from './columns.js';
export { judgePrivacy } from './judge.js';
export type { TriedRows } from './tried-rows.js';

export interface PrivacySetting {
  readonly reader: Pick<Reader, 'lines' | 'relations' | 'count' | 'measure' | 'frequencies'>;
  readonly plan: Plan;
  readonly catalogue: Catalogue;
  /** Labels of the tables that speak of persons. */
  readonly persons: ReadonlySet<string>;
  /** Rows of originals and pseudonyms side by side, or why there are none. */
  readonly tried: (table: PersonTable) => Promise<TriedRows | { readonly why: string }>;
  /** Rows of a table of the plan in staging. */
  readonly rowsOf: (table: TableName) => number;
  readonly limits: PrivacyLimits;
  /** Of a larger table so many rows are looked at. */
  readonly mostRows: number;
  readonly seed: number;
}

/** k of the tables that nobody set a limit for: rows in smaller groups are counted. */
const USUAL_K = 5;
/** Fewer rows make no rate. */
const FEWEST_ROWS = 30;
const MOST_GUESSED_COLUMNS = 8;
const MOST_FOLLOWED_TABLES = 8;

export async function measureTables(setting: PrivacySetting): Promise<readonly TablePrivacy[]> {
  const measured: TablePrivacy[] = [];
  for (const table of toPersonTables(setting.plan, setting.catalogue, setting.persons))
    measured.push(await new TableMeasurement(setting, table).measure());
  return measured;
}

interface WantedClasses {
  readonly measure: 'classes' | 'found';
  readonly set: readonly ColumnPlan[];
  readonly sample?: Sampling;
}

type GroupedClasses = ClassFigures & Pick<WantedClasses, 'measure'>;

class TableMeasurement {
  readonly #unmeasured: Unmeasured[] = [];
  readonly #rows: number;

  constructor(
    private readonly setting: PrivacySetting,
    private readonly of: PersonTable,
  ) {
    this.#rows = setting.rowsOf(of.table);
  }

  async measure(): Promise<TablePrivacy> {
    const { schema, name } = this.of.table;
    const none: TablePrivacy = {
      ...{ schema, table: name, rows: this.#rows, quasi: null, found: [], sensitive: [], linked: null, linkedByAll: null },
      ...{ guessed: [], followed: null, unmeasured: [] },
    };
    if (this.#rows === 0) return none;
    const rows = await this.#tried();
    return {
      ...none,
      ...(await this.#classes(rows)),
      sensitive: await this.#sensitive(),
      ...(await this.#links(rows)),
      ...{ guessed: await this.#guesses(rows), followed: await this.#followed(), unmeasured: this.#unmeasured },
    };
  }

  async #tried(): Promise<TriedRows | undefined> {
    const { personal, other, masked } = this.of;
    if (personal.length + other.length + masked.length === 0) return undefined;
    const rows = await this.setting.tried(this.of);
    if (!('why' in rows)) return rows;
    for (const measure of ['linked', 'guessed', 'found'] as const) this.#unmeasured.push({ measure, why: rows.why });
    return undefined;
  }

  /** Of all rows, or of so many as it takes to be done in time. */
  #sample(rows = this.#rows, most = this.setting.mostRows): { readonly sample?: Sampling } {
    return rows <= most ? {} : { sample: { rows: most, of: rows, seed: this.setting.seed } };
  }

  /** What nobody sets a limit for, and what is asked many times, is looked at in fewer rows. */
  #part(of: number): number {
    return Math.ceil(this.setting.mostRows / of);
  }

  /** Of a small table all in one statement; of a larger one the sets that somebody may set a limit for are looked at in more rows. */
  async #classes(rows: TriedRows | undefined): Promise<Pick<TablePrivacy, 'quasi' | 'found'>> {
    const { personal, other } = this.of;
    const quasi = personal.length === 0 ? [] : [{ measure: 'classes' as const, set: personal, ...this.#sample() }];
    const found = rows ? findIdentifying(rows, [...personal, ...other]) : [];
    const others = found.map((set) => ({ measure: 'found' as const, set, ...this.#sample(this.#rows, this.#part(4)) }));
    const wanted = [...quasi, ...others].filter(({ measure, set }) => {
      const isFit = set.every(({ type }) => hasEquality(type));
      if (!isFit) this.#unmeasured.push({ measure, why: 'a type whose values cannot be told apart by =' });
      return isFit;
    });
    const parts = new Map<number | undefined, WantedClasses[]>();
    for (const one of wanted) parts.set(one.sample?.rows, [...(parts.get(one.sample?.rows) ?? []), one]);
    const told = await this.#groupAll([...parts.values()]);
    const figures = (of: WantedClasses['measure']): readonly ClassFigures[] =>
      told.flatMap(({ measure, ...one }) => (measure === of ? [one] : []));
    return { quasi: figures('classes')[0] ?? null, found: figures('found') };
  }

  async #groupAll(parts: readonly (readonly WantedClasses[])[]): Promise<readonly GroupedClasses[]> {
    const told: GroupedClasses[] = [];
    for (const part of parts) told.push(...(await this.#group(part)));
    return told;
  }

  /** Sets of columns over the same rows. One of several that cannot be grouped keeps no other from it. */
  async #group(wanted: readonly WantedClasses[]): Promise<readonly GroupedClasses[]> {
    const { schema, name } = this.of.table;
    const [first] = wanted;
    if (!first) return [];
    const sets = wanted.map(({ set }) => set.map((column) => column.name));
    const apart = wanted.map((one) => [one]);
    if (wanted.length > 1 && new Set(sets.flat()).size > MOST_GROUPED) return this.#groupAll(apart);
    const sample = first.sample ? { sample: first.sample } : {};
    const question = { kind: 'classes' as const, table: { schema, name }, sets, below: this.setting.limits.minK ?? USUAL_K, ...sample };
    const [answer] = await this.setting.reader.measure([question]);
    if (!answer || 'sqlState' in answer) {
      if (wanted.length > 1) return this.#groupAll(apart);
      this.#unmeasured.push({ measure: first.measure, why: `SQLSTATE ${answer?.sqlState ?? ''}` });
      return [];
    }
    return wanted.map(({ measure }, i) => {
      const [rows = 0, k = 0, unique = 0, below = 0] = answer.numbers.slice(4 * i);
      return { measure, columns: sets[i] ?? [], rows, k, unique, below, ...(first.sample ? { sampled: true as const } : {}) };
    });
  }

  /** By its quasi-identifiers, but for itself. */
  async #sensitive(): Promise<readonly SensitiveFigures[]> {
    const { table, personal, sensitive } = this.of;
    const figures: SensitiveFigures[] = [];
    for (const column of sensitive) {
      const columns = personal.filter((one) => one !== column && !sensitive.includes(one)).map(({ name }) => name);
      const why =
        columns.length === 0
          ? 'no quasi-identifier beside it'
          : !hasEquality(column.type)
            ? 'a type whose values cannot be told apart by ='
            : this.#rows > this.setting.mostRows
              ? `more than ${this.setting.mostRows} rows: checks of kind lDiversity and tCloseness count all of them`
              : undefined;
      if (why !== undefined) {
        this.#unmeasured.push({ measure: 'sensitive', column: column.name, why });
        continue;
      }
      const of = { table: { schema: table.schema, name: table.name }, columns, severity: 'warn' as const, sensitive: column.name };
      const ordered = findComparison(column.type, 'range') !== undefined;
      const checks: readonly CheckPlan[] = [
        { ...of, name: 'l', kind: 'lDiversity', min: 1 },
        { ...of, name: 't', kind: 'tCloseness', ordered, max: 1 },
      ];
      const counted = await this.setting.reader.count(checks, 0);
      const [l = null, t = null] = counted.map((one) => ('figure' in one ? (one.figure ?? null) : null));
      if (l === null || t === null)
        this.#unmeasured.push({ measure: 'sensitive', column: column.name, why: 'the server did not count it' });
      figures.push({ column: column.name, l, t });
    }
    return figures;
  }

  async #links(rows: TriedRows | undefined): Promise<Pick<TablePrivacy, 'linked' | 'linkedByAll'>> {
    const { table, personal, other } = this.of;
    const links = rows && new Links(rows, personal, other);
    if (!links || links.columns.length === 0) return { linked: null, linkedByAll: null };
    const there = this.setting.catalogue.tables.find((one) => toTableLabel(one) === toTableLabel(table));
    const { sample } = this.#sample(Math.max(this.#rows, there?.estimatedRows ?? 0));
    const fields = links.columns.map(({ name, type }): Field => ({ column: name, type }));
    for await (const chunk of this.setting.reader.lines('source', table, fields, sample ? { part: sample } : {})) links.feed(chunk);
    const [linked, linkedByAll] = (['personal', 'all'] as const).map((of) => links.worst(of, sample !== undefined) ?? null);
    return { linked: linked ?? null, linkedByAll: linkedByAll ?? null };
  }

  async #guesses(rows: TriedRows | undefined): Promise<readonly GuessFigures[]> {
    if (!rows) return [];
    const { table, masked } = this.of;
    const figures: GuessFigures[] = [];
    const ranked = masked.filter((column) => !column.unique && isText(column.type) && hasRanks(rows, column));
    for (const [i, column] of ranked.entries()) {
      const skip = (why: string): void => void this.#unmeasured.push({ measure: 'guessed', column: column.name, why });
      if (i >= MOST_GUESSED_COLUMNS) skip(`more than ${MOST_GUESSED_COLUMNS} columns of the table`);
      else if (rows.copies.length < FEWEST_ROWS) skip(`fewer than ${FEWEST_ROWS} rows`);
      else {
        const { sample } = this.#sample(this.#rows, this.#part(4));
        const options = { most: MOST_RANKS, ...(sample ? { sample } : {}) };
        const ask = (side: 'source' | 'staging'): Promise<Frequencies> =>
          this.setting.reader.frequencies(side, table, column.name, options);
        const [source, copy] = await Promise.all([ask('source'), ask('staging')]);
        figures.push(guess(rows, column, source, copy, sample !== undefined));
      }
    }
    return figures;
  }

  async #followed(): Promise<FollowedFigures | null> {
    const { table, personal, other, leading } = this.of;
    if (leading.length === 0) return null;
    const few = leading.slice(0, MOST_FOLLOWED_TABLES);
    if (few.length < leading.length) this.#unmeasured.push({ measure: 'followed', why: `more than ${MOST_FOLLOWED_TABLES} tables` });
    // What leads to a person is read as a whole: of persons there are fewer, so that it is done in time.
    const { sample } = this.#sample(this.#rows, this.#part(10));
    const columns = [...personal, ...other].map(({ name }) => name);
    const question = { kind: 'followed', table: { schema: table.schema, name: table.name }, columns, rows: few } as const;
    const [answer] = await this.setting.reader.measure([{ ...question, ...(sample ? { sample } : {}) }]);
    if (!answer || 'sqlState' in answer) {
      this.#unmeasured.push({ measure: 'followed', why: `SQLSTATE ${answer?.sqlState ?? ''}` });
      return null;
    }
    const [persons = 0, uniqueByCounts = 0, unique = 0] = answer.numbers;
    const tables = few.map((one) => toTableLabel(one.table));
    return { tables, persons, uniqueByCounts, unique, ...(sample ? { sampled: true as const } : {}) };
  }
}

// ── Digests without a key

const digestTypes: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar', 'citext', 'bytea', 'uuid']);
const LOOKED_ROWS = 200;

interface Suspect {
  readonly relation: Relation;
  readonly field: Field;
}

/** Looks at some rows of everything in staging, tables that the pipeline's own files made included, and closer at what looks like digests. */
export async function tryDictionary({ reader, plan, rowsOf, seed }: PrivacySetting): Promise<DictionaryFigures> {
  const suspects: Suspect[] = [];
  const lengths = new Set<number>();
  for (const relation of await reader.relations()) {
    const fields = relation.columns
      .filter(({ base, array }) => digestTypes.has(base) && !array)
      .map(({ name, base }) => toField(name, base));
    if (fields.length === 0) continue;
    const seen = new Map<number, number>();
    await eachRow(reader.lines('staging', relation, fields, { sample: { rows: LOOKED_ROWS, seed } }), (row) => {
      for (const [i, field] of row.entries()) {
        const digest = toDigestForm(toText(field) ?? '');
        if (digest === undefined) continue;
        seen.set(i, (seen.get(i) ?? 0) + 1);
        lengths.add(digest.length);
      }
    });
    for (const i of seen.keys()) suspects.push({ relation, field: fields[i]! });
  }
  if (suspects.length === 0) return { columns: 0, values: 0, tried: 0, hits: [] };
  const dictionary = await toDictionary({ reader, plan, rowsOf, seed }, suspects, lengths);
  const hits: DictionaryFigures['hits'][number][] = [];
  let values = 0;
  for (const { relation, field } of suspects) {
    let found = 0;
    const part = { rows: MOST_WORDS, of: Math.max(1, rowsOf(relation)), seed };
    await eachRow(reader.lines('staging', relation, [field], part.rows < part.of ? { part } : {}), ([text = '\\N']) => {
      const digest = toDigestForm(toText(text) ?? '');
      if (digest === undefined) return;
      values++;
      if (dictionary.has(digest)) found++;
    });
    if (found > 0) hits.push({ schema: relation.schema, table: relation.name, column: field.column, values: found });
  }
  return { columns: suspects.length, values, tried: dictionary.tried, hits };
}

/** Originals of the personal columns of the tables where digests were seen; of all tables where one of them is no table of the plan. */
async function toDictionary(
  { reader, plan, rowsOf, seed }: Pick<PrivacySetting, 'reader' | 'plan' | 'rowsOf' | 'seed'>,
  suspects: readonly Suspect[],
  lengths: ReadonlySet<number>,
): Promise<Dictionary> {
  const dictionary = new Dictionary(lengths);
  const isPlanned = (relation: TableName): boolean => plan.tables.some((table) => toTableLabel(table) === toTableLabel(relation));
  const beside = suspects.some(({ relation }) => !isPlanned(relation));
  const tables = plan.tables.filter(
    (table) =>
      table.kind === 'r' &&
      table.rows !== 'none' &&
      (beside || suspects.some(({ relation }) => toTableLabel(relation) === toTableLabel(table))),
  );
  const each = Math.ceil(MOST_WORDS / Math.max(1, tables.length));
  for (const table of tables) {
    const columns = table.columns.filter(({ tag, type, rule }) => tag !== 'none' && isText(type) && rule.paths === undefined);
    if (columns.length === 0) continue;
    const part = { rows: Math.ceil(each / columns.length), of: Math.max(1, rowsOf(table)), seed };
    const fields = columns.map(({ name, type }): Field => ({ column: name, type }));
    await eachRow(reader.lines('source', table, fields, part.rows < part.of ? { part } : {}), (row) => {
      for (const field of row) {
        const word = toText(field);
        if (word !== undefined && word !== '') dictionary.add(word);
      }
    });
  }
  return dictionary;
}

function toField(column: string, base: string): Field {
  const type: DataType = { display: base, kind: 'base', base, deterministicCollation: true };
  return { column, type };
}

/** Rows of COPY text as fields, one sign a byte. */
async function eachRow(chunks: AsyncIterable<Uint8Array>, take: (row: readonly string[]) => void): Promise<void> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line.split('\t'));
  }
}
