// A snapshot is taken over from whoever holds it, or not at all: the same moment, with the plan's tables locked all the time in between.
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import type { Plan } from '../../src/pipeline/plan.js';
import type { HeldSnapshot, Snapshot } from '../../src/pipeline/ports.js';
import type { PostgresSource } from '../../src/systems/postgres/source/source.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { toSmallPlan } from '../support/small-catalogue.js';
import { countSessions, everything, openTestSource, readText, waitUntil } from '../support/source.js';

let server: TestServer;
const open: PostgresSource[] = [];

beforeAll(async () => {
  server = await startTestServer();
  await server.create('shop');
  await server.sql('shop', 'CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item SELECT generate_series(1, 100)');
}, 60_000);
afterAll(() => server.stop());
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  expect(await countSessions(server, 'shop')).toBe(0);
});

function source(): PostgresSource {
  const made = openTestSource(server.url('shop'));
  open.push(made);
  return made;
}

async function hold(): Promise<{ plan: Plan; snapshot: Snapshot; by: PostgresSource }> {
  const by = source();
  const plan = toSmallPlan((await by.describe(everything)).catalogue);
  return { plan, snapshot: await by.open(plan, everything), by };
}

const read = async (snapshot: Snapshot): Promise<number> => (await readText(snapshot.read(snapshot.ranges()[0]!))).split('\n').length - 1;

it('shows the same moment to one who joins, and to one who joins him, after the first is gone', async () => {
  const { plan, snapshot, by } = await hold();
  await server.sql('shop', 'INSERT INTO item SELECT generate_series(101, 200)');
  const second = await source().join(plan, everything, [snapshot.held]);
  expect(second!.held).toMatchObject({ moment: snapshot.held.moment, openedAtMs: snapshot.held.openedAtMs });
  expect(second!.held.id).not.toBe(snapshot.held.id);
  await by.close();
  // The first is found gone, the second is there.
  const third = await source().join(plan, everything, [snapshot.held, second!.held]);
  expect([await read(second!), await read(third!)]).toEqual([100, 100]);
  await server.sql('shop', 'DELETE FROM item WHERE id > 100');
}, 30_000);

it('keeps the locks when the first lets go: nobody changes a table in between', async () => {
  const { plan, snapshot, by } = await hold();
  const second = await source().join(plan, everything, [snapshot.held]);
  await by.close();
  await expect(server.sql('shop', `SET lock_timeout = '100ms'; ALTER TABLE item ADD note text`)).rejects.toThrow(/lock timeout/);
  await second!.close();
  await waitUntil(async () => (await countSessions(server, 'shop')) === 0);
  await server.sql('shop', 'ALTER TABLE item ADD note text; ALTER TABLE item DROP note');
}, 30_000);

it.each<[string, (held: HeldSnapshot) => HeldSnapshot]>([
  ['was never exported', (held) => ({ ...held, id: '00000003-0000FFFF-1' })],
  ['is no name of a snapshot', (held) => ({ ...held, id: `'; DROP TABLE item; --` })],
  ['is said to be of a session that is not there', (held) => ({ ...held, backend: held.backend.replace(/^\d+/, '1') })],
  [
    'is of a session that began at another time, as one that has the same number later',
    (held) => ({ ...held, backend: `${held.backend}1` }),
  ],
])(
  'is not had where it %s',
  async (_, change) => {
    const { plan, snapshot } = await hold();
    expect(await source().join(plan, everything, [change(snapshot.held)])).toBeUndefined();
    expect(await read(snapshot)).toBe(100);
  },
  30_000,
);

it('is not had for another plan, nor once nobody holds it', async () => {
  const { plan, snapshot, by } = await hold();
  expect(await source().join({ ...plan, catalogueDigest: 'another' }, everything, [snapshot.held])).toBeUndefined();
  await by.close();
  expect(await source().join(plan, everything, [snapshot.held])).toBeUndefined();
  expect(await source().join(plan, everything, [])).toBeUndefined();
}, 30_000);
