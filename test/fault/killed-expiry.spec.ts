import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { dropSteps } from '../../src/systems/postgres/target/target.js';
import { faultsOf } from '../support/log.js';
import { type SmallShop, nothing, startProcess, startSmallShop, untilThere, waitFor } from '../support/small-shop.js';

const child = fileURLToPath(new URL('./blocked-expiry.js', import.meta.url));

let shop: SmallShop;
beforeAll(async () => (shop = await startSmallShop()), 60_000);
afterAll(() => shop.stop());

/** The one version that there is, killed while it was being dropped. */
async function kill(place: string): Promise<void> {
  expect((await shop.bauta(['run', '-f', shop.pipeline])).code).toBe(0);
  const { datasets } = JSON.parse((await shop.bauta(['datasets', '-f', shop.pipeline, '--json'])).stdout) as {
    datasets: { version: number }[];
  };
  const started = startProcess([child, shop.pipeline, place, String(datasets[0]?.version)], shop.folder, shop.environment);
  await untilThere(started, place);
  started.child.kill('SIGKILL');
  expect((await started.ended).signal).toBe('SIGKILL');
  // The server notices the end of a client when it next reads from it.
  await waitFor(async () => (await shop.traces()).sessions === 0);
}

it.each([...dropSteps, 'outcome'])(
  'an expiry killed at %s is brought to its end by the next start, and attested',
  async (place) => {
    await kill(place);
    expect((await faultsOf(shop.home)).open).toEqual(['dataset.dropped.intended']);
    const { code, stdout, stderr } = await shop.bauta(['doctor', '-f', shop.pipeline, '--fix']);
    expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
    expect(await shop.traces()).toEqual(nothing);
    expect(await faultsOf(shop.home)).toEqual({ findings: [], open: [] });
    const attested = shop.events().filter(({ type }) => type === 'dataset.dropped.completed');
    expect(attested.at(-1)?.data).toMatchObject({
      dropped: expect.arrayContaining([expect.objectContaining({ kind: 'database', seen: 'gone', sessions: 0 })]),
      beyond: { backups: { says: 'unknown' } },
    });
  },
  60_000,
);
