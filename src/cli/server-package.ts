// The package of a service's log, made here: its files are read over REST, and the service does the one thing that only it can, telling the log.
import { toError } from '../kernel/errors.js';
import type { Verifier } from '../kernel/signed-note.js';
import { type LogEnd, type LogFiles, prove } from '../pipeline/audit/audit.js';
import { type PackageLog, withCheckpoint } from '../control/package-log.js';
import type { Server } from './server.js';

/** `verifier`: got by another way than from the service. */
export function openServerLog(server: Server, verifier: Verifier): PackageLog {
  const files = server.own.log();
  return {
    ...{ files, verifier },
    noteAt: (end) => noteAt(files, end),
    tell: async (made) => {
      const { log, index } = await server.post<{ log: string; index: number }>('/v1/reports', made);
      const end = { log, size: index + 1 };
      return prove(withCheckpoint(files, end, await noteAt(files, end)), log, index);
    },
  };
}

/** Every checkpoint that was ever signed stays there: the first that covers so much is the same whenever it is asked for. */
async function noteAt(files: LogFiles, { log, size }: LogEnd): Promise<string> {
  const note = await files.read(`${log}/checkpoint?size=${size}`);
  if (!note) throw toError('LOG_INCONSISTENT', { file: log });
  return note.toString('utf8');
}

/** The workspace that the token is of: in `default` all are listed, elsewhere one's own alone. */
export async function readWorkspaceName(server: Server): Promise<string> {
  const all = await server.list<{ readonly name: string }>('/v1/workspaces');
  const [only] = all;
  return all.length === 1 && only ? only.name : 'default';
}
