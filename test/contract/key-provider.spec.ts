import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { toKeyLabel } from '../../src/pipeline/mask/mask.js';
import type { KeyProvider } from '../../src/pipeline/ports.js';
import { FileKeyProvider } from '../../src/systems/files/files.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'bauta-keys-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const label = toKeyLabel({ workspace: 'default', environment: 'ci' }, 'pii.email', 'prf');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What every KeyProvider promises. */
function describeContract(name: string, create: () => KeyProvider): void {
  describe(`${name} as a KeyProvider`, () => {
    it('derives 32 bytes, the same for the same label and version for ever, others for another label', async () => {
      const version = await create().currentVersion();
      const key = await create().derive(label, version);
      expect(key).toHaveLength(32);
      expect(hex(await create().derive(label, version))).toBe(hex(key));
      expect(hex(await create().derive(`${label}x`, version))).not.toBe(hex(key));
    });

    it('refuses a version that it has not', async () => {
      const provider = create();
      const version = await provider.currentVersion();
      await expect(provider.derive(label, version + 1)).rejects.toMatchObject({ code: 'KEY_VERSION_MISSING' });
    });

    it('has no expiry unless somebody gave one', async () => {
      const provider = create();
      await expect(provider.expiresAt(await provider.currentVersion())).resolves.toBeNull();
    });

    it('agrees with itself when two first uses meet', async () => {
      const versions = await Promise.all([create().currentVersion(), create().currentVersion(), create().currentVersion()]);
      const keys = await Promise.all(versions.map((version) => create().derive(label, version)));
      expect(new Set(keys.map(hex)).size).toBe(1);
    });
  });
}

describeContract('the folder of key files', () => new FileKeyProvider(join(home, 'keys')));

describe('the folder of key files', () => {
  const master = Buffer.from(Array.from({ length: 32 }, (_, i) => i));

  async function write(name: string, text: string, mode = 0o600): Promise<FileKeyProvider> {
    const folder = join(home, 'keys');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(join(folder, name), text, { mode });
    return new FileKeyProvider(folder);
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
    const folder = join(home, 'deep', 'keys');
    expect(await new FileKeyProvider(folder).currentVersion()).toBe(1);
    expect(await readdir(folder)).toEqual(['v1.key']);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'v1.key'))).mode & 0o777).toBe(0o600);
    expect(Buffer.from((await readFile(join(folder, 'v1.key'), 'utf8')).trim(), 'base64')).toHaveLength(32);
  });

  it.each([0o640, 0o604, 0o620])('refuses a key file that others can read or write (%o)', async (mode) => {
    const provider = await write('v1.key', master.toString('base64'));
    await chmod(join(home, 'keys', 'v1.key'), mode);
    await expect(provider.derive(label, 1)).rejects.toMatchObject({ code: 'KEY_FILE_UNSAFE', class: 'InputError' });
  });

  it('refuses a folder that others can enter', async () => {
    const provider = await write('v1.key', master.toString('base64'));
    await chmod(join(home, 'keys'), 0o755);
    await expect(provider.derive(label, 1)).rejects.toMatchObject({ code: 'KEY_FILE_UNSAFE' });
    await expect(provider.currentVersion()).rejects.toMatchObject({ code: 'KEY_FILE_UNSAFE' });
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
});
