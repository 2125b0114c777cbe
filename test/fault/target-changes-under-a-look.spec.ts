// Workers that are given up may live a little longer: what the next attempt then finds on the target is mended by time, and never somebody else's.
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import pg from 'pg';

import { toLockKey } from '../../src/systems/postgres/target/names.js';
import { Session } from '../../src/systems/postgres/target/session.js';
import { dropUnusedEnvironmentRoles } from '../../src/systems/postgres/target/sweep.js';
import type { PostgresTarget } from '../../src/systems/postgres/target/target.js';
import { type TargetWorld, newRun, smallCatalogue, stage, startTargetWorld, toPlan } from '../support/target-world.js';

let world: TargetWorld;
const open: PostgresTarget[] = [];
const target = (...words: Parameters<TargetWorld['target']>): PostgresTarget => {
  const made = world.target(...words);
  open.push(made);
  return made;
};

beforeAll(async () => (world = await startTargetWorld()), 60_000);
afterAll(() => world.server.stop());
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

it('says that the target changed, not that it is gone, when a version is published while it looks', async () => {
  await (await stage(target('held'))).publish();
  const switching = new pg.Client(world.server.url('postgres'));
  await switching.connect();
  await world.server.create('next_held');
  await switching.query('BEGIN');
  await switching.query('ALTER DATABASE held RENAME TO previous_held');
  // Its connection waits for the switch, which then gives the name to another database.
  const looking = target('held').inspect(toPlan(), smallCatalogue);
  looking.catch(() => undefined);
  const waits = `SELECT FROM pg_locks WHERE NOT granted AND locktype = 'object' AND classid = 'pg_database'::regclass`;
  while ((await world.server.sql('postgres', waits)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await switching.query('ALTER DATABASE next_held RENAME TO held');
  await switching.query('COMMIT');
  await switching.end();
  await expect(looking).rejects.toMatchObject({ code: 'TARGET_CHANGED', class: 'UnavailableError' });
});

it('does not make a second version of a run that has published one', async () => {
  const run = newRun();
  await (await stage(target('once'), toPlan(), run)).publish();
  await expect(target('once').begin(toPlan(), smallCatalogue, run)).rejects.toMatchObject({ code: 'TARGET_CHANGED' });
  expect((await target('once').datasets()).map(({ version, state }) => [version, state])).toEqual([[1, 'current']]);
});

it('leaves the lock of a target that is in use to those who want to begin there, when it looks for roles that nobody needs', async () => {
  await (await stage(target('used'))).publish();
  const client = new pg.Client(world.url('postgres'));
  await client.connect();
  const session = new Session(client, 'env:TARGET');
  const asked = jest.spyOn(client, 'query');
  expect(await dropUnusedEnvironmentRoles(session)).toEqual([]);
  const keys = asked.mock.calls.flatMap(([query]) => (query as unknown as { values?: unknown[] }).values ?? []);
  expect(asked).toHaveBeenCalled();
  expect(keys).not.toContain(toLockKey('target', 'used'));
  await session.end();
});
