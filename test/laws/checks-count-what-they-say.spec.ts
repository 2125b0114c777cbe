// Checks on a real server against a plain reference over random rows, whatever tables, columns and values are called; and the text of an author
// stays the part of a statement that it was given for.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';

import type { CheckPlan, Counted } from '../../src/pipeline/check.js';
import { readSqlText } from '../../src/pipeline/sql-text.js';
import { CheckCounter } from '../../src/systems/postgres/checks/checks.js';
import { type TestServer, startTestServer } from '../support/server.js';

const table = { schema: 'a "schema"; DROP', name: "it's; -- a \\ table" };
const columns = { number: 'n"um', real: "re'al", text: 'text ; drop table x', day: 'select', group: 'GROUP' } as const;
const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const there = `${quote(table.schema)}.${quote(table.name)}`;

let server: TestServer;
let client: pg.Client;
let counter: CheckCounter;
const asOfMs = Date.parse('2026-06-15T12:00:00Z');
beforeAll(async () => {
  server = await startTestServer();
  await server.create('checked');
  client = new pg.Client({ connectionString: server.url('checked') });
  await client.connect();
  const { number, real, text, day, group } = columns;
  await client.query(`CREATE SCHEMA ${quote(table.schema)}; CREATE TABLE ${there} (${quote(number)} numeric, ${quote(real)} float8, ${quote(text)} text,
    ${quote(day)} date, ${quote(group)} int); CREATE TABLE ${quote(table.schema)}.other (k int)`);
  counter = new CheckCounter({ name: 'env:CHECKED', url: server.url('checked') }, { asOfMs, timeoutMs: 20_000 });
}, 60_000);
afterAll(async () => {
  await counter.close();
  await client.end();
  await server.stop();
});

interface Row {
  readonly number: number | null;
  readonly real: number | null;
  readonly text: string | null;
  readonly day: string | null;
  readonly group: number | null;
}

const word = fc.oneof(fc.string({ maxLength: 6, unit: 'grapheme' }), fc.constantFrom("o'clock", 'back\\slash', '{a,b}', '"', '$$', '--', 'NULL', ''))
  .map((text) => text.replaceAll('\0', '').toWellFormed()); // prettier-ignore
const cents = fc.integer({ min: -500, max: 500 }).map((number) => number / 4);
const day = fc
  .integer({ min: 0, max: 60 })
  .map((days) => new Date(Date.parse('2026-05-01') + days * 86_400_000).toISOString().slice(0, 10));
const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { freq: 6 });
const row: fc.Arbitrary<Row> = fc.record({
  number: orNull(cents),
  real: orNull(fc.oneof(cents, fc.constantFrom(NaN, Infinity, -Infinity))),
  text: orNull(word),
  day: orNull(day),
  group: orNull(fc.integer({ min: 0, max: 5 })),
});
const ends = fc.tuple(cents, cents).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

async function fill(rows: readonly Row[]): Promise<void> {
  const column = (name: keyof Row): unknown[] => rows.map((one) => (one[name] === null ? null : String(one[name])));
  await client.query(`TRUNCATE ${there}, ${quote(table.schema)}.other`);
  await client.query(
    `INSERT INTO ${there} SELECT * FROM unnest($1::numeric[], $2::float8[], $3::text[], $4::date[], $5::int[])`,
    (['number', 'real', 'text', 'day', 'group'] as const).map(column),
  );
}

const base = (kind: string, column: keyof Row): { name: string; severity: 'withhold'; table: typeof table; columns: string[] } => ({
  ...{ name: `${kind}-${column}`, severity: 'withhold', table, columns: [columns[column]] },
});
const countOf = (counted: Counted | undefined): unknown => (counted && 'counted' in counted ? counted.counted : counted);

