// A report in the forms that people read: the same document, the same bytes.
import type { ReportDocument } from '../pipeline/report/report.js';
import { toCsv, toHtml, toJson, toPdf, toXlsx } from '../systems/papers/papers.js';
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
