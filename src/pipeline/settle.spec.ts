import { expect, it } from '@jest/globals';

import { toOpenIntents, toStanding } from './audit/audit.js';
import type { Event } from './event.js';
import type { AuditSink, DatasetVersion, Target } from './ports.js';
import { settle } from './settle.js';

const here = { server: '77', target: 'shop_dev' };
const event = (runId: string, type: string, data: Event['data'] = here): Event => ({ runId, stage: 'deliver', type, at: '', data });
const dataset = (runId: string, version: number, state: DatasetVersion['state']): DatasetVersion => ({
  ...{ target: 'shop_dev', version, state, runId, database: '', planDigest: '', publishedAt: null },
});

function world(log: Event[], datasets: readonly DatasetVersion[], alive: readonly string[] = []): Parameters<typeof settle>[0] {
  const checkpoint = { origin: 'o', size: 0, root: '' };
  const sink: AuditSink = {
    append: (one) => Promise.resolve({ index: log.push(one) - 1, checkpoint }),
    keep: () => Promise.resolve(''),
    read: (types) => Promise.resolve(log.filter(({ type }) => types.includes(type))),
    standing: (types) => Promise.resolve(toStanding(log.filter(({ type }) => types.includes(type)))),
    sign: (text) => Promise.resolve(text),
    close: () => Promise.resolve(),
  };
  const target = {
    place: () => Promise.resolve({ server: '77', database: 'shop_dev' }),
    findAlive: () => Promise.resolve(new Set(alive)),
    datasets: () => Promise.resolve(datasets),
  } as unknown as Target;
  return { sink, target, clock: { now: () => 0 } };
}

it('gives each intent of a dead run the outcome that it finds, under that run’s id', async () => {
  const log = [
    event('a', 'staging.intended'),
    event('b', 'staging.intended'),
    event('b', 'staging.done'),
    event('b', 'dataset.published.intended'),
    event('c', 'dataset.published.intended'),
    event('d', 'dataset.rolled-back.intended', { ...here, from: 3 }),
  ];
  const doors = world(log, [dataset('b', 2, 'current'), dataset('x', 1, 'previous')]);
  expect(await settle(doors)).toBe(4);
  expect(log.slice(6).map(({ runId, type }) => `${runId} ${type}`)).toEqual([
    'a staging.undone',
    'b dataset.published.completed',
    'c dataset.published.undone',
    'd dataset.rolled-back.completed',
  ]);
  expect(toOpenIntents(log)).toEqual([]);
  expect(await settle(doors)).toBe(0);
});

it('leaves the intents of living runs and of other targets alone', async () => {
  const log = [
    event('living', 'staging.intended'),
    event('elsewhere', 'staging.intended', { ...here, target: 'other' }),
    event('elsewhere', 'dataset.published.intended', { ...here, server: '78' }),
  ];
  expect(await settle(world(log, [], ['living']))).toBe(0);
  expect(log).toHaveLength(3);
});

it('asks the target what became of a clone, once what is half made or half dropped is gone', async () => {
  const log = [
    event('a', 'clone.made.intended'),
    event('b', 'clone.made.intended'),
    event('c', 'clone.dropped.intended'),
    event('d', 'clone.dropped.intended'),
  ];
  const doors = world(log, []);
  let swept = 0;
  const clones = { sweep: () => Promise.resolve((swept++, [])), list: () => Promise.resolve([{ id: 'a' }, { id: 'd' }]) };
  expect(await settle({ ...doors, target: { ...doors.target, clones } as unknown as Target })).toBe(4);
  expect(log.slice(4).map(({ runId, type }) => [runId, type])).toEqual([
    ['a', 'clone.made.completed'],
    ['b', 'clone.made.undone'],
    ['c', 'clone.dropped.completed'],
    ['d', 'clone.dropped.undone'],
  ]);
  expect(swept).toBe(1);
});
