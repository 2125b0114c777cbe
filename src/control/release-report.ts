// The report about a release, from the same log and by the same checks as the others. The log is read twice: for the commits of the tag, and for the rest.
import { toError } from '../kernel/errors.js';
import type { Verifier } from '../kernel/signed-note.js';
import { type LogFiles, type TrustPolicy, readEntries } from '../pipeline/audit/audit.js';
import {
  type CheckedLog,
  type ReportDocument,
  ReleaseReader,
  collect,
  findCommits,
  readLater,
  toReleaseReport,
} from '../pipeline/report/report.js';
import { type Asked, lookAtLog, toContext } from './look-at-log.js';

export interface WantedRelease {
  readonly tag: string;
  /** Undefined: what calls of gates said the tag was. */
  readonly commit: string | undefined;
}

/** Throws REPORT_PERIOD_EMPTY, RELEASE_UNKNOWN. */
export async function makeReleaseReport(
  files: LogFiles,
  asked: Asked,
  { tag, commit }: WantedRelease,
  { verifier, policy }: { readonly verifier: Verifier | undefined; readonly policy: TrustPolicy | undefined },
): Promise<{ readonly document: ReportDocument; readonly log: CheckedLog }> {
  const { end, asOf, log } = await lookAtLog(files, asked.period, verifier, policy);
  const commits = await findCommits(readEntries(files, { until: end, later: readLater }), tag, commit);
  if (commits.length === 0) throw toError('RELEASE_UNKNOWN', { name: tag });
  const release = new ReleaseReader(tag, commits, asked.period);
  const entries = release.reading(readEntries(files, { until: end, later: readLater }));
  const collected = await collect(entries, asked.period, { asOf });
  return { document: toReleaseReport(toContext(asked, log), collected, release.end()), log };
}
