// Where the keys of this installation are: the one place that chooses, for the command line, the worker and the API alike.
import { join } from 'node:path';

import type { OpenKeys } from '../pipeline/ports.js';
import { openFileKeys } from '../systems/files/files.js';

export interface OpenedKeys {
  readonly open: OpenKeys;
  close(): Promise<void>;
}

/** `home`: of this process, where keys in files are. */
export function openKeys(home: string): Promise<OpenedKeys> {
  return Promise.resolve({ open: openFileKeys(join(home, 'keys')), close: () => Promise.resolve() });
}
