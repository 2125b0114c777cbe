// What was counted for a check becomes an outcome: pass, fail, or not run, which is no pass. Pure; names and counts only.
import type { Json } from '../../kernel/canonical-json.js';
import { digestJson } from '../../kernel/digest.js';
import { type Finding, toFinding } from '../../kernel/errors.js';
import type { CheckPlan, CheckResult, Counted, EarlierFigure, PrivacyCheck } from '../check.js';

export interface JudgedChecks {
  readonly results: readonly CheckResult[];
  readonly findings: readonly Finding[];
}

/** `earlier`: the figure of the version before, of checks that are compared with it. */
export function judgeChecks(
  checks: readonly CheckPlan[],
  counted: readonly Counted[],
  earlier: (check: CheckPlan) => EarlierFigure | undefined,
): JudgedChecks {
  const results = checks.map((check, i) => judge(check, counted[i] ?? { sqlState: '57014' }, earlier(check)));
  return { results, findings: toCheckFindings(results) };
}

/** What of these results has to be told: a failure, and what could not be made. */
export function toCheckFindings(results: readonly CheckResult[]): readonly Finding[] {
  return results.flatMap(toFindingOf);
}

/** By what a check counts, whatever its name, its limits and its severity are. */
export function toCountDigest(check: CheckPlan): string {
  const { table, columns, where, sql, sensitive } = check as unknown as Readonly<Record<string, unknown>>;
  const of = [check.kind, table ?? null, columns ?? [], where ?? '', sql ?? '', ...(sensitive === undefined ? [] : [sensitive])];
  return digestJson(JSON.parse(JSON.stringify(of)) as Json);
}

/** Whether the check has to be held against the version before. */
export function comparesVersions(check: CheckPlan): boolean {
  return (
    (check.kind === 'rowCount' && check.maxChangePercent !== undefined) ||
    (check.kind === 'nullRate' && check.maxChangePoints !== undefined)
  );
}

function judge(check: CheckPlan, counted: Counted, earlier: EarlierFigure | undefined): CheckResult {
  const { name, kind, severity } = check;
  const { table, columns = [] } = check as { table?: { schema: string; name: string }; columns?: readonly string[] };
  const place = { schema: table?.schema ?? null, table: table?.name ?? null, columns };
  const compared = comparesVersions(check) && earlier ? { earlier } : {};
  const base = { name, kind, severity, ...place, expected: toExpected(check), ...compared, of: toCountDigest(check) };
  if (!('counted' in counted)) return { ...base, outcome: 'not-run', counted: null, rows: null, ...counted };
  const figure = counted.figure === undefined ? {} : { figure: counted.figure };
  const figures = { counted: counted.counted, rows: counted.rows ?? null, ...figure };
  return { ...base, outcome: holds(check, counted.counted, counted.rows ?? 0, earlier) ? 'pass' : 'fail', ...figures };
}

function holds(check: CheckPlan, counted: number, rows: number, earlier: EarlierFigure | undefined): boolean {
  switch (check.kind) {
    case 'freshness':
      return counted > 0;
    case 'rowCount': {
      const { min = 0, max = Infinity, maxChangePercent } = check;
      return counted >= min && counted <= max && !(maxChangePercent !== undefined && isFurther(counted, earlier, maxChangePercent));
    }
    case 'nullRate': {
      const { maxPercent = 100, maxChangePoints } = check;
      const before = earlier && 'version' in earlier ? toPercent(earlier.counted, earlier.rows ?? 0) : undefined;
      const points = before === undefined ? 0 : Math.abs(toPercent(counted, rows) - before);
      return toPercent(counted, rows) <= maxPercent && !(maxChangePoints !== undefined && points > maxChangePoints);
    }
    case 'kAnonymity':
    case 'lDiversity':
    case 'tCloseness':
      return counted === 0 || toPercent(counted, rows) <= (check.maxPercent ?? 0);
    case 'notNull':
    case 'unique':
    case 'acceptedValues':
    case 'range':
    case 'relation':
    case 'sql':
      return counted === 0;
  }
}

