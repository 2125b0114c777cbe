import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { cpSync } from 'node:fs';
import { basename, join } from 'node:path';

import { digestAll } from '../support/compare.js';
import { type Sample, type World, requirePublished, startSample } from '../support/shop.js';

let sample: Sample;
let first: World;
let lines: Record<string, string>;

beforeAll(async () => {
  sample = await startSample({ small: true });
  first = await sample.world('first');
  requirePublished(await first.provision({ settings: { BAUTA_THREADS: '0' } }));
  lines = await digestAll(sample.server, first.target);
}, 120_000);
afterAll(() => sample.stop());

/** A world with the masking key of the first, and a log of its own: another target, another home, the same input. */
async function worldWithItsKey(name: string): Promise<World> {
  const world = await sample.world(name);
  cpSync(join(first.home, 'keys'), join(world.home, 'keys'), { recursive: true, filter: (path) => !basename(path).startsWith('log.') });
  return world;
}

it.each([1, 4])('gives the same lines of every table with %i threads as with none, however the batches are cut', async (threads) => {
  const world = await worldWithItsKey(`threads_${threads}`);
  requirePublished(
    await world.provision({ settings: { BAUTA_THREADS: String(threads), BAUTA_BATCH_BYTES: '8192', BAUTA_EXTRACT_CONNECTIONS: '3' } }),
  );
  expect(Object.keys(lines).length).toBeGreaterThan(15);
  expect(await digestAll(sample.server, world.target)).toEqual(lines);
});

it('gives the same lines twice in a row, as another version', async () => {
  expect(requirePublished(await first.provision()).dataset).toMatchObject({ version: 2 });
  expect(await digestAll(sample.server, first.target)).toEqual(lines);
});

it('gives other lines under another key, wherever something is masked by a key', async () => {
  const world = await sample.world('other_key');
  requirePublished(await world.provision());
  const other = await digestAll(sample.server, world.target);
  const same = Object.keys(lines).filter((name) => other[name] === lines[name]);
  // Nothing in the catalogue is masked, and the small sample has no rows in the later partitions.
  expect(same.sort()).toEqual(['"shop"."payment_2025"', '"shop"."payment_rest"', '"shop"."product"']);
});