it('counts ranges, accepted values, NULL, freshness, duplicates and orphans as the reference does, with and without a condition', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 40 }),
      ends,
      fc.array(word, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 0, max: 5 }),
      async (rows, [min, max], values, least) => {
        await fill(rows);
        await client.query(`INSERT INTO ${quote(table.schema)}.other SELECT * FROM generate_series(0, 2)`);
        const where = `${quote(columns.group)} >= ${least} -- of these`;
        const meant = rows.filter(({ group }) => group !== null && group >= least);
        // Postgres has NaN above everything.
        const outside = (value: number | null): boolean => value !== null && (Number.isNaN(value) || value < min || value > max);
        const since = '2026-06-10';
        const checks: CheckPlan[] = [
        { ...base('range', 'number'), kind: 'range', as: 'numeric', min: String(min), max: String(max) },
        { ...base('range', 'real'), kind: 'range', as: 'float8', min: String(min), max: String(max), where },
        { ...base('range', 'day'), kind: 'range', as: 'date', min: since },
        { ...base('accepted', 'text'), kind: 'acceptedValues', as: 'text', values },
        { ...base('accepted', 'number'), kind: 'acceptedValues', as: 'numeric', values: [String(min), `${max}.000`.replace(/\.(\d+)\.000/, '.$1000')], where },
        { ...base('null', 'text'), kind: 'notNull', columns: [columns.text, columns.day] },
        { ...base('rate', 'real'), kind: 'nullRate', maxPercent: 1, where },
        { ...base('fresh', 'day'), kind: 'freshness', maxAgeSeconds: 86_400 * 5 + 43_200 },
        { ...base('unique', 'text'), kind: 'unique', columns: [columns.text, columns.group] },
        { ...base('relation', 'group'), kind: 'relation', as: ['same'], to: { table: { schema: table.schema, name: 'other' }, columns: ['k'] }, where },
        { name: 'rows', severity: 'withhold', kind: 'rowCount', table, parts: [table], where },
      ]; // prettier-ignore
        const counted = await counter.count(checks);
        const pairs = rows
          .filter(({ text, group }) => text !== null && group !== null)
          .map(({ text, group }) => JSON.stringify([text, group]));
        expect(counted.map(countOf)).toEqual([
          rows.filter(({ number }) => outside(number)).length,
          meant.filter(({ real }) => outside(real)).length,
          rows.filter((one) => one.day !== null && one.day < since).length,
          rows.filter(({ text }) => text !== null && !values.includes(text)).length,
          meant.filter(({ number }) => number !== null && number !== min && number !== max).length,
          rows.filter((one) => one.text === null || one.day === null).length,
          meant.filter(({ real }) => real === null).length,
          rows.filter((one) => one.day !== null && one.day >= since).length,
          pairs.length - new Set(pairs).size,
          meant.filter(({ group }) => (group ?? 0) > 2).length,
          meant.length,
        ]);
        expect(counted[6]).toMatchObject({ rows: meant.length });
      },
    ),
    { numRuns: 60 },
  );
}, 120_000);

it('takes a text for one expression only where the server does', async () => {
  const piece = fc.constantFrom(
    ...[
      '(',
      ')',
      "'",
      '"',
      '--',
      '\n',
      '/*',
      '*/',
      ';',
      '$$',
      '$a$',
      "E'",
      '\\',
      'true',
      ' ',
      'e',
      'a',
      '1',
      'OR',
      "''",
      'date',
      ',',
      '[',
      ']',
      "\\'",
    ],
  );
  let [kept, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 12 }).map((parts) => parts.join('')), async (text) => {
      const { problem } = readSqlText(text);
      if (problem !== undefined) return void refused++;
      kept++;
      // Between our own parentheses: what ended them would make the two of them one, or leave something open.
      const probe = `SELECT 1 AS a WHERE EXISTS (SELECT FROM (SELECT 1 AS x, (${text}\n) AS y) AS s) AND 2 = 3`;
      const answer = await client.query({ text: probe, queryMode: 'extended' } as pg.QueryConfig).then(({ rows }) => rows.length, () => 0);
      expect(answer).toBe(0);
    }),
    { numRuns: 3000 },
  ); // prettier-ignore
  expect([kept > 100, refused > 100]).toEqual([true, true]);
}, 60_000);

it.each([
  ["name = 'O''Brien; --'", undefined],
  ["note <> E'it\\'s; (' AND (a[1] > 0)", undefined],
  ['"odd ) name" = 1 /* ( /* nested */ ) */', undefined],
  ["body = $x$ ) ; ' $x$", undefined],
  ["day > date'2020-01-01\\'", undefined],
  ['true) OR (true', 'parentheses that do not balance'],
  ['a = 1; DROP TABLE x', 'a semicolon'],
  ["a = 'open", 'a quote or a comment that does not end'],
  ['/* open /* inner */', 'a quote or a comment that does not end'],
  ["E'\\' = 1", 'a quote or a comment that does not end'],
  ['$tag$ open $TAG$', 'a quote or a comment that does not end'],
  ['((a)', 'parentheses that do not balance'],
  ['  ', 'nothing'],
  ['a\0b', 'a NUL'],
])('reads %j as the server would', (text, problem) => {
  expect(readSqlText(text).problem).toBe(problem);
});

