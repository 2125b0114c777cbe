// The log that a package is made of: where its files are, its key, and how it is told of the manifest.
import type { Json } from '../kernel/canonical-json.js';
import type { Verifier } from '../kernel/signed-note.js';
import type { LogEnd, LogFiles } from '../pipeline/audit/audit.js';

export interface PackageLog {
  readonly files: LogFiles;
  readonly verifier: Verifier;
  /** The signed checkpoint of this size, or of the next that was signed. */
  readonly noteAt: (end: LogEnd) => Promise<string>;
  /** Tells the log of this manifest unless it was told before; gives the proof of the entry, as c2sp.org/tlog-proof. */
  readonly tell: (made: Readonly<Record<string, Json>> & { readonly manifest: string }) => Promise<string>;
}

/** The log as it was when it had this checkpoint, whoever has cosigned another since: a package comes out the same whenever it is made. */
export const withCheckpoint = (files: LogFiles, { log }: LogEnd, note: string): LogFiles => ({
  ...files,
  read: (path) => {
    if (path === `${log}/cosigned`) return Promise.resolve(undefined);
    return path === `${log}/checkpoint` ? Promise.resolve(Buffer.from(note, 'utf8')) : files.read(path);
  },
});
