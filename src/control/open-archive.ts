// The key of one archive for one recipient, by whoever has the environment's keys: a worker. The file itself stays as it is.
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import type { Settings } from '../config/settings.js';
import { toError } from '../kernel/errors.js';
import type { KeyHierarchy } from '../pipeline/ports.js';
import { findHeader, mostHeaderBytes, openHeader, sealBytes } from '../systems/archive/archive.js';
import { findArchiveIdentities, toArchiveRoot } from './archive-keys.js';
import { openKeys } from './open-keys.js';

/** Throws ARCHIVE_MISSING, ARCHIVE_KEY_UNKNOWN, ARCHIVE_RECIPIENT_INVALID. */
export async function openArchive(
  settings: Settings,
  of: Pick<KeyHierarchy, 'workspace' | 'environment'>,
  name: string,
  recipient: string,
): Promise<Uint8Array> {
  const header = await readHeader(join(toArchiveRoot(settings, settings.BAUTA_HOME), name), name);
  const keys = await openKeys(settings.BAUTA_HOME, settings);
  try {
    const fileKey = await openHeader(header, await findArchiveIdentities(keys.open({ ...of, purpose: 'transport' })));
    return await sealBytes(fileKey, recipient);
  } finally {
    await keys.close();
  }
}

async function readHeader(path: string, name: string): Promise<Uint8Array> {
  const file = await open(path, 'r').catch(() => {
    throw toError('ARCHIVE_MISSING', { file: name });
  });
  try {
    const start = Buffer.alloc(mostHeaderBytes);
    const { bytesRead } = await file.read(start, 0, start.length, 0);
    return findHeader(start.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
