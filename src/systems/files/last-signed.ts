// The log on disk MUST go on from the checkpoint that was signed last: else somebody put an older or another one in its place, and signing it
// again would make two histories of one log.
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { toError } from '../../kernel/errors.js';
import type { Signer } from '../../kernel/signed-note.js';
import { GrowingTree, TILE, openCheckpoint, parseTile, toEdgeTiles, toTilePath } from '../../pipeline/audit/audit.js';
import type { LogFolder } from './log-folder.js';
import { toLastSignedPath } from './signing-key.js';

/** `log`: the newest log of the chain, undefined when there is none. Throws LOG_ROLLED_BACK, LOG_FORKED or LOG_KEY_CHANGED. */
export async function requireContinuation(home: string, log: LogFolder | undefined, { verifier }: Signer): Promise<void> {
  const path = toLastSignedPath(join(home, 'keys'));
  const note = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (note === undefined) return;
  const opened = openCheckpoint(note, [verifier]);
  if (opened.problem) throw toError('LOG_KEY_CHANGED', { file: path });
  const last = opened.checkpoint;
  const now = log?.checkpoint;
  const where = { file: log?.folder ?? join(home, 'log'), amount: String(now?.size ?? 0), expected: String(last.size) };
  if (!log || !now || basename(last.origin) > basename(now.origin)) throw toError('LOG_ROLLED_BACK', where);
  // An earlier log of the chain has ended, and its end is the beginning of this one.
  if (last.origin !== now.origin) return;
  if (now.size < last.size) throw toError('LOG_ROLLED_BACK', where);
  if ((await readRoot(log.folder, last.size, now.size)) !== last.root) throw toError('LOG_FORKED', where);
}

/** The root, in base64, that the log had when it had `size` entries; of what is missing, some other. */
async function readRoot(folder: string, size: number, sizeNow: number): Promise<string> {
  const tree = new GrowingTree();
  for (const { level, index, width } of toEdgeTiles(size).toReversed()) {
    if (level === 'entries') continue;
    const widthNow = Math.min(TILE, Math.floor(sizeNow / TILE ** level) - index * TILE);
    const bytes = await readFile(join(folder, toTilePath({ level, index, width: widthNow }))).catch(() => Buffer.alloc(0));
    for (const digest of parseTile(bytes).slice(0, width)) tree.append(digest, TILE ** level);
  }
  return tree.size === size ? tree.root().toString('base64') : '';
}
