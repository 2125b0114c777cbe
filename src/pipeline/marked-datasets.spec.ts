import { expect, it } from '@jest/globals';

import { type MarkedDataset, toOverdue } from './marked-datasets.js';

it('warns of what has expired and is still there, and of nothing that is held or has time left', () => {
  const of = (version: number, more: Partial<MarkedDataset>): MarkedDataset =>
    ({ target: 'copy', version, state: 'previous', marker: 'expired', ...more }) as MarkedDataset;
  const all = [of(4, { marker: 'signed' }), of(3, { heldUntil: '2031-01-31T00:00:00.000Z' }), of(2, { marker: 'broken' }), of(1, {})];
  expect(toOverdue(all)).toMatchObject([{ code: 'DATASET_OVERDUE', severity: 'warning', where: { name: 'copy', amount: '1' } }]);
});
