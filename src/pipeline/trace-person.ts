// Where the pseudonyms of a person stand in the versions and clones that are there: by the keys and rules that each was made with. What cannot be said is
// said to be unknown. No identifier and no pseudonym leaves this file but to the server that is asked for it.
import { digestJson } from '../kernel/digest.js';
import { toError, toKnownError } from '../kernel/errors.js';
import { toSqlName } from '../kernel/sql-name.js';
import { type Catalogue, type TableName, toTableLabel } from './catalogue.js';
import { toEdges } from './classify/classify.js';
import type { GateInput } from './decision.js';
import { createMasker, prepareMask } from './mask/mask.js';
import { questionType } from './permit-again.js';
import type { ColumnPlan, Plan, RulePlan, TablePlan } from './plan.js';
import type { AuditSink, Clone, DatasetVersion, KeyProvider } from './ports.js';

/** `table` as documents have it, `value` as the source shows it as text. */
export interface Identifier {
  readonly table: string;
  readonly column: string;
  readonly value: string;
}

/** Rows of a column that have one of these texts. `whole`: with those of partitions. */
export interface WantedRows {
  readonly table: TableName;
  readonly column: string;
  readonly texts: readonly string[];
  readonly whole: boolean;
}

/**
 * Why equal values stand for the person: `foreign-key`, it is the column that was named or one that foreign keys lead to it; `value`, the value is the
 * person's wherever it stands (an address, a document's number); `unknown`, a key of the same number, and no foreign key says whose.
 */
export const tracedBy = ['foreign-key', 'value', 'unknown'] as const;

export interface TracedColumn {
  readonly table: string;
  readonly column: string;
  readonly rows: number;
  readonly by: (typeof tracedBy)[number];
}

/** Rows that are somebody's, and the person's for all that is known. */
export const isFound = ({ rows, by }: TracedColumn): boolean => rows > 0 && by !== 'unknown';

export interface TracedVersion {
  readonly version: number;
  readonly run: string;
  readonly of: 'current' | 'previous' | 'clone';
  /** What a clone was made for. */
  readonly for: string | null;
  /** Columns where the person was looked for, with the rows that were found there; null: nobody knows. */
  readonly columns: readonly TracedColumn[] | null;
  /** Why nobody knows, as a code of docs/errors.md. */
  readonly why: string | null;
}

export interface TraceDoors {
  readonly sink: Pick<AuditSink, 'read'>;
  readonly keys: Pick<KeyProvider, 'derive'>;
  /** In a database of the target's server, in one session that only reads. */
  readonly count: (database: string, wanted: readonly WantedRows[]) => Promise<readonly number[]>;
}

type Place = Pick<TracedVersion, 'version' | 'run' | 'of' | 'for'> & { readonly database: string; readonly planDigest: string };

/** Throws SUBJECT_COLUMN_UNFIT and SUBJECT_VALUE_UNFIT, before anything is looked at. */
export async function tracePerson(
  doors: TraceDoors,
  { plan, catalogue }: { readonly plan: Plan; readonly catalogue: Pick<Catalogue, 'tables'> },
  identifiers: readonly Identifier[],
  there: { readonly datasets: readonly DatasetVersion[]; readonly clones: readonly Clone[] },
): Promise<readonly TracedVersion[]> {
  const found = identifiers.map((identifier) => ({ identifier, ...findColumn(plan, identifier) }));
  const pseudonyms = new Map<number, readonly string[]>();
  const maskAll = async (keyVersion: number): Promise<readonly string[]> => {
    const known = pseudonyms.get(keyVersion);
    if (known) return known;
    const made: string[] = [];
    for (const { identifier, table, column } of found)
      made.push(await toPseudonym(doors, { ...plan, keyVersion }, table, column, identifier));
    pseudonyms.set(keyVersion, made);
    return made;
  };
  await maskAll(plan.keyVersion);
  const traced: TracedVersion[] = [];
  for (const { database, planDigest, ...place } of toPlaces(there)) {
    try {
      const question = await getQuestion(doors.sink, place.run, planDigest);
      const { version } = question['key'] as { readonly version: number };
      const texts = await maskAll(version);
      const each = found.map((named, i) => toWanted(plan, catalogue.tables, question, named, texts[i] as string));
      const wanted = each.flatMap((one) => one.wanted);
      const rows = await doors.count(database, wanted);
      const columns = wanted.map(({ table, column, by }, i) => ({ table: toTableLabel(table), column, rows: rows[i] ?? 0, by }));
      // Who is found is there, whatever else was not looked into; who is not may stand in just that.
      const unlooked = columns.some(isFound) ? undefined : each.find((one) => one.unlooked !== undefined)?.unlooked;
      if (unlooked !== undefined) throw toError('SUBJECT_RULE_CHANGED', { name: unlooked });
      traced.push({ ...place, columns, why: null });
    } catch (error) {
      traced.push({ ...place, columns: null, why: toKnownError(error).code });
    }
  }
  return traced;
}

