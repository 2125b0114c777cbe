// A person who is gone at the source is to be gone from the copies: what may still hold them is not used again, is dropped, or is named with what keeps it.
import { readFileSync, writeFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { faultsOf } from '../support/log.js';
import { type Ended, type SmallShop, startSmallShop } from '../support/small-shop.js';

let shop: SmallShop;
beforeAll(async () => {
  shop = await startSmallShop();
  const text = readFileSync(shop.pipeline, 'utf8');
  writeFileSync(shop.pipeline, text.replace('class: dev,', 'class: dev, keepVersions: 3, clones: { max: 2, hours: 4 },'));
}, 60_000);
afterAll(() => shop.stop());

const bauta = (...words: string[]): Promise<Ended> => shop.bauta([...words, '-f', shop.pipeline]);
async function erase(...words: string[]): Promise<Record<string, unknown>> {
  const { code, stdout } = await bauta('erase', '--json', ...words);
  return { code, ...(JSON.parse(stdout) as Record<string, unknown>) };
}
async function versions(): Promise<readonly string[]> {
  const { datasets } = JSON.parse((await bauta('datasets', '--json')).stdout) as { datasets: { version: number; state: string }[] };
  return datasets.map(({ version, state }) => `${version} ${state}`);
}

it('everything that was made before goes, but what is held, and what is current until a run has replaced it', async () => {
  for (let i = 0; i < 3; i++) expect((await bauta('run')).code).toBe(0);
  expect((await bauta('hold', '1', '--until', '2099-01-01T00:00:00Z', '--reason', 'a dispute')).code).toBe(0);
  expect((await bauta('clones', 'make', '--for', 'pr-1')).code).toBe(0);
  expect(await erase()).toMatchObject({ code: 3, error: { code: 'ERASURE_UNKNOWN' } });

  const asked = await erase('--reason', 'a request of Quasimodo');
  const held = { version: 1, state: 'previous', why: 'held', until: '2099-01-01T00:00:00.000Z' };
  expect(asked).toMatchObject({
    ...{ code: 1, completed: false, clones: ['pr-1'], beyond: { backups: { says: 'unknown' }, topics: { says: 'unknown' } } },
    dropped: [{ version: 2, attestation: { dropped: [{ seen: 'gone' }, { seen: 'gone' }] } }],
    left: [held, { version: 3, state: 'current', why: 'current', until: null }],
  });
  expect(await versions()).toEqual(['3 current', '1 previous']);
  for (const words of [['rollback'], ['clones', 'make', '--for', 'pr-2']])
    expect(await bauta(...words)).toMatchObject({ code: 2, stderr: expect.stringContaining('ERASURE_PENDING') });

  // The source has not changed, and a version that is there would do; but not this one.
  expect(await bauta('run', '--reuse')).toMatchObject({ code: 0, stderr: expect.stringContaining('a person is to be erased') });
  // The run that replaced it also dropped it.
  expect(await versions()).toEqual(['4 current', '1 previous']);
  expect(await erase()).toMatchObject({ code: 1, dropped: [], left: [held] });
  // What was made since is as good as ever.
  expect((await bauta('clones', 'make', '--for', 'pr-2')).code).toBe(0);

  expect((await bauta('hold', '1', '--lift', '--reason', 'it is settled')).code).toBe(0);
  expect(await erase()).toMatchObject({ code: 0, completed: true, dropped: [{ version: 1 }], clones: [], left: [] });
  expect(await versions()).toEqual(['4 current']);
  expect((await bauta('erase')).code).toBe(3);
  const told = shop.events().filter(({ type }) => type.startsWith('erasure.'));
  expect(told.map(({ type, data }) => [type, data['erasure']])).toEqual(
    ['erasure.requested', 'erasure.completed'].map((type) => [type, (asked['erasures'] as { id: string }[])[0]?.id]),
  );
  expect(JSON.stringify(shop.events())).not.toContain('Quasimodo');
  expect(shop.events().filter(({ type, data }) => type === 'dataset.dropped.done' && data['why'] === 'erased')).toHaveLength(3);
  expect(await faultsOf(shop.home)).toEqual({ findings: [], open: [] });
}, 180_000);
