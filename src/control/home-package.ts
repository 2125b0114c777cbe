// The package of a home's own log, whose key lies beside it.
import { join } from 'node:path';

import { toTimestamp, systemClock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { newRunId } from '../kernel/ids.js';
import type { Signer } from '../kernel/signed-note.js';
import { type LogEnd, type LogFiles, findEnd, prove, rootAt, signCheckpoint } from '../pipeline/audit/audit.js';
import type { AuditSink } from '../pipeline/ports.js';
import { loadSigner, openLogFiles } from '../systems/files/files.js';
import { type PackageLog, withCheckpoint } from './package-log.js';

/** Throws LOG_EMPTY where there is no log and so no key to it. */
export async function openHomeLog(home: string, sink: AuditSink, actor: () => Promise<string>): Promise<PackageLog> {
  const files = openLogFiles(join(home, 'log'));
  if ((await files.list('')).length === 0) throw toError('LOG_EMPTY');
  const signer = await loadSigner({ keys: join(home, 'keys'), publicKey: join(home, 'log.pub') }, true);
  return {
    ...{ files, verifier: signer.verifier },
    // A checkpoint of what the log was: it holds nothing that the log does not.
    noteAt: (end) => signAt(files, end, signer),
    tell: async (made) => {
      const before = await findEnd(files, ({ type, data }) => type === 'report.made' && data['manifest'] === made.manifest);
      const end = before ?? (await append(sink, { ...made, actor: await actor() }));
      const note = await signAt(files, end, signer);
      return prove(withCheckpoint(files, end, note), end.log, end.size - 1);
    },
  };
}

async function append(sink: AuditSink, data: Parameters<PackageLog['tell']>[0]): Promise<LogEnd> {
  const now = systemClock.now();
  const { index, checkpoint } = await sink.append({
    runId: newRunId(now),
    stage: 'report',
    type: 'report.made',
    at: toTimestamp(now),
    data,
  });
  return { log: checkpoint.origin.slice(checkpoint.origin.lastIndexOf('/') + 1), size: index + 1 };
}

async function signAt(files: LogFiles, end: LogEnd, signer: Signer): Promise<string> {
  return signCheckpoint({ origin: `${signer.verifier.name}/${end.log}`, size: end.size, root: await rootAt(files, end) }, signer);
}
