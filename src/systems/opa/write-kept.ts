// Keeps a bundle that came into force: written beside and renamed, so that what is there is whole. The etag comes after: an older one only asks once too often.
import { rename, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import type { Fetched } from './bundle-source.js';

export async function writeKept(folder: string, { bytes, etag }: Fetched): Promise<void> {
  await rm(join(folder, 'etag'), { force: true });
  await writeWhole(join(folder, 'bundle.tar.gz'), bytes);
  await writeWhole(join(folder, 'etag'), etag);
}

async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  await writeFile(beside, content, { mode: 0o600, flush: true });
  await rename(beside, path);
}
