// A chain that lies elsewhere, written into a folder as the checker and other programs read it. It believes nothing and checks nothing.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { toError } from '../../kernel/errors.js';
import {
  type LogFiles,
  listLogs,
  listTiles,
  parseBundle,
  parseCheckpoint,
  parseLeaf,
  toPayloadPath,
  toTilePath,
} from '../../pipeline/audit/audit.js';

/** Names of the logs that were written, each up to the checkpoint that it had when it was asked for. Throws LOG_EMPTY, LOG_INCONSISTENT, LOG_UNREADABLE. */
export async function exportLog(from: LogFiles, folder: string): Promise<readonly string[]> {
  const names = await listLogs(from);
  if (names.length === 0) throw toError('LOG_EMPTY');
  for (const name of names) await exportOne(from, folder, name);
  return names;
}

async function exportOne(from: LogFiles, folder: string, name: string): Promise<void> {
  // Before the checkpoint: what is cosigned or anchored meanwhile would be ahead of it.
  const cosigned = await from.read(`${name}/cosigned`);
  const anchors = await from.read(`${name}/anchors`);
  const note = await from.read(`${name}/checkpoint`);
  const checkpoint = note && parseCheckpoint(note.toString('utf8'));
  if (!note || !checkpoint) throw toError('LOG_INCONSISTENT', { file: name });
  const copy = async (path: string): Promise<Buffer> => {
    const bytes = await from.read(`${name}/${path}`);
    if (!bytes) throw toError('LOG_INCONSISTENT', { file: `${name}/${path}` });
    await write(join(folder, name, path), bytes);
    return bytes;
  };
  for (const tile of listTiles(checkpoint.size)) {
    const bytes = await copy(toTilePath(tile));
    if (tile.level !== 'entries') continue;
    for (const { payload } of parseBundle(bytes).entries.flatMap((entry) => parseLeaf(entry) ?? []))
      if (payload) await copy(toPayloadPath(payload.digest));
  }
  if (cosigned) await write(join(folder, name, 'cosigned'), cosigned);
  if (anchors) await write(join(folder, name, 'anchors'), anchors);
  // Last: a folder without it is no log yet.
  await write(join(folder, name, 'checkpoint'), note);
}

async function write(path: string, bytes: Buffer): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  } catch {
    throw toError('AUDIT_UNWRITABLE', { file: path });
  }
}
