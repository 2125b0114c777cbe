// Which report is made how.
import type { Collected } from './collect.js';
import type { ReportContext } from './context.js';
import type { ReportDocument } from './document.js';
import { toFrameworkReport } from './framework-report.js';
import type { ReportName } from './frameworks/frameworks.js';
import { toGdprReport } from './gdpr/gdpr-report.js';
import { toSoc2Report } from './soc2-report.js';

/** A pure function of what was collected: the same log and period give the same document, whoever asks and whenever. */
export function toReport(name: ReportName, context: ReportContext, collected: Collected): ReportDocument {
  if (name === 'gdpr') return toGdprReport(context, collected);
  if (name === 'soc2') return toSoc2Report(context, collected);
  return toFrameworkReport(name, context, collected);
}
