// A report from a log: the chain is checked first, then read once up to the end that belongs to the period. What a report is made of follows from the
// log and the period alone: a report that was made before is no reason for another one.
import type { Verifier } from '../kernel/signed-note.js';
import {
  type ChainReport,
  type LogEnd,
  type LogFiles,
  type TrustPolicy,
  findEnd,
  readEntries,
  rootAt,
  verifyChain,
} from '../pipeline/audit/audit.js';
import { toError } from '../kernel/errors.js';
import type { Event } from '../pipeline/event.js';
import {
  type CheckedLog,
  type Collected,
  type Declared,
  type Period,
  type ReportContext,
  type ReportDocument,
  type ReportName,
  collect,
  readLater,
  toReport,
} from '../pipeline/report/report.js';

export interface Asked {
  readonly report: ReportName;
  readonly period: Period;
  readonly workspace: string;
  readonly product: ReportContext['product'];
  readonly declared: Declared;
}

export interface LookedAt {
  readonly end: LogEnd;
  /** The end of the period where the log goes on beyond it; empty where it does not, and its last entry is all that is known. */
  readonly asOf: string;
  readonly log: CheckedLog;
}

/** Entries that a report makes itself do not move its end: made again, it is the same. Throws REPORT_PERIOD_EMPTY. */
export async function lookAtLog(
  files: LogFiles,
  { to }: Pick<Period, 'to'>,
  verifier: Verifier | undefined,
  policy?: TrustPolicy,
): Promise<LookedAt> {
  const chain = await verifyChain(files, { known: [], ...(verifier ? { verifier } : {}), ...(policy ? { policy } : {}) });
  const end = await findEnd(files, ({ at, type }: Event) => at < to && type !== 'report.made');
  if (!end) throw toError('REPORT_PERIOD_EMPTY', { expected: to });
  const goesOn = await findEnd(files, ({ at, type }) => at >= to && type !== 'report.made');
  // Too few witnesses are too few witnesses, and page 1 says how many; the log is what it is.
  const broken = chain.findings.filter(({ code, severity }) => severity === 'error' && code !== 'LOG_UNWITNESSED');
  const origin = chain.logs.find((one) => one.origin.endsWith(`/${end.log}`))?.origin ?? end.log;
  const root = await rootAt(files, end).catch(() => 'not to be had');
  return {
    end,
    asOf: goesOn ? to : '',
    log: {
      state: broken.length > 0 ? 'broken' : chain.signatureChecked ? 'whole' : 'signer-unknown',
      checkpoint: { origin, size: end.size, root },
      findings: broken.map(({ code, message }) => `${code}: ${message}`),
      cosigned: toCosigned(chain, origin, end),
      anchored: chain.anchored
        .filter((one) => one.origin === origin && one.size >= end.size)
        .map(({ place, at, lockedUntil }) => ({ place, at, lockedUntil })),
    },
  };
}

/** Only of a checkpoint that covers what was read: verifyChain has held the log against it. */
function toCosigned({ cosigned }: ChainReport, origin: string, { size }: LogEnd): LookedAt['log']['cosigned'] {
  return cosigned?.origin === origin && cosigned.size >= size ? cosigned.witnesses : [];
}

/** Without items kept beside: what a page shows. */
export async function makeReport(
  files: LogFiles,
  asked: Asked,
  verifier: Verifier | undefined,
  policy?: TrustPolicy,
): Promise<{ readonly document: ReportDocument; readonly log: CheckedLog; readonly collected: Collected }> {
  const { end, asOf, log } = await lookAtLog(files, asked.period, verifier, policy);
  const collected = await collect(readEntries(files, { until: end, later: readLater }), asked.period, { asOf });
  return { document: toReport(asked.report, toContext(asked, log), collected), log, collected };
}

export const toContext = ({ workspace, product, declared }: Asked, log: CheckedLog): ReportContext => ({
  workspace,
  product,
  declared,
  log,
});