function toPlaces({ datasets, clones }: Parameters<typeof tracePerson>[3]): readonly Place[] {
  const versions = datasets.flatMap(({ version, runId: run, state, database, planDigest, schema }): readonly Place[] =>
    // Of schemas of a database the marker's is named alone; what was adopted is no version of ours.
    state === 'staging' || version === 0 || schema !== undefined ? [] : [{ version, run, of: state, for: null, database, planDigest }],
  );
  const copies = clones.map(({ version, runId: run, for: purpose, database, planDigest }): Place => {
    return { version, run, of: 'clone', for: purpose, database, planDigest };
  });
  return [...versions, ...copies];
}

async function getQuestion(sink: TraceDoors['sink'], run: string, planDigest: string): Promise<GateInput> {
  const asked = (await sink.read([questionType], run)).map(({ data }) => data['input'] as unknown as GateInput);
  const question = asked.findLast((input) => input['planDigest'] === planDigest);
  if (!question) throw toError('GATE_QUESTION_MISSING', { stage: 'gate', run });
  return question;
}

/** As documents may have it: with quotes or without. */
export const isNamed = (table: TableName, name: string): boolean =>
  [toTableLabel(table), toSqlName(table.schema, table.name)].includes(name);

/** A column whose pseudonyms follow from the value alone: by others nobody is found. */
function findColumn(plan: Plan, { table: label, column: name }: Identifier): { readonly table: TablePlan; readonly column: ColumnPlan } {
  const table = plan.tables.find((one) => isNamed(one, label));
  const column = table?.columns.find((one) => one.name === name);
  if (!table || !column || !isFindable(column.rule)) throw toError('SUBJECT_COLUMN_UNFIT', { name: `${label}.${name}` });
  return { table, column };
}

const isFindable = ({ transform, scope, reversible, paths }: RulePlan): boolean =>
  transform !== 'keep' && scope === 'value' && reversible !== true && paths === undefined;

async function toPseudonym(
  { keys }: TraceDoors,
  plan: Plan,
  table: TablePlan,
  column: ColumnPlan,
  { table: label, value }: Identifier,
): Promise<string> {
  const alone: Plan = { ...plan, tables: [{ ...table, columns: [column], hidden: [] }] };
  const prepared = await prepareMask(alone, keys);
  try {
    const bytes = Buffer.from(`${toField(value)}\n`);
    const masked = createMasker(prepared, 0).mask({ table: 0, range: 0, sequence: 0, bytes });
    return fromField(Buffer.from(masked.bytes).toString('utf8').slice(0, -1));
  } catch (error) {
    if (toKnownError(error).class !== 'DataError') throw error;
    throw toError('SUBJECT_VALUE_UNFIT', { name: `${label}.${column.name}` });
  }
}

interface Wanted {
  readonly wanted: readonly (WantedRows & Pick<TracedColumn, 'by'>)[];
  /** A column that may hold the person and was made by another rule then: by that of today nobody is found in it. */
  readonly unlooked: string | undefined;
}

