// The text of one file, within a limit. A device, a pipe or a folder is no document.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** The text, or undefined when there is none to be had: missing, no right, no file, not UTF-8. The system's own words are dropped. */
export type ReadText = (path: string) => Promise<string | undefined>;

export const TEXT_LIMIT = 4 * 1024 * 1024;

/** Reads at most one byte more than the limit, so that the caller can tell. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    // Non-blocking: opening a named pipe must not wait for somebody to write.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) return undefined;
      const bytes = Buffer.alloc(TEXT_LIMIT + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length);
        length += bytesRead;
        if (bytesRead === 0 || length === bytes.length) break;
      }
      if (length > TEXT_LIMIT) return bytes.toString('latin1');
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length));
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
