import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { Event } from '../event.js';
import { homeChangeTypes, intentTypes, keyChangeTypes, toOpenHomeIntents, toOpenIntents, toOpenKeyIntents } from './intents.js';
import { toStanding, toSubject } from './standing.js';

const data = fc.record({ database: fc.constantFrom('a', 'b'), version: fc.constantFrom(1, 2) });
const type = fc.constantFrom(
  'source.seen',
  'key.recorded',
  'table.loaded',
  'run.ended',
  ...intentTypes,
  ...homeChangeTypes,
  ...keyChangeTypes,
);
const event: fc.Arbitrary<Event> = fc
  .tuple(fc.constantFrom('r1', 'r2', 'r3'), type, data)
  .map(([runId, type, data]) => ({ runId, stage: 'audit', type, at: '', data }));
const sorted = (list: readonly unknown[]): string[] => list.map((one) => JSON.stringify(one)).sort();

it('says of every log what all of its entries say: sources, keys, and intents without an outcome', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const standing = toStanding(events);
      expect(sorted(toOpenIntents(standing))).toEqual(sorted(toOpenIntents(events)));
      expect(sorted(toOpenHomeIntents(standing))).toEqual(sorted(toOpenHomeIntents(events)));
      expect(sorted(toOpenKeyIntents(standing))).toEqual(sorted(toOpenKeyIntents(events)));
      const destroyed = (of: readonly Event[]): string[] =>
        sorted(of.filter(({ type }) => type.startsWith('key.destroyed')).map(toSubject));
      expect(destroyed(standing)).toEqual([...new Set(destroyed(events))]);
      for (const wanted of ['source.seen', 'key.recorded']) {
        const contents = (of: readonly Event[]): string[] => sorted(of.filter(({ type }) => type === wanted).map(({ data }) => data));
        expect(contents(standing)).toEqual([...new Set(contents(events))]);
      }
      // And nothing else, each once.
      expect(new Set(standing.map((one) => toSubject(one)?.subject)).size).toBe(standing.length);
      expect(standing.filter((one) => toSubject(one)?.ends !== false)).toEqual([]);
    }),
  );
});

it('takes what was carried out of a deleted log for the entry that it was', () => {
  const told: Event = { runId: 'r1', stage: 'deliver', type: 'staging.intended', at: '', data: { target: 't' } };
  const carried: Event = { runId: 'r9', stage: 'audit', type: 'log.carried', at: '', data: { event: { ...told } } };
  expect(toSubject(carried)).toEqual(toSubject(told));
  expect(toStanding([told, carried])).toEqual([carried]);
  expect(toStanding([carried, { ...told, type: 'staging.undone' }])).toEqual([]);
});
