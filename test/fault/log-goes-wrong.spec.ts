// What befalls the log itself between runs: an entry edited, a tile removed, two runs that write at once.
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { faultsOf, filesOf } from '../support/log.js';
import { type SmallShop, startSmallShop } from '../support/small-shop.js';

describe('a log that somebody changed', () => {
  let shop: SmallShop;
  beforeAll(async () => {
    shop = await startSmallShop();
    expect((await shop.bauta(['run', '-f', shop.pipeline])).code).toBe(0);
  }, 60_000);
  afterAll(() => shop.stop());

  const log = (): string => join(shop.home, 'log', readdirSync(join(shop.home, 'log')).find((name) => /^\d{4}$/.test(name)) ?? '');
  const tile = (kind: string): string => {
    const [path] = [...filesOf(log()).keys()].filter((one) => one.startsWith(`tile/${kind}/`));
    if (path === undefined) throw new Error(`the log has no tile of ${kind}`);
    return join(log(), path);
  };

  it.each([
    [
      'edited entry',
      () => tile('entries'),
      (path: string) => writeFileSync(path, readFileSync(path, 'latin1').replace('small-shop', 'SMALL-shop'), 'latin1'),
      'LOG_ENTRY_CHANGED',
    ],
    ['removed tile of entries', () => tile('entries'), (path: string) => rmSync(path), 'LOG_ENTRIES_MISSING'],
    ['removed tile of digests', () => tile('0'), (path: string) => rmSync(path), 'LOG_TILE_CHANGED'],
    ['removed checkpoint', () => join(log(), 'checkpoint'), (path: string) => rmSync(path), 'LOG_CHECKPOINT_MISSING'],
  ])('%s is named by bauta audit verify, and a run neither appends to it nor changes the target', async (_, where, spoil, code) => {
    const [path, before] = [where(), await shop.published()];
    const copy = join(shop.folder, 'kept');
    writeFileSync(copy, readFileSync(path));
    spoil(path);
    const verified = await shop.bauta(['audit', 'verify', '--home', shop.home]);
    const ran = await shop.bauta(['run', '-f', shop.pipeline, '--json']);
    renameSync(copy, path);
    expect(verified).toMatchObject({ code: 1 });
    expect(verified.stdout + verified.stderr).toContain(code);
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({
      code: expect.any(Number),
      stderr: expect.stringMatching(/error: LOG_[A-Z_]+: .*\nhint: {2}./),
    });
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ state: 'failed', dataset: null });
    expect(await shop.published()).toEqual(before);
    expect(await faultsOf(shop.home)).toEqual({ findings: [], open: [] });
  });

  it('by nobody takes the entries of two runs at once, and is whole', async () => {
    const other = { TARGET_URL: (shop.environment['TARGET_URL'] ?? '').replace('/shop_dev', '/shop_other') };
    const ended = await Promise.all([shop.bauta(['run', '-f', shop.pipeline]), shop.bauta(['run', '-f', shop.pipeline], other)]);
    expect(ended.map(({ code, stderr }) => ({ code, stderr: code === 0 ? '' : stderr }))).toEqual([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ]);
    expect(await faultsOf(shop.home)).toEqual({ findings: [], open: [] });
    expect((await shop.bauta(['audit', 'verify', '--home', shop.home])).code).toBe(0);
  });
});
