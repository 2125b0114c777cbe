// k-anonymity, l-diversity and t-closeness as statements: rows in groups that break the limit, all rows, and the figure of the worst group. What a group's
// values are stays at the server. A NULL among the columns is a value like others: who sees the copy sees that it is missing.
import type { PrivacyCheck, TClosenessCheck } from '../../../pipeline/check.js';
import { quoteName } from '../quote.js';

/** `from`: the rows that are meant, as they stand after FROM. */
export function toGroupsText(check: PrivacyCheck, from: string): string {
  const list = check.columns.map(quoteName).join(', ');
  switch (check.kind) {
    case 'kAnonymity':
      return `${toWorst(`g.n < ${check.min}`, 'min(g.n)')} FROM (SELECT pg_catalog.count(*) AS n FROM ${from} GROUP BY ${list}) AS g`;
    case 'lDiversity': {
      // A value that is missing is none, and a group of nothing else has none at all.
      const values = `pg_catalog.count(DISTINCT ${quoteName(check.sensitive)})`;
      return `${toWorst(`g.v < ${check.min}`, 'min(g.v)')} FROM (SELECT pg_catalog.count(*) AS n, ${values} AS v FROM ${from} GROUP BY ${list}) AS g`;
    }
    case 'tCloseness':
      return `WITH ${toDistances(check, from, list)} ${toWorst(`g.t > ${check.max}`, 'max(g.t)')} FROM distances AS g`;
  }
}

/** Four digits of a distance, rounded up: it is never told smaller than it is. */
const toWorst = (breaks: string, figure: string): string =>
  `SELECT COALESCE(pg_catalog.sum(g.n) FILTER (WHERE ${breaks}), 0), COALESCE(pg_catalog.sum(g.n), 0), pg_catalog.ceil(pg_catalog.${figure} * 10000) / 10000`;

/** `distances`: for each group its rows `n` and its distance `t`, from 0 to 1. Whole numbers up to the one division: at the limit is within it. */
function toDistances(check: TClosenessCheck, from: string, list: string): string {
  const rows = `rows_of AS MATERIALIZED (SELECT pg_catalog.dense_rank() OVER (ORDER BY ${list}) AS g, ${quoteName(check.sensitive)} AS s FROM ${from})`;
  const counts = [
    'sizes AS (SELECT g, pg_catalog.count(*)::pg_catalog.numeric AS n FROM rows_of GROUP BY g)',
    'whole AS (SELECT s, pg_catalog.count(*)::pg_catalog.numeric AS w, pg_catalog.sum(pg_catalog.count(*)) OVER () AS total FROM rows_of GROUP BY s)',
    'inside AS (SELECT g, s, pg_catalog.count(*)::pg_catalog.numeric AS c FROM rows_of GROUP BY g, s)',
  ];
  return [rows, ...counts, check.ordered ? ordered : unordered].join(', ');
}

/** Each value is as far from each other: half the sum of the differences, which is the sum of those above. Only a group's own values can be above. */
const unordered = `distances AS (
  SELECT z.g, z.n, pg_catalog.sum(GREATEST(i.c * w.total - w.w * z.n, 0)) / (z.n * pg_catalog.max(w.total)) AS t
  FROM inside AS i JOIN sizes AS z USING (g) JOIN whole AS w ON w.s IS NOT DISTINCT FROM i.s GROUP BY z.g, z.n)`;

/** Values stand in a row, and what is moved is moved from place to place: the sum of the differences up to each place, over one less than the places. */
const ordered = `places AS (
    SELECT s, w, total, pg_catalog.row_number() OVER (ORDER BY s) AS place, pg_catalog.count(*) OVER () AS m FROM whole),
  moved AS (
    SELECT z.g, z.n, p.m, p.total, pg_catalog.sum(COALESCE(i.c, 0) * p.total - p.w * z.n) OVER (PARTITION BY z.g ORDER BY p.place) AS d
    FROM sizes AS z CROSS JOIN places AS p LEFT JOIN inside AS i ON i.g = z.g AND i.s IS NOT DISTINCT FROM p.s),
  distances AS (SELECT g, n, pg_catalog.sum(pg_catalog.abs(d)) / (GREATEST(m - 1, 1) * n * total) AS t FROM moved GROUP BY g, n, m, total)`;
