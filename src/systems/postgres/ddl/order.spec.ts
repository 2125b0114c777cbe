import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import { Graph, toEarly, toPhases, withoutDropped } from './order.js';
import { type Step, ranks } from './step.js';

/** Steps that need only earlier ones, so that there is no cycle. */
const steps = fc
  .array(
    fc.record({
      rank: fc.constantFrom(...ranks),
      needs: fc.array(fc.nat(40), { maxLength: 3 }),
      locks: fc.array(fc.nat(5), { maxLength: 2 }),
      required: fc.boolean(),
    }),
    { maxLength: 40 },
  )
  .map((rows) =>
    rows.map((row, index): Step => ({
      label: `s${index}`,
      rank: row.rank,
      sql: [`make s${index}`],
      needs: row.needs.filter((need) => need < index).map((need) => `s${need}`),
      locks: row.locks.map((lock) => `table ${lock}`),
      required: row.required && row.rank === 'early',
    })),
  );

it('every step is done once, after what it needs, and never beside one that locks the same thing', () => {
  fc.assert(
    fc.property(steps, (given) => {
      const graph = new Graph(given);
      expect(graph.findCycle()).toBeUndefined();
      const early = toEarly(graph);
      const phases = [...early.map((label) => [label]), ...toPhases(graph, new Set(early)).map((phase) => phase.map((s) => s.object))];
      const when = new Map(phases.flatMap((phase, index) => phase.map((label): [string, number] => [label, index])));
      expect(phases.flat()).toHaveLength(given.length);
      expect(when.size).toBe(given.length);
      for (const step of given) {
        for (const need of step.needs) expect(when.get(need)).toBeLessThan(when.get(step.label) ?? -1);
        if (step.required) expect(early).toContain(step.label);
      }
      for (const phase of phases) {
        const locks = phase.flatMap((label) => [...new Set(graph.get(label)?.locks ?? [])]);
        if (phase.length > 1) expect(new Set(locks).size).toBe(locks.length);
      }
    }),
  );
});

it('a cycle is found and named', () => {
  const step = (label: string, needs: string[]): Step => ({ label, rank: 'early', sql: ['x'], needs });
  expect(new Graph([step('a', ['b']), step('b', ['c']), step('c', ['b'])]).findCycle()?.sort()).toEqual(['b', 'c']);
});

it('what is dropped takes its pieces along, and whoever still needs it is named', () => {
  const made: Step[] = [
    { label: 'function s.f(integer)', rank: 'early', sql: ['f'], needs: [] },
    {
      label: 'comment on function s.f(integer)',
      rank: 'comments',
      sql: ['c'],
      needs: ['function s.f(integer)'],
      pieceOf: 'function s.f(integer)',
    },
    { label: 'view s.v', rank: 'early', sql: ['v'], needs: ['function s.f(integer)'] },
  ];
  const { steps: left, findings } = withoutDropped(made, ['function s.f']);
  expect(left.map((step) => step.label)).toEqual(['view s.v']);
  expect(findings.map((finding) => finding.code)).toEqual(['SCHEMA_NEEDS_DROPPED']);
});

it('says which statements need the rows of one table only: the first of keys and indexes, but not what comes later', () => {
  const step = (label: string, more: Partial<Step>): Step => ({
    label,
    rank: 'keys',
    sql: [label],
    needs: [],
    pieceOf: 't',
    ownRows: true,
    ...more,
  });
  const curious: Step = { label: 'curious', rank: 'keys', sql: ['curious'], needs: [], pieceOf: 't' };
  const graph = new Graph([step('key', {}), curious, step('check', { rank: 'checks and references' }), step('two', { sql: ['a', 'b'] })]);
  const phases = toPhases(graph, new Set());
  expect(phases.flat().filter(({ rowsOf }) => rowsOf !== undefined)).toEqual([
    { sql: 'key', object: 'key', rowsOf: 't' },
    { sql: 'a', object: 'two', rowsOf: 't' },
  ]);
});
