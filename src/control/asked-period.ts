// The period that somebody asks a report about, as it is typed: days (UTC) or RFC 3339, and the zone that times are shown in.
import { isTimeZone } from '../kernel/zone.js';
import type { Period } from '../pipeline/report/report.js';

/** What is wrong with it, where something is. */
export interface Wrong {
  readonly name: 'from' | 'to' | 'zone';
  readonly expected: string;
}

export function readPeriod({
  from,
  to,
  zone = 'UTC',
}: {
  readonly from: string;
  readonly to: string;
  readonly zone?: string;
}): Period | Wrong {
  if (!isTimeZone(zone)) return { name: 'zone', expected: 'the IANA name of a zone, such as Europe/Vienna' };
  const [begins, ends] = [readInstant(from), readInstant(to)];
  const expected = 'a day such as 2026-10-01, or RFC 3339';
  if (begins === undefined) return { name: 'from', expected };
  if (ends === undefined) return { name: 'to', expected };
  return begins < ends ? { from: begins, to: ends, zone } : { name: 'to', expected: 'an instant after from' };
}

/** Undefined: it is none. */
export function readInstant(given: string): string | undefined {
  const text = /^\d{4}-\d{2}-\d{2}$/.test(given) ? `${given}T00:00:00Z` : given;
  const isInstant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/.test(text);
  const ms = isInstant ? Date.parse(text) : Number.NaN;
  // The 31st of February is no day, whatever a parser makes of it.
  if (Number.isNaN(ms)) return undefined;
  const instant = new Date(ms).toISOString();
  // A year of five digits or before the first has another form, and no order with the others.
  return instant.length === 24 ? instant : undefined;
}
