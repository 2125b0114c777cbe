// Where the keys of this installation are: the one place that chooses, for the command line, the worker and the API alike.
import { join } from 'node:path';

import type { Settings } from '../config/settings.js';
import type { KeyHierarchy, OpenKeys } from '../pipeline/ports.js';
import { listFileKeys, openFileKeys } from '../systems/files/files.js';
import { awsOf } from './stores.js';
import { vaultOf } from './vaults.js';

export interface OpenedKeys {
  readonly open: OpenKeys;
  /** Hierarchies that have keys, as far as whoever keeps them can say; the log knows those that were used. */
  list?(): Promise<readonly KeyHierarchy[]>;
  close(): Promise<void>;
}

/** `home`: of this process, where keys in files are. */
export function openKeys(home: string, settings: Settings): Promise<OpenedKeys> {
  // Their sessions are this process's, and not of who opens keys.
  if (settings.BAUTA_KEYS === 'vault') return Promise.resolve({ open: vaultOf(settings).openKeys, close: () => Promise.resolve() });
  if (settings.BAUTA_KEYS === 'aws-kms') return Promise.resolve({ open: awsOf(settings).openKeys, close: () => Promise.resolve() });
  const root = join(home, 'keys');
  return Promise.resolve({ open: openFileKeys(root), list: () => listFileKeys(root), close: () => Promise.resolve() });
}
