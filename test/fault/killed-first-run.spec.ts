import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import { targetSteps } from '../../src/systems/postgres/target/target.js';
import { faultsOf } from '../support/log.js';
import { type SmallShop, nothing, onlyPublished, startSmallShop, waitFor } from '../support/small-shop.js';

let shop: SmallShop;
beforeAll(async () => (shop = await startSmallShop()), 60_000);
afterAll(() => shop.stop());

const borders = ['source', 'extract', 'deliver', 'verify', 'publish'].map((name) => `border:${name}`);
const beforeTheSwitch = targetSteps.filter((step) => step !== 'target.release').map((step) => `step:${step}`);
const midTable = ['moved:1', 'moved:40'];
const midSchema = ['built:1', 'built:9'];

async function kill(place: string): Promise<void> {
  const { child, ended } = await shop.block(place);
  child.kill('SIGKILL');
  expect((await ended).signal).toBe('SIGKILL');
  // The server notices the end of a client when it next reads from it.
  await waitFor(async () => (await shop.traces()).sessions === 0);
  expect((await faultsOf(shop.home)).findings).toEqual([]);
}

// Looking for what is left takes as long as a run: only where something is.
afterEach(async () => {
  const { open } = await faultsOf(shop.home);
  const { databases, roles, temporary } = await shop.traces();
  if (open.length + databases.length + roles.length + temporary.length === 0) return;
  for (const name of databases) await shop.target.sql('postgres', `DROP DATABASE "${String(name)}" WITH (FORCE)`);
  await shop.bauta(['doctor', '-f', shop.pipeline, '--fix']);
});

it.each([...borders, ...midTable, ...midSchema, ...beforeTheSwitch])(
  'a first run killed at %s publishes nothing, and the next start leaves nothing of it behind',
  async (place) => {
    await kill(place);
    expect(await shop.published()).toBeUndefined();
    const { code, stdout } = await shop.bauta(['doctor', '-f', shop.pipeline, '--fix']);
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(await shop.traces()).toEqual(nothing);
    expect(await faultsOf(shop.home)).toEqual({ findings: [], open: [] });
  },
);

it.each(['step:target.release', 'border:done'])('a first run killed at %s has published everything', async (place) => {
  await kill(place);
  const killed = await shop.published();
  expect(killed?.digest).toEqual(expect.any(String));
  expect(await shop.traces()).toEqual(onlyPublished);
  expect((await shop.bauta(['run', '-f', shop.pipeline])).code).toBe(0);
  // The same source and the same key: the whole of it was there.
  expect((await shop.published())?.digest).toBe(killed?.digest);
  expect(await faultsOf(shop.home)).toEqual({ findings: [], open: [] });
});

it('the log of a killed run ends with its last intent, and the next run appends to it', async () => {
  await kill('step:database.switch');
  const killed = shop.events();
  expect(killed.at(-1)?.type).toBe('dataset.published.intended');
  expect((await shop.bauta(['run', '-f', shop.pipeline])).code).toBe(0);
  expect(shop.events().slice(0, killed.length)).toEqual(killed);
  const settled = shop.events().filter(({ type }) => type === 'dataset.published.undone');
  expect(settled.map(({ runId }) => runId)).toContain(killed.at(-1)?.runId);
  expect(shop.events().at(-1)).toMatchObject({ type: 'run.ended', data: { state: 'published' } });
});
