// Names come from strangers: a table may be called what a terminal would obey.
import { describe, expect, it } from '@jest/globals';

import { toFinding } from '../kernel/errors.js';
import { toFindingText } from './print.js';
import { toVerdictText } from './verdict-text.js';

const sly = 'cus\u001b[2Jtomer\u009b31m\r\u0007';
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

describe('what a name of the source would do to a terminal is not printed', () => {
  it('in a finding', () => {
    const text = toFindingText(toFinding('COLUMN_UNTAGGED', { schema: 'shop', table: sly, column: sly }));
    expect(text).toContain('cus');
    expect(text).not.toMatch(controls);
  });

  it('in a verdict', () => {
    const verdict = {
      ...{
        schema: 'shop',
        table: sly,
        column: sly,
        path: sly,
        tag: 'pii.email',
        verdict: 'rate' as const,
        why: `rows paired by key (${sly})`,
      },
      ...{ rows: 3, originals: 0, laws: { values: 0, tested: [], untested: [sly] } },
    };
    const text = toVerdictText({ findings: [], rows: 3, verdicts: [verdict] });
    expect(text).toContain('cus');
    expect(text).not.toMatch(controls);
  });
});

it('of many columns a run shows those that could not be tested and those nearest to chance, and says how many are left', () => {
  const verdicts = Array.from({ length: 30 }, (_, i) => ({
    ...{ schema: 'shop', table: 'customer', column: `c${i}`, tag: 'pii.email', why: 'seen', rows: 9, originals: 0 },
    ...{ verdict: i % 10 === 7 ? ('not testable' as const) : ('rate' as const), laws: { values: 0, tested: [], untested: [] } },
    pairs: { by: 'place' as const, rows: 9, distinct: 9, unchanged: i === 20 ? 5 : 0, expected: 1, notOne: 0 },
  }));
  const text = toVerdictText({ findings: [], rows: 9, verdicts });
  const shown = [...text.matchAll(/customer\.(c\d+)/g)].map(([, name]) => name);
  expect(shown).toEqual(['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8', 'c17', 'c20', 'c27']);
  expect(text).toContain('  18 more with --json\n');
});
