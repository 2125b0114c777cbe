// Where the pseudonyms of a person stand in the versions and clones that are there: by the keys and rules that each was made with. What cannot be said is
// said to be unknown. No identifier and no pseudonym leaves this file but to the server that is asked for it.
import { digestJson } from '../kernel/digest.js';
import { toError, toKnownError } from '../kernel/errors.js';
import { toSqlName } from '../kernel/sql-name.js';
import { type TableName, toTableLabel } from './catalogue.js';
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

export interface TracedVersion {
  readonly version: number;
  readonly run: string;
  readonly of: 'current' | 'previous' | 'clone';
  /** What a clone was made for. */
  readonly for: string | null;
  /** Columns where the person was looked for, with the rows that were found there; null: nobody knows. */
  readonly columns: readonly { readonly table: string; readonly column: string; readonly rows: number }[] | null;
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
  plan: Plan,
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
      const wanted = found.flatMap(({ column }, i) => toWanted(plan, question, column.rule, texts[i] as string));
      const rows = await doors.count(database, wanted);
      const columns = wanted.map(({ table, column }, i) => ({ table: toTableLabel(table), column, rows: rows[i] ?? 0 }));
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

/** Every column that had the same rule when the version was made: equal values are equal pseudonyms there. */
function toWanted(plan: Plan, question: GateInput, rule: RulePlan, text: string): readonly WantedRows[] {
  const then = new Set((question['columns'] as unknown as readonly Asked[]).filter(({ path }) => path === null).map(toKey));
  const wanted = new Map<string, WantedRows>();
  for (const table of plan.tables) {
    const label = toTableLabel(table);
    for (const { name, rule: of } of table.columns) {
      if (!isFindable(of) || toRuleKey(of) !== toRuleKey(rule) || !then.has(`${label}\0${name}\0${toRuleKey(rule)}`)) continue;
      const { loadInto } = table;
      const whole = table.kind === 'p' || toTableLabel(loadInto) !== label;
      wanted.set(`${toTableLabel(loadInto)}\0${name}`, { table: loadInto, column: name, texts: [text], whole });
    }
  }
  return [...wanted.values()];
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
