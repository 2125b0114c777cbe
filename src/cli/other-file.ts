// Whoever gives `bauta report verify` a file that never was a package is told so: its bytes were not changed by anybody.
import { type FileHandle, open } from 'node:fs/promises';

import { toError } from '../kernel/errors.js';

const HEAD_BYTES = 256;
/** Of an archive without a comment (APPNOTE 6.3.10, 4.3.16). */
const TAIL_BYTES = 22;

/** Throws PACKAGE_OTHER_FILE. What cannot be read, or begins or ends as an archive does, is left to the check of packages. */
export async function refuseOtherFile(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined);
  if (!handle) return;
  try {
    const name = await findKind(handle);
    if (name !== undefined) throw toError('PACKAGE_OTHER_FILE', { file: path, name });
  } finally {
    await handle.close();
  }
}

/** Undefined: it may be, or have been, an archive. */
async function findKind(handle: FileHandle): Promise<string | undefined> {
  const stat = await handle.stat();
  if (!stat.isFile()) return stat.isDirectory() ? 'a folder' : 'no file';
  const [head, tail] = [Buffer.alloc(HEAD_BYTES), Buffer.alloc(TAIL_BYTES)];
  await handle.read(head, 0, HEAD_BYTES, 0);
  await handle.read(tail, 0, TAIL_BYTES, Math.max(0, stat.size - TAIL_BYTES));
  const text = head.toString('latin1');
  if (text.startsWith('PK\u0003\u0004')) return text.startsWith('[Content_Types].xml', 30) ? 'a workbook (XLSX)' : undefined;
  if (tail.toString('latin1').startsWith('PK\u0005\u0006')) return undefined;
  if (text.startsWith('%PDF-')) return 'a PDF';
  if (/^\s*<(!doctype html|html)/i.test(text)) return 'a page of HTML';
  if (/^\s*[[{]/.test(text)) return 'JSON';
  return 'no ZIP';
}
