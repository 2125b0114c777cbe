import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { HiddenColumn, TablePlan } from '../../../pipeline/plan.js';
import { toSelect } from './copy-statement.js';
import { toRanges } from './ranges.js';

const type = { display: 'text', kind: 'base', base: 'text', deterministicCollation: true } as const;
const column = { attnum: 1, type, notNull: false, tag: 'none', unique: false, from: 'document' };
const rule = {
  transform: 'keep',
  params: {},
  scope: 'value',
  domain: 'none',
  canonical: 'text',
  reveals: [],
  uniqueness: 'preserved',
} as const;

function toTable(change: Partial<TablePlan> = {}): TablePlan {
  const columns = ['id', 'The "name"'].map((name) => ({ ...column, name, rule }));
  const name = { schema: 'Sales', name: 'or.der' };
  return { ...name, oid: 1, kind: 'r', rows: 'all', columns, hidden: [], loadInto: name, ...change };
}

const findHop = (): { partitioned: boolean; operators: readonly string[] } => ({
  partitioned: false,
  operators: ['"ext".=', '"pg_catalog".='],
});

it('names, qualifies and quotes every column, and reads one table without its children', () => {
  expect(toSelect(toTable(), { findHop })).toBe('SELECT "Sales"."or.der"."id", "Sales"."or.der"."The ""name""" FROM ONLY "Sales"."or.der"');
});

it('bounds a range of pages, and leaves the last one open', () => {
  const all = '"Sales"."or.der".ctid';
  expect(toSelect(toTable(), { findHop, pages: [8, 16] })).toContain(
    ` WHERE ${all} >= '(8,0)'::pg_catalog.tid AND ${all} < '(16,0)'::pg_catalog.tid`,
  );
  expect(toSelect(toTable(), { findHop, pages: [8, null] })).toMatch(/ctid >= '\(8,0\)'::pg_catalog\.tid$/);
});

it('joins a chain of foreign keys once for all columns of the person at its end', () => {
  const first = { columns: ['a', 'b'], references: { schema: 's', name: 'mid', columns: ['x', 'y'] } };
  const second = { columns: ['p'], references: { schema: 's', name: 'person', columns: ['id'] } };
  const hidden = (name: string): HiddenColumn => ({ purpose: 'subject', column: name, type, via: [first, second] });
  const text = toSelect(toTable({ columns: [], hidden: [hidden('id'), hidden('part')] }), { findHop });
  expect(text).toBe(
    'SELECT bauta_2."id", bauta_2."part" FROM ONLY "Sales"."or.der"' +
      ' LEFT JOIN ONLY "s"."mid" AS bauta_1 ON bauta_1."x" OPERATOR("ext".=) "Sales"."or.der"."a" AND bauta_1."y" OPERATOR("pg_catalog".=) "Sales"."or.der"."b"' +
      ' LEFT JOIN ONLY "s"."person" AS bauta_2 ON bauta_2."id" OPERATOR("ext".=) bauta_1."p"',
  );
});

it('cuts pages into ranges without gap or overlap, none of them larger than asked', () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.integer({ min: 1, max: 100_000_000 }), (pages, rangeBytes) => {
      const ranges = toRanges([toTable()], [{ bytes: pages * 8192, pages, pageBytes: 8192 }], {
        rangeBytes: Math.max(rangeBytes, pages * 100),
        wholeBytes: Infinity,
        connections: 2,
      });
      ranges.forEach(({ range }, i) => expect(range).toBe(i));
      if (ranges.length === 1) return expect(ranges).toEqual([{ table: 0, range: 0 }]);
      expect(ranges[0]?.pages?.[0]).toBe(0);
      expect(ranges.at(-1)?.pages?.[1]).toBeNull();
      for (const [i, { pages: at }] of ranges.entries()) {
        expect(at?.[0]).toBe(ranges[i - 1]?.pages?.[1] ?? 0);
        expect((at?.[1] ?? pages) - (at?.[0] ?? 0)).toBeGreaterThan(0);
      }
    }),
  );
});

it('gives a partitioned parent and a table without rows no range, and the larger table the first', () => {
  const tables = [toTable(), toTable({ kind: 'p' }), toTable({ rows: 'none' }), toTable()];
  const sizes = [10, 40, 30, 20].map((pages) => ({ bytes: pages * 8192, pages, pageBytes: 8192 }));
  expect(toRanges(tables, sizes, { rangeBytes: 1 << 20, wholeBytes: Infinity, connections: 2 }).map(({ table }) => table)).toEqual([3, 0]);
});

it('cuts a table only where other readers would be idle while it is read, and never one whose order counts', () => {
  const size = (pages: number): { bytes: number; pages: number; pageBytes: number } => ({ bytes: pages * 8192, pages, pageBytes: 8192 });
  const count = (tables: readonly TablePlan[], pages: readonly number[], connections: number, wholePages = Infinity): number[] => {
    const cutting = { rangeBytes: 8 * 8192, wholeBytes: wholePages * 8192, connections };
    const ranges = toRanges(tables, pages.map(size), cutting);
    return tables.map((_, index) => ranges.filter(({ table }) => table === index).length);
  };
  expect(count([toTable(), toTable()], [110, 90], 2)).toEqual([1, 1]);
  expect(count([toTable(), toTable()], [150, 50], 2)).toEqual([19, 1]);
  expect(count([toTable(), toTable()], [110, 90], 4)).toEqual([14, 12]);
  expect(count([toTable(), toTable()], [150, 50], 1)).toEqual([1, 1]);
  expect(count([toTable({ inOrder: true }), toTable()], [150, 50], 2)).toEqual([1, 1]);
  // So large that to read all of it again would be worse.
  expect(count([toTable(), toTable()], [110, 90], 2, 100)).toEqual([14, 1]);
  expect(count([toTable({ inOrder: true }), toTable()], [150, 50], 1, 100)).toEqual([1, 1]);
});
