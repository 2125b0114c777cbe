// Checks as statements that count. What one scan of a table can tell goes into one statement of many aggregates; what has to group or to look
// elsewhere is a statement of its own. No statement gives a value of a row.
import type { TableName } from '../../../pipeline/catalogue.js';
import type { CheckPlan, ComparedAs, Counted, PrivacyCheck, RelationCheck } from '../../../pipeline/check.js';
import { quoteLiteral, quoteName, quoteQualified } from '../quote.js';
import { toGroupsText } from './groups.js';

export interface CountStatement {
  readonly text: string;
  /** The checks that it answers, each from its place in the row on. */
  readonly checks: readonly { readonly check: CheckPlan; readonly from: number }[];
}

export interface CountOptions {
  /** Names under which schemas stand where it is counted. */
  readonly schemas?: ReadonlyMap<string, string> | undefined;
  /** The moment against which freshness is held; in ms since 1970. */
  readonly asOfMs: number;
}

type TableCheck = Exclude<CheckPlan, PrivacyCheck | { kind: 'sql' }>;

const isOfGroups = (check: CheckPlan): check is PrivacyCheck => ['kAnonymity', 'lDiversity', 'tCloseness'].includes(check.kind);

/** All checks: those of one scan together. */
export function toCountStatements(checks: readonly CheckPlan[], options: CountOptions): readonly CountStatement[] {
  const scans = new Map<string, TableCheck[]>();
  const alone: CheckPlan[] = [];
  for (const check of checks) {
    if (check.kind === 'sql' || check.kind === 'unique' || check.kind === 'relation' || isOfGroups(check)) alone.push(check);
    else {
      const key = quoteQualified(check.table);
      scans.set(key, [...(scans.get(key) ?? []), check]);
    }
  }
  // A row has room for about 1,600 columns.
  const groups = [...scans.values()].flatMap((all) => chunk(all, 500));
  return [...groups.map((group) => toScan(group, options)), ...alone.map((check) => toAlone(check, options))];
}

/** One check by itself: for when a statement of several failed, and nobody knows by whose fault. */
export function toCountStatement(check: CheckPlan, options: CountOptions): CountStatement {
  const alone = check.kind === 'sql' || check.kind === 'unique' || check.kind === 'relation' || isOfGroups(check);
  return alone ? toAlone(check, options) : toScan([check], options);
}

/** `row`: as the server printed it. */
export function toCounted(check: CheckPlan, row: readonly (string | null)[], from: number): Counted {
  const number = toCount(row[from]);
  if (number === undefined) return { sqlState: notACount };
  if (check.kind !== 'nullRate' && !isOfGroups(check)) return { counted: number };
  const rows = toCount(row[from + 1]);
  if (rows === undefined) return { sqlState: notACount };
  const figure = isOfGroups(check) && rows > 0 ? Number(row[from + 2] ?? NaN) : undefined;
  return { counted: number, rows, ...(figure === undefined ? {} : { figure }) };
}

/** `22000` data_exception: what came is no count. */
const notACount = '22000';

