// Clocks on walls: which instants a local time names, in a zone of the IANA database, over its changes. Local times are milliseconds as if they were UTC.

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NAME = /^[A-Za-z][A-Za-z0-9_+-]{0,30}(\/[A-Za-z0-9_+-]{1,30}){0,2}$/;

export function isTimeZone(name: string): boolean {
  try {
    return NAME.test(name) && formatterOf(name) !== undefined;
  } catch {
    return false;
  }
}

/** What the clocks of a zone do around one day: nothing, or one change. */
export interface DayOfZone {
  readonly offsetBeforeMs: number;
  readonly offsetAfterMs: number;
  /** The first instant with the offset after; Infinity: there is no change. */
  readonly changeAtMs: number;
}

/** `dayMs`: the local midnight that the day begins with. Throws for a name that is no zone. */
export function dayOfZone(zone: string, dayMs: number): DayOfZone {
  const key = `${zone} ${dayMs}`;
  const known = days.get(key);
  if (known) return known;
  // Wide enough for every offset of the world; two changes within three days there are none.
  const [from, to] = [dayMs - 20 * HOUR_MS, dayMs + DAY_MS + 20 * HOUR_MS];
  const [before, after] = [offsetAt(zone, from), offsetAt(zone, to)];
  const changeAtMs = before === after ? Infinity : findChange(zone, from, to);
  if (changeAtMs <= dayMs - Math.max(before, after)) return keep(key, unchanged(after));
  if (changeAtMs >= dayMs + DAY_MS - Math.min(before, after)) return keep(key, unchanged(before));
  return keep(key, { offsetBeforeMs: before, offsetAfterMs: after, changeAtMs });
}

const unchanged = (offsetMs: number): DayOfZone => ({ offsetBeforeMs: offsetMs, offsetAfterMs: offsetMs, changeAtMs: Infinity });

/** To the second. */
function findChange(zone: string, fromMs: number, toMs: number): number {
  const before = offsetAt(zone, fromMs);
  let [from, to] = [fromMs, toMs];
  while (to - from > 1000) {
    const middle = from + Math.floor((to - from) / 2000) * 1000;
    if (offsetAt(zone, middle) === before) from = middle;
    else to = middle;
  }
  return to;
}

/** The instants at which clocks show a local time of that day: one, two where they are set back, none where they are set forward. */
export function toInstants({ offsetBeforeMs, offsetAfterMs, changeAtMs }: DayOfZone, localMs: number): readonly number[] {
  const [before, after] = [localMs - offsetBeforeMs, localMs - offsetAfterMs];
  if (changeAtMs === Infinity) return [before];
  return [...(before < changeAtMs ? [before] : []), ...(after >= changeAtMs ? [after] : [])];
}

/** Milliseconds that clocks are ahead of UTC. */
export function offsetAt(zone: string, atMs: number): number {
  const text = formatterOf(zone).format(atMs);
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = /GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}

/** RFC 3339 as a clock of the zone shows it, for example `2026-10-25T02:30:00+02:00`. */
export function toLocalTimestamp(zone: string, atMs: number): string {
  const offsetMs = offsetAt(zone, atMs);
  const minutes = Math.trunc(Math.abs(offsetMs) / 60_000);
  const two = (amount: number): string => String(amount).padStart(2, '0');
  return `${new Date(atMs + offsetMs).toISOString().slice(0, 19)}${offsetMs < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}

const DAYS_KEPT = 2000;
const days = new Map<string, DayOfZone>();
const formatters = new Map<string, Intl.DateTimeFormat>();

function keep(key: string, day: DayOfZone): DayOfZone {
  if (days.size >= DAYS_KEPT) days.clear();
  days.set(key, day);
  return day;
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  formatters.set(zone, made);
  return made;
}
