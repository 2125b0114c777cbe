// Where archives are, and with which keys those of an environment are sealed: an age identity for each version of its transport key, which nobody stores.
import { join } from 'node:path';

import type { Settings } from '../config/settings.js';
import type { KeyProvider } from '../pipeline/ports.js';
import { toIdentity, toRecipient } from '../systems/archive/archive.js';

/** Where archives are. */
export function toArchiveRoot({ BAUTA_ARCHIVES }: Pick<Settings, 'BAUTA_ARCHIVES'>, home: string): string {
  return BAUTA_ARCHIVES === '' ? join(home, 'archives') : BAUTA_ARCHIVES;
}

const label = 'bauta/1\0archive';

/** What a new archive is sealed to. */
export async function findArchiveRecipient(keys: KeyProvider): Promise<{ readonly recipient: string; readonly version: number }> {
  const version = await keys.currentVersion();
  return { recipient: await toRecipient(toIdentity(await keys.derive(label, version))), version };
}

/** What opens archives that were sealed to versions which are still there; the newest first. Secret. */
export async function findArchiveIdentities(keys: KeyProvider): Promise<readonly string[]> {
  const kept = (await keys.versions()).filter(({ state }) => state === 'current' || state === 'kept').reverse();
  return Promise.all(kept.map(async ({ version }) => toIdentity(await keys.derive(label, version))));
}
