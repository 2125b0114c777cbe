import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { targetSteps } from '../../src/systems/postgres/target/target.js';
import { type TargetWorld, newRun, readTraces, smallCatalogue, stage, startTargetWorld, toPlan } from '../support/target-world.js';

let world: TargetWorld;
beforeAll(async () => (world = await startTargetWorld()), 60_000);
afterAll(() => world.server.stop());

const child = fileURLToPath(new URL('staging-killed.child.js', import.meta.url));
const roles = ['shop_owner', 'shop_ro', 'shop_rw'];

async function runAndDie(step: string): Promise<string | null> {
  const run = spawn(process.execPath, [child, world.url('shop'), step], { stdio: ['ignore', 'ignore', 'inherit'] });
  const signal = await new Promise<string | null>((resolve) => run.once('exit', (_code, by) => resolve(by)));
  // The server notices the end of a client when it next reads from it.
  for (let waited = 0; waited < 5000; waited += 50) {
    const sessions = await world.server.sql('postgres', `SELECT 1 FROM pg_stat_activity WHERE application_name = 'bauta'`);
    if (sessions.length === 0) return signal;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the dead run is still connected');
}

async function sweepAll(): Promise<readonly string[]> {
  const target = world.target('shop');
  try {
    return await target.sweep();
  } finally {
    await target.close();
  }
}

it.each(targetSteps.filter((step) => step !== 'target.release'))(
  'a first run killed before %s leaves nothing once the next has swept',
  async (step) => {
    expect(await runAndDie(step)).toBe('SIGKILL');
    const dropped = await sweepAll();
    expect(dropped.length > 0).toBe(step !== 'role.create');
    expect(await readTraces(world.server)).toEqual({ databases: [], roles: [] });
  },
);

it('a run killed at any step leaves the published version as it was', async () => {
  const target = world.target('shop');
  const { publish } = await stage(target);
  await publish();
  await target.close();
  const oid = `SELECT oid FROM pg_database WHERE datname = 'shop'`;
  const before = await world.server.sql('postgres', oid);
  for (const step of ['data.load', 'schema.finish', 'database.switch']) {
    expect(await runAndDie(step)).toBe('SIGKILL');
    await sweepAll();
    expect(await world.server.sql('postgres', oid)).toEqual(before);
    expect(await readTraces(world.server)).toEqual({ databases: ['shop'], roles });
  }
  // After the switch it is published; only what is older waits for the next run.
  expect(await runAndDie('target.release')).toBe('SIGKILL');
  expect(await sweepAll()).toEqual([]);
  expect((await world.target('shop').datasets()).map((dataset) => [dataset.version, dataset.state])).toEqual([
    [2, 'current'],
    [1, 'previous'],
  ]);
});

it('what belongs to a live run, to somebody else, or only looks like ours, is not swept', async () => {
  const target = world.target('other');
  const live = await target.begin(toPlan(), smallCatalogue, newRun());
  const lookalikes = ['shop_bauta_0000000000000000', 'shop_bauta_1111111111111111'];
  await world.server.sql('postgres', `CREATE DATABASE "${lookalikes[0]}" OWNER bauta_target`);
  await world.server.sql('postgres', `CREATE DATABASE "${lookalikes[1]}" OWNER bauta_target`);
  await world.server.sql('postgres', `COMMENT ON DATABASE "${lookalikes[1]}" IS 'my own'; CREATE ROLE "shop_bauta_2222222222222222"`);
  expect(await sweepAll()).toEqual([]);
  const { databases } = await readTraces(world.server);
  expect(databases).toEqual(expect.arrayContaining([live.database, ...lookalikes]));
  await live.drop();
  await target.close();
});
