// What is asked of a staging place about persons, as statements that give counts alone, and how often each value of a column stands there.
import type { TableName } from '../../../pipeline/catalogue.js';
import type { ClassesQuestion, FollowedQuestion, FollowedRows, PrivacyQuestion, Sampling } from '../../../pipeline/privacy.js';
import { quoteName, quoteQualified } from '../quote.js';

/** By what name a table goes where it is asked. */
type There = (table: TableName) => TableName;

export function toPrivacyText(question: PrivacyQuestion, there: There): string {
  return question.kind === 'classes' ? toClasses(question, there) : toFollowed(question, there);
}

/** All sets in one pass, each told by the columns that are not in it. A NULL is a value like others: who sees the copy sees that it is missing. */
function toClasses({ table, sets, below, sample }: ClassesQuestion, there: There): string {
  const all = [...new Set(sets.flat())];
  const toList = (set: readonly string[]): string => `(${set.map(quoteName).join(', ')})`;
  const masks = sets.map((set) => (sets.length === 1 ? 0 : all.reduce((mask, name) => mask * 2 + (set.includes(name) ? 0 : 1), 0)));
  const distinct = sets.filter((_, i) => masks.indexOf(masks[i] as number) === i);
  const told = sets.length === 1 ? '0' : `GROUPING${toList(all)}`;
  const from = `FROM ONLY ${quoteQualified(there(table))}${toSample(sample)}`;
  const groups = `SELECT ${told} AS s, pg_catalog.count(*) AS n ${from} GROUP BY GROUPING SETS (${distinct.map(toList).join(', ')})`;
  const asked = masks.map((mask, i) => `(${i}, ${mask})`).join(', ');
  const sum = (condition: string): string => `COALESCE(pg_catalog.sum(g.n)${condition}, 0)`;
  const figures = `${sum('')}, COALESCE(pg_catalog.min(g.n), 0), ${sum(' FILTER (WHERE g.n = 1)')}, ${sum(` FILTER (WHERE g.n < ${below})`)}`;
  return `SELECT ${figures} FROM (VALUES ${asked}) AS q(i, s) LEFT JOIN (${groups}) AS g USING (s) GROUP BY q.i ORDER BY q.i`;
}

/**
 * Each person with what is kept in its own row, and of every table that leads to it how many rows there are and a sum over their texts that does not
 * depend on their order. Persons who agree in all of it cannot be told apart by what is kept.
 */
function toFollowed({ table, columns, rows, sample }: FollowedQuestion, there: There): string {
  const keys = [...new Set(rows.flatMap(({ via }) => via.at(-1)?.references.columns ?? []))];
  const own = [...new Set([...columns, ...keys])].map(quoteName).join(', ');
  const person = `p AS MATERIALIZED (SELECT ${own} FROM ONLY ${quoteQualified(there(table))}${toSample(sample)})`;
  const sums = rows.map((one, i) => `r${i} AS (${toSums(one, there)})`);
  const joins = rows.map((one, i) => {
    const last = one.via.at(-1)!;
    const on = last.columns.map((_, n) => `r${i}.k${n} = p.${quoteName(last.references.columns[n] ?? '')}`).join(' AND ');
    return ` LEFT JOIN r${i} ON ${on}`;
  });
  const counts = rows.map((_, i) => `COALESCE(r${i}.n, 0) AS n${i}`);
  const hashes = rows.map((_, i) => `COALESCE(r${i}.h, 0) AS h${i}`);
  const kept = columns.length === 0 ? "''" : `ROW(${columns.map((name) => `p.${quoteName(name)}`).join(', ')})::pg_catalog.text`;
  const profiles = `profile AS MATERIALIZED (SELECT ${[`${kept} AS kept`, ...counts, ...hashes].join(', ')} FROM p${joins.join('')})`;
  const alone = (names: readonly string[]): string =>
    `(SELECT pg_catalog.count(*) FROM (SELECT FROM profile GROUP BY ${names.join(', ')} HAVING pg_catalog.count(*) = 1) AS g)`;
  const byCounts = rows.map((_, i) => `n${i}`);
  const all = ['kept', ...byCounts, ...rows.map((_, i) => `h${i}`)];
  return `WITH ${[person, ...sums, profiles].join(', ')} SELECT (SELECT pg_catalog.count(*) FROM profile), ${alone(byCounts)}, ${alone(all)}`;
}

