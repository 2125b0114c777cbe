// The one door to what people hold in their hands: a report as HTML, PDF, JSON, CSV, XLSX and OSCAL. Pure: the same document gives the same bytes, whenever and wherever.
export { type Cell, toCsv, writeCsv } from './csv.js';
export { toHtml } from './html.js';
export { toJson } from './json.js';
export { type OscalDocuments, toOscal } from './oscal.js';
export { toPdf } from './pdf.js';
export { SHEET_ROWS, toXlsx, type XlsxPopulation } from './xlsx.js';
