import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { cloneSteps, templateSteps } from '../../src/systems/postgres/target/target.js';
import { type TargetWorld, readTraces, startTargetWorld } from '../support/target-world.js';

let world: TargetWorld;
beforeAll(async () => (world = await startTargetWorld()), 60_000);
afterAll(() => world.server.stop());

const child = fileURLToPath(new URL('killed-clone.child.js', import.meta.url));
const files = (): number => readdirSync(`${world.server.dataFolder}/base`).length;

/** Publishes, clones and drops in another process, which dies before this step; then the next start looks. */
async function dieAndSweep(step: string): Promise<readonly string[]> {
  const run = spawn(process.execPath, [child, world.url('shop'), step], { stdio: ['ignore', 'ignore', 'inherit'] });
  expect(await new Promise<string | null>((resolve) => run.once('exit', (_code, by) => resolve(by)))).toBe('SIGKILL');
  // The server notices the end of a client when it next reads from it.
  for (let waited = 0; ; waited += 50) {
    const sessions = await world.server.sql('postgres', `SELECT 1 FROM pg_stat_activity WHERE application_name = 'bauta'`);
    if (sessions.length === 0) break;
    if (waited > 10_000) throw new Error('the dead run is still connected');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const target = world.target('shop');
  try {
    return await target.sweep();
  } finally {
    await target.close();
  }
}

it.each([...templateSteps, 'database.switch'])(
  'a publication with a template killed before %s leaves nothing once the next has swept',
  async (step) => {
    const before = files();
    expect((await dieAndSweep(step)).length).toBeGreaterThan(0);
    expect(await readTraces(world.server)).toEqual({ databases: [], roles: [] });
    expect(files()).toBe(before);
  },
);

it.each(cloneSteps)(
  'a clone that is made and dropped and killed before %s leaves only the versions, or the clone as it was',
  async (step) => {
    const dropped = await dieAndSweep(step);
    const { databases, roles } = await readTraces(world.server);
    const isClone = (name: unknown): boolean => String(name).endsWith('_clone');
    // Before the drop begins there is a whole clone, which has done nothing to be dropped for.
    const stays = step === 'clone.close' ? 1 : 0;
    expect([databases.filter(isClone).length, roles.filter(isClone).length]).toEqual([stays, stays]);
    expect(dropped.length > 0).toBe(step !== 'clone.role' && step !== 'clone.close');
    expect(databases).toContain('shop');
    const target = world.target('shop');
    const versions = await target.datasets();
    // Each version has its template, and no template is without its version.
    expect(databases.filter((name) => String(name).endsWith('_template'))).toHaveLength(versions.length);
    for (const { id } of await target.clones.list()) await target.clones.drop(id);
    await target.close();
  },
);

it('a template whose version is gone is dropped by the next start', async () => {
  await world.server.sql('postgres', `DROP DATABASE shop`);
  const target = world.target('shop');
  expect((await target.sweep()).some((name) => name.endsWith('_template'))).toBe(true);
  await target.close();
});