/** Rows of one table by the person they lead to. Of a sample of persons only theirs are summed up. */
function toSums({ table, via, columns }: FollowedRows, there: There): string {
  const steps = via.slice(0, -1);
  const last = via.at(-1)!;
  const joins = steps.map(({ columns: own, references }, i) => {
    const on = own.map((name, n) => `j${i + 1}.${quoteName(references.columns[n] ?? '')} = j${i}.${quoteName(name)}`).join(' AND ');
    return ` JOIN ${quoteQualified(there(references))} AS j${i + 1} ON ${on}`;
  });
  const holder = `j${steps.length}`;
  const key = last.columns.map((name) => `${holder}.${quoteName(name)}`);
  const persons = last.references.columns.map((name) => `p.${quoteName(name)}`).join(', ');
  const text = columns.length === 0 ? "''" : `ROW(${columns.map((name) => `j0.${quoteName(name)}`).join(', ')})::pg_catalog.text`;
  const sum = `pg_catalog.sum(pg_catalog.hashtextextended(${text}, 0))`;
  const named = key.map((name, n) => `${name} AS k${n}`).join(', ');
  return `SELECT ${named}, pg_catalog.count(*) AS n, ${sum} AS h FROM ${quoteQualified(there(table))} AS j0${joins.join('')} WHERE (${key.join(', ')}) IN (SELECT ${persons} FROM p) GROUP BY ${key.join(', ')}`;
}

/**
 * The most frequent values of a column: the MD5 of each as text, its rows, and the variance of these, since pages are picked and not rows: whole pages are
 * in or out, so that it is (1 - share) times the sum of squares of a value's rows by page (Horvitz, Thompson 1952). Where rows are as many, the digest
 * decides, which says nothing of them.
 */
export function toFrequenciesText(table: TableName, column: string, most: number, sample: Sampling | undefined): string {
  const value = `${quoteName(column)}::pg_catalog.text AS v`;
  const from = `FROM ONLY ${quoteQualified(table)}${toSample(sample)} WHERE ${quoteName(column)} IS NOT NULL`;
  const pages = `SELECT ${value}, pg_catalog.count(*) AS n ${from} GROUP BY 1, (ctid::pg_catalog.text::pg_catalog.point)[0]`;
  const left = toPercent(sample) === undefined ? 0 : 1 - (toPercent(sample) as number) / 100;
  const groups =
    left === 0
      ? `SELECT ${value}, pg_catalog.count(*) AS n, 0 AS s ${from} GROUP BY 1`
      : `SELECT p.v, pg_catalog.sum(p.n) AS n, ${left} * pg_catalog.sum(p.n * p.n) AS s FROM (${pages}) AS p GROUP BY 1`;
  return `SELECT pg_catalog.md5(g.v), g.n, g.s FROM (${groups} ORDER BY 2 DESC LIMIT ${most}) AS g ORDER BY 2 DESC, 1`;
}

/** After a table's name. */
export function toSample(sample: Sampling | undefined): string {
  const percent = toPercent(sample);
  return percent === undefined ? '' : ` TABLESAMPLE SYSTEM (${percent}) REPEATABLE (${sample?.seed})`;
}

/** Of the pages; undefined: all. */
const toPercent = (sample: Sampling | undefined): number | undefined =>
  sample === undefined || sample.rows >= sample.of ? undefined : Math.min(100, (100 * sample.rows) / sample.of);
