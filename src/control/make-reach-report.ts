// Where a person is, as a document: what was seen in the copies, beside what the log tells of them up to then.
import type { Verifier } from '../kernel/signed-note.js';
import { type LogFiles, type TrustPolicy, readEntries } from '../pipeline/audit/audit.js';
import {
  type CheckedLog,
  type PersonLooked,
  type ReportContext,
  type ReportDocument,
  readLater,
  readReach,
  toReachReport,
} from '../pipeline/report/report.js';
import type { Reached } from './look-and-tell.js';
import { lookAtLog } from './look-at-log.js';

/** After everything that a log may hold. */
const NEVER = '9999-12-31T23:59:59.999Z';

export async function makeReachReport(
  files: LogFiles,
  { looked, zone, ...context }: Omit<ReportContext, 'log'> & { readonly looked: Reached & PersonLooked; readonly zone: string },
  verifier: Verifier | undefined,
  policy?: TrustPolicy,
): Promise<{ readonly document: ReportDocument; readonly log: CheckedLog }> {
  const { end, log } = await lookAtLog(files, { to: NEVER }, verifier, policy);
  const facts = await readReach(readEntries(files, { until: end, later: readLater }), looked);
  return { document: toReachReport({ ...context, log }, looked, facts, zone), log };
}
