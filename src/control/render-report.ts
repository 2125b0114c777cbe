// A report in the forms that people read: the same document, the same bytes.
import { toError } from '../kernel/errors.js';
import { type Collected, type ReportContext, type ReportDocument, type ReportName, toAssessment } from '../pipeline/report/report.js';
import { toCsv, toHtml, toJson, toOscal, toPdf, toXlsx } from '../systems/papers/papers.js';
import type { Render } from './make-package.js';

export const paperFormats = ['json', 'html', 'pdf', 'csv', 'xlsx'] as const;
export type PaperFormat = (typeof paperFormats)[number];

const papers: Readonly<Record<PaperFormat, (document: ReportDocument) => string | Promise<Uint8Array>>> = {
  json: toJson,
  html: toHtml,
  pdf: toPdf,
  csv: toCsv,
  xlsx: (document) => toXlsx(document),
};

export async function renderReport(document: ReportDocument, format: PaperFormat): Promise<Buffer> {
  const made = await papers[format](document);
  return typeof made === 'string' ? Buffer.from(made, 'utf8') : Buffer.from(made);
}

/** Beside the JSON, in a package. */
export const renderPackaged: Render = async (document) => ({
  html: await renderReport(document, 'html'),
  pdf: await renderReport(document, 'pdf'),
});

/** What OSCAL calls its models; each is a document of its own. */
export const oscalModels = ['assessment-results', 'component-definition', 'poam'] as const;
export type OscalModel = (typeof oscalModels)[number];

/** Throws REPORT_NO_EXCEPTION: OSCAL knows no plan of action for nothing. Populations stand in no file beside it. */
export function renderOscal(name: ReportName, context: ReportContext, collected: Collected, model: OscalModel): Buffer {
  const made = toOscal(toAssessment(name, context, collected, () => undefined));
  const text = { 'assessment-results': made.assessmentResults, 'component-definition': made.componentDefinition, poam: made.planOfAction };
  const found = text[model];
  if (found === null) throw toError('REPORT_NO_EXCEPTION');
  return Buffer.from(found, 'utf8');
}
