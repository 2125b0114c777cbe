// The worksheet of a breach from a log: the chain is checked first, then read up to an instant that may lie after the window.
import type { Verifier } from '../kernel/signed-note.js';
import { type LogFiles, type TrustPolicy, readEntries } from '../pipeline/audit/audit.js';
import {
  type BreachAsked,
  type BreachFacts,
  type CheckedLog,
  type ReportContext,
  type ReportDocument,
  readBreach,
  readLater,
  toBreachReport,
} from '../pipeline/report/report.js';
import { lookAtLog } from './look-at-log.js';

/** After everything that a log may hold. */
const NEVER = '9999-12-31T23:59:59.999Z';

/** The same log and question give the same document. Throws REPORT_PERIOD_EMPTY. */
export async function makeBreachReport(
  files: LogFiles,
  { breach, ...context }: Omit<ReportContext, 'log'> & { readonly breach: BreachAsked },
  verifier: Verifier | undefined,
  policy?: TrustPolicy,
): Promise<{ readonly document: ReportDocument; readonly log: CheckedLog; readonly facts: BreachFacts }> {
  const { end, log } = await lookAtLog(files, { to: breach.at ?? NEVER }, verifier, policy);
  const facts = await readBreach(readEntries(files, { until: end, later: readLater }), breach);
  return { document: toBreachReport({ ...context, log }, facts), log, facts };
}