/** Every column that had the same rule when the version was made, so that equal values are equal pseudonyms there, and may be the person's. */
function toWanted(
  plan: Plan,
  tables: Catalogue['tables'],
  question: GateInput,
  { table: named, column }: { readonly table: TablePlan; readonly column: ColumnPlan },
  text: string,
): Wanted {
  const rule = toRuleKey(column.rule);
  const asked = question['columns'] as unknown as readonly Asked[];
  const then = new Set(asked.filter(({ path }) => path === null).map(toKey));
  const there = new Set(asked.map((one) => `${one.table}\0${one.column}`));
  const related = isNumber(column) ? findRelated(tables, toSqlName(named.schema, named.name, column.name)) : undefined;
  const partitions = findPartitions(plan, tables);
  const all = plan.tables.flatMap((table) => {
    const { schema, name, kind, columns } = table;
    // Rows of partitions are counted with those of the whole.
    if (partitions.has(toTableLabel(table))) return [];
    return columns.map((of) => ({
      rule: of.rule,
      wanted: { table: { schema, name }, column: of.name, texts: [text], whole: kind === 'p' },
    }));
  });
  let unlooked: string | undefined;
  const wanted = all.flatMap(({ rule: of, wanted: one }) => {
    const { table, column: name } = one;
    if (!isFindable(of) || toRuleKey(of) !== rule) return [];
    const by = related ? related(toSqlName(table.schema, table.name, name)) : 'value';
    if (by === undefined) return [];
    const place = `${toTableLabel(table)}\0${name}`;
    if (then.has(`${place}\0${rule}`)) return [{ ...one, by }];
    // One that has come since holds nobody in this version.
    if (there.has(place)) unlooked ??= `${toTableLabel(table)}.${name}`;
    return [];
  });
  return { wanted, unlooked: unlooked ?? (wanted.length === 0 ? `${toTableLabel(named)}.${column.name}` : undefined) };
}

/** Of partitioned tables of the plan. */
function findPartitions(plan: Plan, tables: Catalogue['tables']): ReadonlySet<string> {
  const whole = new Set(plan.tables.filter(({ kind }) => kind === 'p').map(toTableLabel));
  return new Set(tables.filter(({ parents }) => parents.some((parent) => whole.has(toTableLabel(parent)))).map(toTableLabel));
}

/** A key counts rows of its own table: the same one elsewhere is somebody else's. Not so a UUID, and not where a document gave several columns one domain. */
const isNumber = ({ tag, type, rule }: ColumnPlan): boolean => tag === 'pii.key' && rule.domain === tag && type.base !== 'uuid';

/**
 * Whose a column's numbers are: those of the rows that this one refers to, or of rows that refer to these; undefined: those of other rows, because a
 * foreign key says so or its table counts them itself.
 */
function findRelated(tables: Catalogue['tables'], column: string): (other: string) => TracedColumn['by'] | undefined {
  const [up, down] = [new Map<string, string[]>(), new Map<string, string[]>()];
  const others = new Set(
    tables.flatMap(({ schema, name, columns }) =>
      columns
        .filter(({ identity, expression }) => identity !== '' || expression?.startsWith('nextval(') === true)
        .map((one) => toSqlName(schema, name, one.name)),
    ),
  );
  const add = (to: Map<string, string[]>, a: string, b: string): void => void to.set(a, [...(to.get(a) ?? []), b]);
  const refer = (from: string, to: string): void => {
    add(up, from, to);
    add(down, to, from);
  };
  for (const { by, from, to } of toEdges(tables)) {
    refer(from, to);
    // A part is its whole's as the whole is its parts'.
    if (by === 'inherited') refer(to, from);
    else others.add(from).add(to);
  }
  const related = reachableFrom(reachableFrom([column], up), down);
  return (other) => (related.has(other) ? 'foreign-key' : others.has(other) ? undefined : 'unknown');
}

function reachableFrom(starts: Iterable<string>, next: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const seen = new Set(starts);
  // The set grows while it is walked.
  for (const one of seen) for (const other of next.get(one) ?? []) seen.add(other);
  return seen;
}

interface Asked {
  readonly table: string;
  readonly column: string;
  readonly path: string | null;
  readonly transform: string;
  readonly domain: string;
  readonly paramsDigest: string;
  readonly scope: string;
}

const toKey = ({ table, column, transform, domain, paramsDigest, scope }: Asked): string =>
  [table, column, transform, domain, paramsDigest, scope].join('\0');
const toRuleKey = ({ transform, domain, params, scope }: RulePlan): string => [transform, domain, digestJson(params), scope].join('\0');

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const toField = (text: string): string => text.replace(/[\\\n\r\t]/g, (sign) => escapes[sign] as string);
const fromField = (field: string): string =>
  field.replace(/\\(.)/g, (_, sign: string) => ({ n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v' })[sign] ?? sign);
