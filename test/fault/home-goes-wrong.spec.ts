// What befalls the folder that a run writes its log to, and the clock by which it does: read-only, full at any moment, set back.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { RunSummary } from '../../src/pipeline/report/report.js';
import { type Ended, type SmallShop, nothing, startSmallShop, waitFor } from '../support/small-shop.js';
import { mountTinyDisk } from '../support/tiny-disk.js';

let shop: SmallShop;
beforeAll(async () => (shop = await startSmallShop()), 60_000);
afterAll(() => shop.stop());

async function expectNothingLeft(): Promise<void> {
  await waitFor(async () => (await shop.traces()).sessions === 0);
  expect(await shop.traces()).toEqual(nothing);
}

const disk = mountTinyDisk('the log folder that is full or read-only', 2000);
const withDisk = disk ? describe : describe.skip;

withDisk('a home that is on a disk of its own', () => {
  const home = (): { readonly BAUTA_HOME: string } => ({ BAUTA_HOME: join(disk?.folder ?? '', 'home') });
  const run = (): Promise<Ended> => shop.bauta(['run', '-f', shop.pipeline, '--json'], home());
  afterAll(() => disk?.unmount());

  it.each([
    ['is full', () => disk?.fill(), () => disk?.free()],
    ['is read-only', () => disk?.setReadOnly(true), () => disk?.setReadOnly(false)],
  ])('and %s stops a run before a row is read', async (_, spoil, mend) => {
    // The home itself is there already.
    await shop.bauta(['doctor', '-f', shop.pipeline], home());
    spoil();
    const { code, stdout, stderr } = await run();
    mend();
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('error: AUDIT_UNWRITABLE:') });
    expect(JSON.parse(stdout)).toMatchObject({ state: 'failed', dataset: null, error: { code: 'AUDIT_UNWRITABLE' } });
    await expectNothingLeft();
  });

  it('and is full before there is a key or a log stops a run too', async () => {
    disk?.fill();
    const { code, stderr } = await shop.bauta(['run', '-f', shop.pipeline], { BAUTA_HOME: join(disk?.folder ?? '', 'other') });
    disk?.free();
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(/error: (HOME|AUDIT)_UNWRITABLE:/) });
    await expectNothingLeft();
  });

  it.each([
    ['full', 'border:extract', () => disk?.fill(), () => disk?.free()],
    ['full', 'border:publish', () => disk?.fill(), () => disk?.free()],
    ['read-only', 'border:verify', () => disk?.setReadOnly(true), () => disk?.setReadOnly(false)],
  ])('and becomes %s at %s ends the run, and nothing is published', async (_, place, spoil, mend) => {
    const { child, ended } = await shop.block(place, home());
    spoil();
    child.kill('SIGUSR2');
    const { stdout } = await ended;
    mend();
    expect(stdout).toContain('failed AUDIT_UNWRITABLE\n');
    await expectNothingLeft();
  });

  it('and becomes full at the switch leaves a dataset that is published, and says so', async () => {
    const { child, ended } = await shop.block('step:database.switch', home());
    disk?.fill();
    child.kill('SIGUSR2');
    const { stdout } = await ended;
    disk?.free();
    expect(stdout).toContain('published AFTER_PUBLICATION\n');
    expect(await shop.published()).toBeDefined();
    const again = await run();
    expect({ code: again.code, stderr: again.stderr }).toMatchObject({ code: 0 });
    expect((JSON.parse(again.stdout) as RunSummary).dataset?.version).toBe(2);
    await shop.target.sql('postgres', 'DROP DATABASE shop_dev WITH (FORCE)');
    for (const name of (await shop.traces()).databases) await shop.target.sql('postgres', `DROP DATABASE "${String(name)}" WITH (FORCE)`);
    await shop.bauta(['doctor', '-f', shop.pipeline, '--fix']);
  });
});

describe('a clock that was set back by more than a year', () => {
  /** The process's own clock; that of the servers goes on. */
  const preload = (code: string): { readonly NODE_OPTIONS: string } => {
    const file = join(shop.folder, 'clock.mjs');
    writeFileSync(file, `const real = Date.now; ${code}`);
    return { NODE_OPTIONS: `--import=${file}` };
  };
  const back = 400 * 86_400_000;
  const run = async (environment: Readonly<Record<string, string>> = {}): Promise<RunSummary> => {
    const file = join(shop.folder, 'three.yaml');
    writeFileSync(file, readFileSync(shop.pipeline, 'utf8').replace('environment: dev', 'environment: dev, keepVersions: 3'));
    const { code, stdout, stderr } = await shop.bauta(['run', '-f', file, '--json'], environment);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return JSON.parse(stdout) as RunSummary;
  };

  it('between two runs changes nothing: versions count on, and a roll-back goes to the one before', async () => {
    expect((await run()).dataset?.version).toBe(1);
    expect((await run()).dataset?.version).toBe(2);
    expect((await run(preload(`Date.now = () => real() - ${back}`))).dataset?.version).toBe(3);
    const rolledBack = await shop.bauta(['rollback', '-f', shop.pipeline, '--json']);
    expect(JSON.parse(rolledBack.stdout)).toMatchObject({ dataset: { version: 2, state: 'current' } });
  });

  it('in the middle of a run changes nothing either, and no time is negative', async () => {
    const summary = await run(
      preload(`const start = performance.now(); Date.now = () => real() - (performance.now() - start > 900 ? ${back} : 0)`),
    );
    expect(summary).toMatchObject({ state: 'published', dataset: { version: 4 } });
    expect(summary.seconds).toBeGreaterThanOrEqual(0);
    expect(summary.tables.filter(({ seconds }) => seconds < 0)).toEqual([]);
  });
});
