import { expect, it } from '@jest/globals';

import type { Event } from '../event.js';
import { toCarryOn } from './deletions.js';

const of = (run: string): Event['data'] => ({ server: '1', target: 'shop_dev', run });
const event = (type: string, day: number, data: Event['data'] = of('a')): Event => ({
  ...{ runId: `r${day}`, stage: 'audit', type, at: `2026-01-${String(day).padStart(2, '0')}T00:00:00.000Z`, data },
});

it('carries a legal hold, a revocation and the highest number out of a log that is deleted, as long as they stand', () => {
  const old = [
    event('hold.placed', 1),
    event('dataset.revoked', 2, of('b')),
    event('version.retired', 3),
    event('hold.placed', 4, of('c')),
  ];
  expect(toCarryOn(old, [event('hold.lifted', 9, of('c'))])).toEqual(old.slice(0, 3));
});

it('leaves what a log that stays says anew', () => {
  const later = event('hold.placed', 9, { ...of('a'), until: '2027-01-01T00:00:00.000Z' });
  expect(toCarryOn([event('hold.placed', 1), event('hold.lifted', 2), event('hold.placed', 3)], [later])).toEqual([]);
  expect(toCarryOn([event('version.retired', 1)], [event('version.retired', 2)])).toEqual([]);
});

it('goes by the time of the entries: the log that is deleted need not be the oldest', () => {
  const placed = event('hold.placed', 5);
  expect(toCarryOn([placed], [event('hold.lifted', 1)])).toEqual([placed]);
});

it('carries the newest rotation of each connection', () => {
  const rotated = (day: number, connection: string): Event => event('secret.rotated', day, { connection, from: 'a', to: 'b' });
  expect(toCarryOn([rotated(1, 'shop'), rotated(2, 'shop'), rotated(3, 'else')], [])).toEqual([rotated(2, 'shop'), rotated(3, 'else')]);
  expect(toCarryOn([rotated(1, 'shop')], [rotated(9, 'shop')])).toEqual([]);
});