function toCount(printed: string | null | undefined): number | undefined {
  const number = Number(printed ?? NaN);
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function toScan(checks: readonly TableCheck[], options: CountOptions): CountStatement {
  const [first] = checks as readonly [TableCheck];
  const columns: string[] = [];
  const placed = checks.map((check) => {
    const from = columns.length;
    columns.push(...toAggregates(check, options));
    return { check, from };
  });
  return { text: `SELECT ${columns.join(',\n')}\nFROM ${toThere(first.table, options)}`, checks: placed };
}

function toAggregates(check: TableCheck, options: CountOptions): readonly string[] {
  const violation = toViolation(check, options);
  const count = (condition?: string): string => {
    const all = [...(check.where === undefined ? [] : [toGroup(check.where)]), ...(condition === undefined ? [] : [condition])];
    return `pg_catalog.count(*)${all.length === 0 ? '' : ` FILTER (WHERE ${all.join(' AND ')})`}`;
  };
  return check.kind === 'nullRate' ? [count(violation), count()] : [count(violation)];
}

/** What is counted of the rows that the check means; absent: all. */
export function toViolation(check: TableCheck, { asOfMs }: Pick<CountOptions, 'asOfMs'>): string | undefined {
  switch (check.kind) {
    case 'notNull':
    case 'nullRate':
      // Of a composite, NULL itself and not one whose members are.
      return `(${check.columns.map((name) => `${quoteName(name)} IS NOT DISTINCT FROM NULL`).join(' OR ')})`;
    case 'acceptedValues': {
      const values = check.values.map((value) => toFolded(`${quoteLiteral(value)}::pg_catalog.text`, check.as));
      const all = `ARRAY[${values.join(', ')}]${isText(check.as) ? '' : `::${toTypeName(check.as)}[]`}`;
      return `${toCompared(toName(check), check.as)} <> ALL (${all})`;
    }
    case 'range': {
      const name = toName(check);
      const ends = [
        ...(check.min === undefined ? [] : [`${name} < ${toLiteral(check.min, check.as)}`]),
        ...(check.max === undefined ? [] : [`${name} > ${toLiteral(check.max, check.as)}`]),
      ];
      return `(${ends.join(' OR ')})`;
    }
    case 'freshness': {
      const edge = new Date(asOfMs - check.maxAgeSeconds * 1000).toISOString();
      return `${toName(check)}::pg_catalog.timestamptz >= ${toLiteral(edge, 'timestamptz')}`;
    }
    case 'rowCount':
    case 'unique':
    case 'relation':
      return undefined;
  }
}

function toAlone(check: CheckPlan, options: CountOptions): CountStatement {
  return { text: toText(check, options), checks: [{ check, from: 0 }] };
}

function toText(check: CheckPlan, options: CountOptions): string {
  // No more of it than a count can be leaves: what is larger is said to be that large.
  if (check.kind === 'sql')
    return `SELECT CASE WHEN s.n > ${mostOfSql} THEN ${mostOfSql} ELSE s.n END FROM (SELECT (\n${check.sql}\n)::pg_catalog.numeric AS n) AS s`;
  if (isOfGroups(check)) return toGroupsText(check, toMeant(check, options));
  if (check.kind === 'relation') return `SELECT pg_catalog.count(*) FROM ${toOrphans(check, options)}`;
  if (check.kind !== 'unique') return toScan([check], options).text;
  return `SELECT COALESCE(pg_catalog.sum(d.n - 1), 0) FROM (${toDuplicates(check, options)}) AS d`;
}

/** The rows that are meant, after FROM. */
const toMeant = ({ table, where }: PrivacyCheck, options: CountOptions): string =>
  `${toThere(table, options)}${where === undefined ? '' : ` WHERE ${toGroup(where)}`}`;

/** The largest count that a check of kind sql gives: a number of a person has more digits. */
export const mostOfSql = 1_000_000;

/** Groups of rows that are alike in the columns, with how many they are. A row with a NULL among them is like no other. */
export function toDuplicates(check: Extract<CheckPlan, { kind: 'unique' }>, options: CountOptions): string {
  const names = check.columns.map(quoteName);
  const conditions = [
    ...names.map((name) => `${name} IS DISTINCT FROM NULL`),
    ...(check.where === undefined ? [] : [toGroup(check.where)]),
  ];
  const list = names.join(', ');
  return `SELECT ${list}, pg_catalog.count(*) AS n FROM ${toThere(check.table, options)} WHERE ${conditions.join(' AND ')} GROUP BY ${list} HAVING pg_catalog.count(*) > 1`;
}

/** Rows of the table whose columns are all there and lead nowhere, as a FROM item `c` with its WHERE. The condition sees its own table alone. */
export function toOrphans(check: RelationCheck, options: CountOptions, more: readonly string[] = []): string {
  const { columns, as, to, table, where } = check;
  const names = [...new Set([...columns, ...more])].map(quoteName);
  const meant = where === undefined ? '' : ` WHERE ${toGroup(where)}`;
  const present = columns.map((name) => `c.${quoteName(name)} IS NOT NULL`);
  const pairs = columns.map((name, i) => {
    const kind = as[i] ?? 'same';
    return `${toCompared(`p.${quoteName(to.columns[i] ?? '')}`, kind)} = ${toCompared(`c.${quoteName(name)}`, kind)}`;
  });
  return `(SELECT ${names.join(', ')} FROM ${toThere(table, options)}${meant}) AS c WHERE ${present.join(' AND ')} AND NOT EXISTS (SELECT FROM ${toThere(to.table, options)} AS p WHERE ${pairs.join(' AND ')})`;
}

/** A line of its own ends a comment in it. */
export const toGroup = (condition: string): string => `(${condition}\n)`;

export function toThere({ schema, name }: TableName, { schemas }: Pick<CountOptions, 'schemas'>): string {
  return quoteQualified({ schema: schemas?.get(schema) ?? schema, name });
}

const toName = ({ columns: [name = ''] }: { readonly columns: readonly string[] }): string => quoteName(name);

const isText = (as: ComparedAs): boolean => as === 'text' || as === 'fold';

const toTypeName = (as: ComparedAs): string => `pg_catalog.${as === 'fold' ? 'text' : as}`;

const toLiteral = (text: string, as: ComparedAs): string => `${quoteLiteral(text)}::${toTypeName(as)}`;

const toFolded = (sql: string, as: ComparedAs): string => (as === 'fold' ? `pg_catalog.lower(${sql})` : sql);

/** Numbers and times are compared as what they are. */
function toCompared(sql: string, as: ComparedAs): string {
  return as === 'same' ? sql : toFolded(`${sql}::${toTypeName(as)}`, as);
}

function chunk<T>(all: readonly T[], most: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, i) => all.slice(i * most, (i + 1) * most));
}
