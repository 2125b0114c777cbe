import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, link, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { KeyProvider } from '../../src/pipeline/ports.js';
import { openFileKeys } from '../../src/systems/files/files.js';
import { describeKeyProvider, hierarchy, label } from '../support/key-provider-contract.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'bauta-keys-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const root = (): string => join(home, 'keys');
const folder = (): string => join(root(), 'masking', 'default', 'ci');
const open = (): KeyProvider => openFileKeys(root())(hierarchy);

describeKeyProvider('the folder of key files', () => openFileKeys(root()));

describe('the folder of key files', () => {
  const master = Buffer.from(Array.from({ length: 32 }, (_, i) => i));

  async function write(name: string, text: string, mode = 0o600): Promise<KeyProvider> {
    await mkdir(folder(), { recursive: true, mode: 0o700 });
    await writeFile(join(folder(), name), text, { mode });
    return open();
  }

  it('spells its label with NUL between the parts', () => {
    expect(label).toBe('bauta/1\0default\0ci\0pii.email\0prf');
  });

  it('derives by HKDF-SHA-256 without salt: a known answer, from base64 and from hexadecimal', async () => {
    const answer = '772af9f6be26429a0a3b0cf245a93fada3ef878f80bbda0b16ffe8e4ba306336';
    const provider = await write('v1.key', master.toString('base64'));
    await write('v2.key', `${master.toString('hex')}\n`);
    expect(hex(await provider.derive(label, 1))).toBe(answer);
    expect(hex(await provider.derive(label, 2))).toBe(answer);
    expect(await provider.currentVersion()).toBe(2);
  });

  it('is made at first use, for its owner alone, with a fresh key', async () => {
    expect(await open().currentVersion()).toBe(1);
    expect(await readdir(folder())).toEqual(['v1.key']);
    for (const path of [root(), join(root(), 'masking'), join(root(), 'masking', 'default'), folder()])
      expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder(), 'v1.key'))).mode & 0o777).toBe(0o600);
    expect(Buffer.from((await readFile(join(folder(), 'v1.key'), 'utf8')).trim(), 'base64')).toHaveLength(32);
  });

  it('gives each name a folder of its own, and none a way out of the home', async () => {
    const environments = ['..', '.', 'a/b', 'a=2Fb', 'A', 'a', 'a.', '', 'ä', '\0'];
    const keys = openFileKeys(root());
    for (const environment of environments) await keys({ ...hierarchy, environment }).currentVersion();
    expect((await readdir(join(root(), 'masking', 'default'))).sort()).toEqual(
      ['=', '=00', '=2E', '=2E=2E', '=41', '=C3=A4', 'a', 'a=2E', 'a=2Fb', 'a=3D2=46b'].sort(),
    );
  });

  it.each([0o640, 0o604, 0o620])('refuses a key file that others can read or write (%o)', async (mode) => {
    const provider = await write('v1.key', master.toString('base64'));
    await chmod(join(folder(), 'v1.key'), mode);
    await expect(provider.derive(label, 1)).rejects.toMatchObject({ code: 'KEY_FILE_UNSAFE', class: 'InputError' });
  });

  it.each(['.', 'masking', 'masking/default', 'masking/default/ci'])('refuses a folder that others can enter (%s)', async (path) => {
    const provider = await write('v1.key', master.toString('base64'));
    await chmod(join(root(), path), 0o755);
    await expect(provider.derive(label, 1)).rejects.toMatchObject({ code: 'KEY_FILE_UNSAFE' });
    await expect(provider.currentVersion()).rejects.toMatchObject({ code: 'KEY_FILE_UNSAFE' });
    await expect(provider.rotate()).rejects.toMatchObject({ code: 'KEY_FILE_UNSAFE' });
  });

  it.each(['', 'short', master.subarray(1).toString('base64'), master.subarray(1).toString('hex'), `${master.toString('hex')}00`])(
    'refuses a key of another length (%s) without showing it',
    async (text) => {
      const provider = await write('v1.key', text);
      await expect(provider.derive(label, 1)).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });
      if (text) await expect(provider.derive(label, 1)).rejects.not.toThrow(new RegExp(text.slice(0, 8).replace(/[+]/g, '\\+')));
    },
  );

  it('reads the expiry of a version from the file beside it, and refuses what is no instant', async () => {
    const provider = await write('v1.json', '{"expiresAt": "2027-01-01T00:00:00Z"}');
    await write('v2.json', '{"expiresAt": "soon"}');
    expect(await provider.expiresAt(1)).toBe(Date.UTC(2027, 0, 1));
    await expect(provider.expiresAt(2)).rejects.toMatchObject({ code: 'KEY_FILE_INVALID' });
  });

  it('refuses a home whose keys belong to no environment, whatever else is there, instead of making others', async () => {
    await write('v1.key', master.toString('base64'));
    await writeFile(join(root(), 'v1.key'), master.toString('base64'), { mode: 0o600 });
    for (const used of [open().currentVersion(), open().derive(label, 1), open().rotate(), open().versions()])
      await expect(used).rejects.toMatchObject({ code: 'KEY_PLACE_OLD' });
    expect(await readdir(folder())).toEqual(['v1.key']);
  });

  it('says that a version in between is lost, and makes no other in its place', async () => {
    const provider = open();
    for (let n = 0; n < 3; n++) await provider.rotate();
    await rm(join(folder(), 'v2.key'));
    await expect(provider.derive(label, 2)).rejects.toMatchObject({ code: 'KEY_VERSION_MISSING' });
    expect((await provider.versions()).map(({ state }) => state)).toEqual(['kept', 'missing', 'current']);
  });

  it('leaves of a destroyed key a tombstone with its instant, and no byte of the key under any name', async () => {
    const provider = open();
    await provider.rotate();
    // As a process that was killed while it made the key leaves it: the same file under another name.
    await link(join(folder(), 'v1.key'), join(folder(), '.v1.0123456789ab'));
    await link(join(folder(), 'v1.key'), join(home, 'elsewhere'));
    const key = (await readFile(join(folder(), 'v1.key'), 'utf8')).trim();
    await provider.rotate();
    const from = Date.now();
    await provider.destroyUpTo(1);
    expect((await readdir(folder())).sort()).toEqual(['v1.destroyed', 'v2.key']);
    expect((await readFile(join(home, 'elsewhere'))).includes(key)).toBe(false);
    const [version] = await provider.versions();
    expect(version).toMatchObject({ version: 1, state: 'destroyed', madeAt: null });
    expect(version?.destroyedAt).toBeGreaterThanOrEqual(from);
  });

  it('does not use a destroyed key that came back from a backup, and takes it away the next time', async () => {
    const provider = open();
    await provider.rotate();
    const key = await readFile(join(folder(), 'v1.key'), 'utf8');
    await provider.rotate();
    await provider.destroyUpTo(1);
    await write('v1.key', key);
    await expect(provider.derive(label, 1)).rejects.toMatchObject({ code: 'KEY_VERSION_DESTROYED' });
    expect((await provider.versions()).map(({ state }) => state)).toEqual(['destroyed', 'current']);
    await provider.destroyUpTo(1);
    expect((await readdir(folder())).sort()).toEqual(['v1.destroyed', 'v2.key']);
  });

  it('makes no first key where the current one got lost after others were destroyed', async () => {
    const provider = open();
    await provider.rotate();
    await provider.rotate();
    await provider.destroyUpTo(1);
    await rm(join(folder(), 'v2.key'));
    for (const used of [provider.currentVersion(), provider.rotate(), provider.destroyUpTo(1)])
      await expect(used).rejects.toMatchObject({ code: 'KEY_VERSION_MISSING' });
    expect((await provider.versions()).map(({ state }) => state)).toEqual(['destroyed', 'missing']);
  });
});
