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
