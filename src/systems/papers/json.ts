// A report as canonical JSON (RFC 8785) and a line feed: the same document, the same bytes.
import { type Json, toCanonicalJson } from '../../kernel/canonical-json.js';
import type { ReportDocument } from '../../pipeline/report/report.js';

export const toJson = (document: ReportDocument): string => `${toCanonicalJson(toJsonValue(document))}\n`;

/** Text that has no UTF-8 is mended (U+FFFD), numbers that JSON has no text for are null. */
function toJsonValue(value: unknown): Json {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(toJsonValue);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, member]) => (member === undefined ? [] : [[name.toWellFormed(), toJsonValue(member)]])),
    );
  }
  return typeof value === 'boolean' ? value : null;
}
