// The word tables committed under words/: read once, kept as bytes. Their origin and licence are in words/README.md.
import { readFileSync } from 'node:fs';
import { InvariantError } from '../../kernel/errors.js';
import { packageFile } from '../../kernel/package-root.js';
import type { WordTable } from './transform.js';

const loaded = new Map<string, WordTable>();

/** The table `words/<name>.txt`: one word per line. The same name gives the same table for the life of the process. */
export function loadWords(name: string): WordTable {
  let table = loaded.get(name);
  if (table === undefined) {
    table = toWordTable(readFileSync(packageFile('src', 'pipeline', 'mask', 'words', `${name}.txt`)), name);
    loaded.set(name, table);
  }
  return table;
}

/** Lines as a table; the newlines are left out, so that word i ends where word i + 1 begins. */
export function toWordTable(lines: Uint8Array, name: string): WordTable {
  let count = 0;
  for (const byte of lines) if (byte === 10) count++;
  const bytes = new Uint8Array(lines.length - count);
  const offsets = new Int32Array(count + 1);
  let at = 0;
  let word = 0;
  for (const byte of lines) {
    if (byte === 10) offsets[++word] = at;
    else if (byte < 32 || byte === 92) throw new InvariantError('MASK_WORDS_DAMAGED', { name });
    else bytes[at++] = byte;
  }
  if (count === 0 || offsets[count] !== at) throw new InvariantError('MASK_WORDS_DAMAGED', { name });
  return { count, bytes, offsets };
}
