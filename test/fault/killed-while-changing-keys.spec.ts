// Whoever destroys keys or makes the next version may be killed at any place: the next start finishes a destruction and says of a rotation whether it
// was, and until then nobody uses what was to be destroyed.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { readKnown } from '../../src/cli/read-known.js';
import type { KeyHierarchy } from '../../src/pipeline/ports.js';
import { FileAuditSink, openFileKeys } from '../../src/systems/files/files.js';
import { eventsOf, faultsOf } from '../support/log.js';

const folder = mkdtempSync(join(tmpdir(), 'bauta-test-'));
const base = join(folder, 'base');
const hierarchy: KeyHierarchy = { purpose: 'masking', workspace: 'default', environment: 'dev' };
const child = fileURLToPath(new URL('./changing-keys.child.js', import.meta.url));

beforeAll(async () => {
  const keys = openFileKeys(join(base, 'keys'))(hierarchy);
  for (let n = 0; n < 3; n++) await keys.rotate();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A home whose process was killed there, before and after the next start. */
async function killedAt(change: 'rotate' | 'destroy', place: string): Promise<{ home: string; told: string[]; keys: string[] }> {
  const home = join(folder, `${change}-${place}`);
  cpSync(base, home, { recursive: true });
  const signal = await new Promise((resolve) => {
    execFile(process.execPath, [child, home, change, place], (error) => resolve(error?.signal));
  });
  expect(signal).toBe('SIGKILL');
  expect(eventsOf(home).map(({ type }) => type)).toEqual([expect.stringMatching(/^key\.(rotated|destroyed)\.intended$/)]);
  const { open, sink } = { open: openFileKeys(join(home, 'keys')), sink: new FileAuditSink({ home, period: 'year' }) };
  const keys = { open, keys: open(hierarchy), tokenKeys: open({ ...hierarchy, purpose: 'token' }) };
  const { recordedKeys } = await readKnown(sink, keys, home);
  // What was begun counts at once.
  expect(recordedKeys.destroyedUpTo).toBe(change === 'destroy' ? 2 : 0);
  await readKnown(sink, keys, home);
  await sink.close();
  expect((await faultsOf(home)).findings).toEqual([]);
  return {
    home,
    told: eventsOf(home).map(({ type }) => type),
    keys: readdirSync(join(home, 'keys', 'masking', 'default', 'dev')).sort(),
  };
}

it.each(['before', 'middle', 'after'])('finishes a destruction that was killed %s it was done, once', async (place) => {
  const { told, keys, home } = await killedAt('destroy', place);
  expect(told).toEqual(['key.destroyed.intended', 'key.destroyed.completed']);
  expect(keys).toEqual(['v1.destroyed', 'v2.destroyed', 'v3.key']);
  const provider = openFileKeys(join(home, 'keys'))(hierarchy);
  await expect(provider.derive('x', 2)).rejects.toMatchObject({ code: 'KEY_VERSION_DESTROYED' });
});

it.each([
  ['before', 'undone', ['v1.key', 'v2.key', 'v3.key']],
  ['after', 'completed', ['v1.key', 'v2.key', 'v3.key', 'v4.key']],
])('says of a rotation that was killed %s it was done that it was %s, once', async (place, outcome, files) => {
  const { told, keys } = await killedAt('rotate', place);
  expect(told).toEqual(['key.rotated.intended', `key.rotated.${outcome}`]);
  expect(keys).toEqual(files);
});
