// An instant as a report shows it: in its zone, to the second, with the offset, so that it can be read without looking anything up.
import { toLocalTimestamp } from '../../kernel/zone.js';

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/** Milliseconds of an RFC 3339 time; undefined for any other text, for example one that is a date or already shown. */
export function findInstant(text: string): number | undefined {
  if (!INSTANT.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}

/** `2026-10-25T00:30:00Z` in Europe/Berlin → `2026-10-25 02:30:00 +02:00`; what is no instant stays as it is. */
export function toShownTime(text: string, zone: string): string {
  const at = findInstant(text);
  if (at === undefined) return text;
  const local = toLocalTimestamp(zone, at);
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${local.slice(19)}`;
}

/** Every instant in a text of words, shown in the zone. */
export const toShownTimes = (text: string, zone: string): string =>
  text.replace(/\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})(?![\w:])/g, (found) => toShownTime(found, zone));

/** The instants that a report's period goes from and to, both as shown. */
export const toShownPeriod = (period: { readonly from: string; readonly to: string; readonly zone: string }): string =>
  `${toShownTime(period.from, period.zone)} to ${toShownTime(period.to, period.zone)}`;
