// Beside a log that lies here: where its checkpoints were put, the newest of each place.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type Json, toCanonicalJson } from '../../kernel/canonical-json.js';
import { type Anchor, parseAnchors } from '../../pipeline/audit/audit.js';
import { syncFolder, writeWhole } from './durable.js';

/** A file that cannot be read as it was written is begun anew: the places themselves have everything. */
export async function keepAnchor(folder: string, log: string, anchor: Anchor): Promise<void> {
  const path = join(folder, log, 'anchors');
  const before = parseAnchors(await readFile(path, 'utf8').catch(() => '[]')) ?? [];
  const all = [...before.filter(({ place }) => place !== anchor.place), anchor].sort((a, b) => (a.place < b.place ? -1 : 1));
  await writeWhole(path, `${toCanonicalJson(all as unknown as Json)}\n`);
  await syncFolder(join(folder, log));
}
