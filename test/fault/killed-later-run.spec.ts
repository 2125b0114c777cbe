import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { faultsOf } from '../support/log.js';
import { type Published, type SmallShop, startSmallShop, waitFor } from '../support/small-shop.js';

let shop: SmallShop;
let before: Published | undefined;

beforeAll(async () => {
  shop = await startSmallShop();
  expect((await shop.bauta(['run', '-f', shop.pipeline])).code).toBe(0);
}, 60_000);
afterAll(() => shop.stop());

const unpublished = ['border:source', 'border:extract', 'border:deliver', 'border:verify', 'border:publish', 'moved:30', 'built:4'];
const steps = ['step:database.mark', 'step:schema.finish', 'step:owner.change', 'step:database.switch'];
// At the last of these the version before the one before is about to be dropped.
const published = ['step:target.release', 'border:done', 'step:version.close', 'step:version.drop'];

it.each([...unpublished, ...steps, ...published])(
  'a later run killed at %s leaves the version before it or the whole new one, and the next run clears up',
  async (place) => {
    before = await shop.published();
    // So that the new version differs from the one before in what it holds.
    await shop.source.sql('production', `UPDATE shop.country SET title = title || '.'`);
    const { child, ended } = await shop.block(place);
    child.kill('SIGKILL');
    await ended;
    await waitFor(async () => (await shop.traces()).sessions === 0);
    const killed = await shop.published();
    if (!published.includes(place)) expect(killed).toEqual(before);
    else expect(killed?.digest).not.toBe(before?.digest);

    const { code, stderr } = await shop.bauta(['run', '-f', shop.pipeline]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const after = await shop.published();
    expect(after?.digest).not.toBe(before?.digest);
    if (published.includes(place)) expect(after?.digest).toBe(killed?.digest);
    const { databases, roles, sessions, locks } = await shop.traces();
    // The version before the current one stays for a roll-back; nothing else does.
    expect(databases).toEqual(['shop_dev', expect.stringMatching(/^shop_dev_bauta_/)]);
    expect({ roles, sessions, locks }).toEqual({ roles: ['shop_dev_owner', 'shop_dev_ro', 'shop_dev_rw'], sessions: 0, locks: 0 });
    expect(await faultsOf(shop.home)).toEqual({ findings: [], open: [] });
  },
);