it('takes schemas under other names, and says a million of what is more', async () => {
  await server.sql('checked', 'CREATE SCHEMA staged; CREATE TABLE staged.t (id int); INSERT INTO staged.t VALUES (1), (1), (NULL)');
  const renamed = new CheckCounter(
    { name: 'env:CHECKED', url: server.url('checked') },
    { asOfMs, timeoutMs: 20_000, schemas: new Map([['shop', 'staged']]) },
  );
  const t = { schema: 'shop', name: 't' };
  const named = { severity: 'warn', table: t, columns: ['id'] } as const;
  const counted = await renamed.count([
    { name: 'a', ...named, kind: 'unique' },
    { name: 'b', ...named, kind: 'notNull' },
    { name: 'c', ...named, kind: 'relation', as: ['same'], to: { table: t, columns: ['id'] } },
    { name: 'd', severity: 'warn', kind: 'sql', sql: 'SELECT 4111111111111111' },
    { name: 'e', severity: 'warn', kind: 'sql', sql: 'SELECT 1.5' },
    { name: 'f', severity: 'warn', kind: 'sql', sql: 'SELECT -1' },
  ]);
  await renamed.close();
  expect(counted).toEqual([
    ...[{ counted: 1 }, { counted: 1 }, { counted: 0 }, { counted: 1_000_000 }],
    ...[{ sqlState: '22000' }, { sqlState: '22000' }],
  ]);
});

const groupsOf = (rows: readonly Row[], columns: readonly (keyof Row)[]): readonly (readonly Row[])[] => {
  const groups = new Map<string, Row[]>();
  for (const one of rows) {
    const key = JSON.stringify(columns.map((name) => one[name]));
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
};

/** The definitions, word by word: shares of values in the group and in all rows, in the order of the values. */
function distanceOf(group: readonly Row[], all: readonly Row[], column: 'group' | 'text', ordered: boolean): number {
  const values = [...new Set(all.map((one) => one[column]))].sort((a, b) => (a === null ? 1 : b === null ? -1 : Number(a) - Number(b)));
  const share = (rows: readonly Row[], value: unknown): number => rows.filter((one) => one[column] === value).length / rows.length;
  const differences = values.map((value) => share(group, value) - share(all, value));
  if (!ordered) return differences.reduce((sum, one) => sum + Math.abs(one), 0) / 2;
  let [sum, moved] = [0, 0];
  for (const one of differences) moved += Math.abs((sum += one));
  return moved / Math.max(values.length - 1, 1);
}

it('measures k-anonymity, l-diversity and t-closeness as their definitions say', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        row.map((one) => ({ ...one, text: one.text === null ? null : ([...one.text][0] ?? '') })),
        { maxLength: 40 },
      ),
      fc.integer({ min: 2, max: 4 }),
      fc.constantFrom(0, 0.2, 0.5),
      async (rows, min, max) => {
        await fill(rows);
        const of = { severity: 'withhold', table, columns: [columns.day] } as const;
        const checks: CheckPlan[] = [
          { ...of, name: 'k', kind: 'kAnonymity', columns: [columns.day, columns.group], min },
          { ...of, name: 'l', kind: 'lDiversity', sensitive: columns.text, min },
          { ...of, name: 't', kind: 'tCloseness', sensitive: columns.group, ordered: true, max },
          { ...of, name: 'u', kind: 'tCloseness', sensitive: columns.text, ordered: false, max },
        ];
        const counted = await counter.count(checks);
        const byDay = groupsOf(rows, ['day']);
        const valuesOf = (group: readonly Row[]): number => new Set(group.flatMap(({ text }) => text ?? [])).size;
        const figures: [readonly (readonly Row[])[], (group: readonly Row[]) => number, (figure: number) => boolean, 'min' | 'max'][] = [
          [groupsOf(rows, ['day', 'group']), (group) => group.length, (figure) => figure < min, 'min'],
          [byDay, valuesOf, (figure) => figure < min, 'min'],
          [byDay, (group) => distanceOf(group, rows, 'group', true), (figure) => figure > max + 1e-12, 'max'],
          [byDay, (group) => distanceOf(group, rows, 'text', false), (figure) => figure > max + 1e-12, 'max'],
        ];
        for (const [i, [groups, measure, breaks, worst]] of figures.entries()) {
          const one = counted[i] as { counted: number; rows: number; figure?: number };
          const broken = groups.filter((group) => breaks(measure(group)));
          expect([i, one.counted, one.rows]).toEqual([i, broken.flat().length, rows.length]);
          if (rows.length === 0) expect(one.figure).toBeUndefined();
          // Rounded up to four digits.
          else expect(Math.abs((one.figure ?? NaN) - Math[worst](...groups.map(measure)))).toBeLessThan(0.0001001);
        }
      },
    ),
    { numRuns: 60 },
  );
}, 120_000);
