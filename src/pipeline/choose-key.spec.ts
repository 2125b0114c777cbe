import { expect, it } from '@jest/globals';

import { toError } from '../kernel/errors.js';
import { chooseKey } from './choose-key.js';
import type { KeyProvider } from './ports.js';
import { type RecordedKeys, noRecordedKeys, toKeyCheck } from './recorded-keys.js';

const keys = {
  hierarchy: { purpose: 'masking', workspace: 'default', environment: 'dev' },
  currentVersion: () => Promise.resolve(3),
  derive: (label: string, version: number) =>
    version <= 3 ? Promise.resolve(Buffer.from(`${label}${version}`.padEnd(32))) : Promise.reject(toError('KEY_VERSION_MISSING')),
} as unknown as KeyProvider;
const day = (text: string): number => Date.parse(`${text}T23:59:59.999Z`);
const choose = async (previous?: { version: number; until: string }, recorded: RecordedKeys = noRecordedKeys, now = '2026-11-21') => {
  const { key, findings } = await chooseKey(keys, previous, recorded, day(now));
  return [key.version, ...findings.map(({ code, severity }) => `${severity} ${code}`)];
};

it('takes the newest version, or the one that is kept, to the last moment of its day and with a warning', async () => {
  expect(await choose()).toEqual([3]);
  expect(await choose({ version: 2, until: '2026-11-21' })).toEqual([2, 'warning KEY_PREVIOUS_USED']);
  expect(await choose({ version: 2, until: '2026-11-20' })).toEqual([3, 'warning KEY_PREVIOUS_OVER']);
});

it('says nothing of a version that is kept before there is a newer one', async () => {
  expect(await choose({ version: 3, until: '2027-01-01' })).toEqual([3]);
});

it('refuses a version that nobody has', async () => {
  await expect(choose({ version: 4, until: '2027-01-01' })).rejects.toMatchObject({ code: 'KEY_VERSION_MISSING' });
});

it('holds the key against what the log knows: its check value, what was destroyed, and how far it had come', async () => {
  const checks = new Map([[3, await toKeyCheck(keys, 3)]]);
  expect(await choose(undefined, { checks, destroyedUpTo: 2 })).toEqual([3]);
  expect(await choose(undefined, { checks: new Map([[3, 'another']]), destroyedUpTo: 0 })).toEqual([3, 'error KEY_CHANGED']);
  expect(await choose({ version: 2, until: '2027-01-01' }, { checks, destroyedUpTo: 2 })).toEqual([
    2,
    'error KEY_CAME_BACK',
    'warning KEY_PREVIOUS_USED',
  ]);
  expect(await choose(undefined, { checks: new Map([[4, 'of the fourth']]), destroyedUpTo: 0 })).toEqual([3, 'error KEY_NEWEST_LOST']);
});
