// A folder as the checker reads it. What cannot be read (rights, a disk that fails) is an error; what is not there is a finding.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { toError } from '../../kernel/errors.js';
import type { LogFiles } from '../../pipeline/audit/audit.js';

export function openLogFiles(folder: string): LogFiles {
  const unlessMissing = async <T>(path: string, reading: Promise<T>, missing: T): Promise<T> => {
    try {
      return await reading;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return missing;
      throw toError('LOG_UNREADABLE', { file: join(folder, path) });
    }
  };
  return {
    read: (path) => unlessMissing<Buffer | undefined>(path, readFile(join(folder, path)), undefined),
    list: (path) => unlessMissing<readonly string[]>(path, readdir(join(folder, path)), []),
  };
}
