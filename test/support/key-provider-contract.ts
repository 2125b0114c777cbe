// What every KeyProvider promises, whatever keeps its keys.
import { beforeEach, describe, expect, it } from '@jest/globals';

import { toKeyLabel } from '../../src/pipeline/mask/mask.js';
import type { KeyHierarchy, KeyProvider, OpenKeys } from '../../src/pipeline/ports.js';

export const label = toKeyLabel({ workspace: 'default', environment: 'ci' }, 'pii.email', 'prf');
export const hierarchy: KeyHierarchy = { purpose: 'masking', workspace: 'default', environment: 'ci' };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** `open`: a place without keys, as any process would open it; called before each test, what it gives as often as a test wants a provider. */
export function describeKeyProvider(name: string, open: () => OpenKeys | Promise<OpenKeys>): void {
  describe(`${name} as a KeyProvider`, () => {
    let keys: OpenKeys;
    beforeEach(async () => {
      keys = await open();
    });
    const create = (change: Partial<KeyHierarchy> = {}): KeyProvider => keys({ ...hierarchy, ...change });

    describeDerivation(create);
    describeVersions(create);
    describeDestruction(create);
  });
}

type Create = (change?: Partial<KeyHierarchy>) => KeyProvider;

function describeDerivation(create: Create): void {
  it('says whose keys it has', () => {
    expect(create({ environment: 'dev' }).hierarchy).toEqual({ ...hierarchy, environment: 'dev' });
  });

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

  it('gives no two hierarchies the same key for the same label, however alike their names are', async () => {
    const changes: Partial<KeyHierarchy>[] = [
      {},
      { environment: 'CI' },
      { environment: 'ci.' },
      { environment: 'ci-x' },
      { workspace: 'default-ci', environment: 'x' },
      { workspace: 'other' },
      { purpose: 'token' },
      { purpose: 'transport' },
    ];
    const derived: string[] = [];
    for (const change of changes) {
      const provider = create(change);
      derived.push(hex(await provider.derive(label, await provider.currentVersion())));
    }
    expect(new Set(derived).size).toBe(changes.length);
  });
}

function describeVersions(create: Create): void {
  it('lists no version before the first use, and makes none by that', async () => {
    expect(await create().versions()).toEqual([]);
    expect(await create().versions()).toEqual([]);
  });

  it('makes the first version by rotation too', async () => {
    expect(await create().rotate()).toBe(1);
    expect(await create().currentVersion()).toBe(1);
  });

  it('has the next version after a rotation, with another key, and keeps the one before', async () => {
    const provider = create();
    const before = hex(await provider.derive(label, await provider.currentVersion()));
    const from = Date.now() - 5000;
    expect(await provider.rotate()).toBe(2);
    expect(await create().currentVersion()).toBe(2);
    expect(hex(await create().derive(label, 1))).toBe(before);
    expect(hex(await create().derive(label, 2))).not.toBe(before);
    const versions = await create().versions();
    expect(versions).toMatchObject([
      { version: 1, state: 'kept', expiresAt: null, destroyedAt: null },
      { version: 2, state: 'current', expiresAt: null, destroyedAt: null },
    ]);
    for (const { madeAt } of versions) if (madeAt !== null) expect(madeAt).toBeGreaterThan(from - 60_000);
  });

  it('rotates one hierarchy and no other', async () => {
    await create({ environment: 'dev' }).currentVersion();
    await create().rotate();
    await create().rotate();
    expect(await create({ environment: 'dev' }).currentVersion()).toBe(1);
  });
}

function describeDestruction(create: Create): void {
  const rotated = async (times: number): Promise<KeyProvider> => {
    const provider = create();
    await provider.currentVersion();
    for (let n = 0; n < times; n++) await provider.rotate();
    return provider;
  };

  it('destroys a version and every one before it, for every process, and keeps those after it', async () => {
    const provider = await rotated(3);
    const kept = [hex(await provider.derive(label, 3)), hex(await provider.derive(label, 4))];
    await provider.destroyUpTo(2);
    for (const one of [provider, create()]) {
      await expect(one.derive(label, 1)).rejects.toMatchObject({ code: 'KEY_VERSION_DESTROYED' });
      await expect(one.derive(label, 2)).rejects.toMatchObject({ code: 'KEY_VERSION_DESTROYED' });
      expect([hex(await one.derive(label, 3)), hex(await one.derive(label, 4))]).toEqual(kept);
      expect(await one.currentVersion()).toBe(4);
      expect((await one.versions()).map(({ state }) => state)).toEqual(['destroyed', 'destroyed', 'kept', 'current']);
    }
  });

  it('destroys what is destroyed once more without a word, and goes on rotating', async () => {
    const provider = await rotated(2);
    await provider.destroyUpTo(2);
    await provider.destroyUpTo(1);
    await provider.destroyUpTo(2);
    expect(await provider.rotate()).toBe(4);
    expect((await create().versions()).map(({ state }) => state)).toEqual(['destroyed', 'destroyed', 'kept', 'current']);
  });

  it('refuses to destroy the current version and any after it, and then destroys none', async () => {
    const provider = await rotated(1);
    for (const version of [2, 3]) await expect(provider.destroyUpTo(version)).rejects.toMatchObject({ code: 'KEY_VERSION_CURRENT' });
    await expect(provider.derive(label, 1)).resolves.toHaveLength(32);
  });

  it('has nothing to destroy where no key was made', async () => {
    await expect(create().destroyUpTo(1)).rejects.toMatchObject({ code: 'KEY_VERSION_MISSING' });
    expect(await create().versions()).toEqual([]);
  });

  it('destroys the keys of one hierarchy and of no other', async () => {
    const other = create({ environment: 'dev' });
    await other.currentVersion();
    await other.rotate();
    await (await rotated(1)).destroyUpTo(1);
    await expect(other.derive(label, 1)).resolves.toHaveLength(32);
  });
}
