// The log of a workspace as who goes on from its checkpoint reads it: each file in a transaction of its own, so that none is held open while somebody
// elsewhere is asked; and each file once, so that the checkpoint and what is computed for it are of one state, however the log grows meanwhile.
import type { LogFiles } from '../../pipeline/audit/audit.js';
import type { Metadata } from '../../systems/metadata/metadata.js';

export function openSnapshot(metadata: Metadata, workspaceId: string): LogFiles {
  const kept = new Map<string, Promise<Buffer | undefined>>();
  return {
    read: (path) => {
      const found = kept.get(path) ?? metadata.within(workspaceId, ({ log }) => log.files().read(path));
      kept.set(path, found);
      return found;
    },
    list: () => Promise.resolve([]),
  };
}