/** Without an earlier version there is nothing from which it could have moved; from no rows to some is further than any percentage. */
function isFurther(counted: number, earlier: EarlierFigure | undefined, maxPercent: number): boolean {
  if (!earlier || !('version' in earlier)) return false;
  return Math.abs(counted - earlier.counted) * 100 > earlier.counted * maxPercent;
}

const toPercent = (part: number, of: number): number => (of === 0 ? 0 : (part * 100) / of);

function toExpected(check: CheckPlan): string {
  switch (check.kind) {
    case 'freshness':
      return `1 row or more not older than ${toAge(check.maxAgeSeconds)}`;
    case 'rowCount': {
      const { min, max, maxChangePercent } = check;
      return [
        ...(min === undefined ? [] : [`${min} rows or more`]),
        ...(max === undefined ? [] : [`${max} rows or fewer`]),
        ...(maxChangePercent === undefined ? [] : [`a change of ${maxChangePercent} % at most`]),
      ].join(', ');
    }
    case 'nullRate': {
      const { maxPercent, maxChangePoints } = check;
      return [
        ...(maxPercent === undefined ? [] : [`${maxPercent} % NULL at most`]),
        ...(maxChangePoints === undefined ? [] : [`a change of ${maxChangePoints} points at most`]),
      ].join(', ');
    }
    case 'kAnonymity':
      return `${toMost(check)} in groups of fewer than ${check.min}`;
    case 'lDiversity':
      return `${toMost(check)} in groups with fewer than ${check.min} values`;
    case 'tCloseness':
      return `${toMost(check)} in groups further than ${check.max}`;
    case 'sql':
      return 'a count of 0';
    case 'notNull':
    case 'unique':
    case 'acceptedValues':
    case 'range':
    case 'relation':
      return '0 rows';
  }
}

const toMost = ({ maxPercent = 0 }: PrivacyCheck): string => (maxPercent === 0 ? '0 rows' : `${maxPercent} % of the rows at most`);

function toAge(seconds: number): string {
  const [unit, size] = ([['d', 86_400], ['h', 3600], ['m', 60]] as const).find(([, length]) => seconds % length === 0) ?? ['s', 1]; // prettier-ignore
  return `${seconds / size}${unit}`;
}

/** What was seen, in the words of the check's kind: for a finding and for a line of a terminal. */
export function toSeen({
  kind,
  counted,
  rows,
  figure,
  earlier,
}: Pick<CheckResult, 'kind' | 'counted' | 'rows' | 'figure' | 'earlier'>): string {
  if (counted === null) return 'nothing was counted';
  const letter = { kAnonymity: 'k', lDiversity: 'l', tCloseness: 't' }[kind as PrivacyCheck['kind']] as string | undefined;
  if (letter !== undefined) return `${counted} of ${rows} rows${figure === undefined ? '' : `, ${letter} = ${figure}`}`;
  const words = kind === 'sql' ? `a count of ${counted}` : kind === 'nullRate' ? `${counted} of ${rows} rows NULL` : toRows(counted);
  const more = kind === 'freshness' ? `${words} new enough` : words;
  if (!earlier) return more;
  if ('none' in earlier) return `${more}, ${earlier.none}`;
  return `${more}, ${earlier.counted}${earlier.rows === undefined ? '' : ` of ${earlier.rows}`} in version ${earlier.version}`;
}

const toRows = (rows: number): string => `${rows} ${rows === 1 ? 'row' : 'rows'}`;

function toFindingOf(result: CheckResult): readonly Finding[] {
  const { name, kind, outcome, severity, schema, table, columns, expected, sqlState, why } = result;
  if (outcome === 'pass') return [];
  const place = {
    ...{ stage: 'verify', rule: name, name: kind },
    ...(schema === null || table === null ? {} : { schema, table }),
    ...(columns.length === 1 ? { column: columns[0] } : {}),
  };
  // What could not be asked withholds whatever its severity: nobody knows how bad it is.
  if (outcome === 'not-run') return [toFinding('CHECK_NOT_RUN', { ...place, sqlState, amount: why })];
  return [toFinding('CHECK_FAILED', { ...place, amount: toSeen(result), expected }, severity === 'warn' ? 'warning' : 'error')];
}
