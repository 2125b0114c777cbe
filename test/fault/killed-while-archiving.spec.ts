import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import { faultsOf } from '../support/log.js';
import { type SmallShop, nothing, startSmallShop, waitFor } from '../support/small-shop.js';

let shop: SmallShop;
beforeAll(async () => {
  shop = await startSmallShop();
  writeFileSync(shop.pipeline, readFileSync(shop.pipeline, 'utf8').replace('class: dev,', 'class: dev, file: {},'));
}, 60_000);
afterAll(() => shop.stop());

const folder = (): string => join(shop.home, 'archives', 'default', 'dev', 'small-shop');
const toldNames = (): unknown[] =>
  shop
    .events()
    .filter(({ type }) => type === 'archive.dropped')
    .map(({ data }) => data['names']);
const archives = (): string[] => (existsSync(folder()) ? readdirSync(folder()).sort() : []);
const run = () => shop.bauta(['run', '-f', shop.pipeline]);

afterEach(async () => {
  for (const name of (await shop.traces()).databases) await shop.target.sql('postgres', `DROP DATABASE "${String(name)}" WITH (FORCE)`);
  await shop.bauta(['doctor', '-f', shop.pipeline, '--fix']);
  rmSync(folder(), { recursive: true, force: true });
});

it('a run killed with its archive whole and not yet published has published neither; the next one clears away what it left', async () => {
  const { child, ended } = await shop.block('border:archive');
  expect(archives()).toEqual([expect.stringMatching(/^v000001-.*\.part$/)]);
  child.kill('SIGKILL');
  await ended;
  await waitFor(async () => (await shop.traces()).sessions === 0);
  expect(await shop.published()).toBeUndefined();
  expect((await run()).code).toBe(0);
  expect(archives()).toEqual([expect.stringMatching(/^v000001-[0-9a-z]+\.tar\.age$/)]);
  expect(await faultsOf(shop.home)).toEqual({ findings: [], open: [] });
});

it('a run killed at its switch has no archive under its name', async () => {
  const { child, ended } = await shop.block('step:database.switch');
  child.kill('SIGKILL');
  await ended;
  await waitFor(async () => (await shop.traces()).sessions === 0);
  expect(archives()).toEqual([expect.stringMatching(/\.part$/)]);
});

it('a run that cannot write its archive publishes nothing and leaves nothing', async () => {
  mkdirSync(join(shop.home, 'archives'), { recursive: true });
  const blocked = await shop.bauta(['run', '-f', shop.pipeline], { BAUTA_ARCHIVES: '/dev/null/archives' });
  expect(blocked).toMatchObject({ code: 1, stderr: expect.stringContaining('ARCHIVE_UNWRITABLE') });
  expect(await shop.traces()).toEqual(nothing);
  expect(await faultsOf(shop.home)).toEqual({ findings: [], open: [] });
});

it('keeps as many archives as the target keeps versions, and the current one', async () => {
  for (let version = 1; version <= 3; version++) expect((await run()).code).toBe(0);
  expect(archives().map((name) => name.slice(0, 7))).toEqual(['v000002', 'v000003']);
  expect(toldNames()).toEqual([[expect.stringMatching(/v000001-/)]]);
});

it('a version that is withdrawn takes its archive with it, and the log says so', async () => {
  for (let version = 1; version <= 2; version++) expect((await run()).code).toBe(0);
  // The databases before these are gone, and their numbers are not given again.
  const gone = archives().find((name) => name.startsWith('v000002')) ?? '';
  const dropped = await shop.bauta(['expire', '-f', shop.pipeline, '--withdraw', '2', '--reason', 'a column was kept by mistake']);
  expect(dropped).toMatchObject({ code: 0 });
  expect(archives().map((name) => name.slice(0, 7))).toEqual(['v000003']);
  expect(toldNames().slice(1)).toEqual([[join('default', 'dev', 'small-shop', gone)]]);
});
