import { expect, it } from '@jest/globals';

import type { PlanFacts, PlannedColumn } from '../activities.js';
import { toColumnTables } from './columns.js';

const toColumn = (transform: string, reveals: readonly string[]): PlannedColumn => ({
  ...{ table: 'shop.session', column: transform, path: null, tag: 'quasi.timestamp', transform, reveals },
  ...{ scope: 'subject', domain: 'quasi.timestamp', reversible: false, speaksOfPerson: true },
});

it('only what is kept is told as the value itself: a time of day that stays while the day moves is a part of it', () => {
  const columns = [toColumn('keep', ['equality', 'value']), toColumn('date-shift', ['order', 'band', 'length', 'value'])];
  const [showing] = toColumnTables('shop in dev', { columns } as unknown as PlanFacts);
  expect(showing?.rows.map((cells) => cells[4])).toEqual(['the value itself', 'order, band, length, parts of the value']);
});
