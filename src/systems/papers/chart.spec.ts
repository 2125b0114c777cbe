import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { Chart } from '../../pipeline/report/report.js';
import { layOutChart } from './chart.js';
import { CHART_WIDTH, type DrawingMark } from './drawing.js';
import { toScale } from './scale.js';

const chart = (shape: Chart['shape'], labels: readonly string[], ...values: (number | null)[][]): Chart => ({ kind: 'chart', shape, title: 'T', unit: 'runs', labels, series: values.map((one, i) => ({ name: `s${i}`, values: one })) }); // prettier-ignore
const bars = (of: Chart): Extract<DrawingMark, { kind: 'rect' }>[] => layOutChart(of).marks.filter((mark) => mark.kind === 'rect');

it('draws nothing known as a gap over the whole height, and zero as no bar at all', () => {
  const [gap] = bars(chart('bars', ['a', 'b', 'c'], [4, null, 0])).filter(({ ink }) => ink === 'gap');
  expect(gap?.height).toBe(190);
  expect(bars(chart('bars', ['a', 'b', 'c'], [4, null, 0])).filter(({ ink }) => ink === 'series-1')).toHaveLength(1);
  expect(layOutChart(chart('bars', ['a', 'b'], [4, null])).marks).toContainEqual(
    expect.objectContaining({ kind: 'text', text: 'nothing known' }),
  );
  expect(layOutChart(chart('bars', ['a', 'b'], [4, 0])).marks).not.toContainEqual(expect.objectContaining({ text: 'nothing known' }));
});

it('breaks a line where nothing is known, and shows a value between two gaps as a dot', () => {
  const { marks } = layOutChart(chart('lines', ['a', 'b', 'c', 'd', 'e', 'f'], [1, 2, null, 3, null, 5]));
  const lines = marks.filter((mark) => mark.kind === 'path' && mark.ink === 'series-1');
  expect(lines.map((line) => line.kind === 'path' && line.points.length)).toEqual([2]);
  expect(marks.filter((mark) => mark.kind === 'dot' && mark.radius === 3)).toHaveLength(2);
});

it('makes bars as long as their values', () => {
  const [a, b] = bars(chart('bars', ['a', 'b'], [10, 5]));
  expect(a && b && a.height / b.height).toBeCloseTo(2, 1);
  const [c, d] = bars(chart('bars', ['a name that is too long to stand under a bar of its own, and longer still', 'b'], [10, 5]));
  expect(c && d && c.width / d.width).toBeCloseTo(2, 1);
});

it('stacks to the sum', () => {
  const [low, high] = bars(chart('stacked', ['a'], [3], [5]));
  expect(low && high && high.y + high.height).toBeCloseTo((low?.y ?? 0) - 0.8, 1);
  expect(low && high && (high.height + 0.8) / low.height).toBeCloseTo(5 / 3, 1);
});

it('gives what should not be its own colour', () => {
  const exceptions: Chart = {
    ...chart('bars', ['a'], [1], [2]),
    series: [
      { name: 'runs', values: [1] },
      { name: 'exceptions', values: [2] },
    ],
  };
  expect(bars(exceptions).map(({ ink }) => ink)).toEqual(expect.arrayContaining(['series-1', 'alert']));
});

it('keeps every mark on the plane, whatever the numbers and names are', () => {
  const value = fc.option(fc.oneof(fc.integer({ min: -1000, max: 1e9 }), fc.double({ noNaN: true, min: -1e6, max: 1e12 })), { nil: null });
  fc.assert(
    fc.property(
      fc.constantFrom('bars' as const, 'stacked' as const, 'lines' as const),
      fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { minLength: 0, maxLength: 60 }),
      fc.array(fc.array(value, { minLength: 60, maxLength: 60 }), { minLength: 1, maxLength: 4 }),
      (shape, labels, values) => {
        const { marks, width, height } = layOutChart(chart(shape, labels, ...values));
        expect(width).toBe(CHART_WIDTH);
        for (const mark of marks) {
          const points = mark.kind === 'path' ? mark.points : [[mark.x, mark.y] as const];
          for (const [x, y] of points) {
            expect(Number.isFinite(x) && x >= -1 && x <= width + 1).toBe(true);
            expect(Number.isFinite(y) && y >= -1 && y <= height + 1).toBe(true);
          }
          if (mark.kind === 'rect')
            expect(mark.width >= 0 && mark.height >= 0 && mark.x + mark.width <= width + 1 && mark.y + mark.height <= height + 1).toBe(
              true,
            );
        }
      },
    ),
    { numRuns: 60 },
  );
});

it('puts round numbers on the axis, and all values between its ends', () => {
  expect(toScale([0, 41]).ticks).toEqual([0, 10, 20, 30, 40, 50]);
  expect(toScale([0.1, 0.3]).ticks).toEqual([0, 0.1, 0.2, 0.3]);
  expect(toScale([1]).ticks).toEqual([0, 1]);
  expect(toScale([]).ticks).toEqual([0, 1]);
  fc.assert(
    fc.property(
      fc.array(
        fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map((value) => (Math.abs(value) < 1e-9 ? 0 : value)),
        { minLength: 1, maxLength: 9 },
      ),
      (values) => {
        const { low, high, ticks } = toScale(values);
        const hair = (high - low) * 1e-8;
        expect(low <= Math.min(0, ...values) + hair && high >= Math.max(0, ...values) - hair).toBe(true);
        expect(ticks.length >= 2 && ticks.length <= 8).toBe(true);
      },
    ),
  );
});
