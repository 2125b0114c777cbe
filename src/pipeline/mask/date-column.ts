// hot path: what the transforms of dates share: reading each row's day, mapping it, and writing it back in the form of its type.
// `infinity` and `-infinity` name no day and stay. What is no date of the calendar is refused, and so is, in a text column, whatever is not
// written YYYY-MM-DD.
import type { DataType } from '../catalogue.js';
import { firstOfEra, isBeforeChrist, isInfinite, noDay, parseDay, toDateEnd, writeDay, writeEra } from './civil-date.js';
import { toRoom } from './dressed-token.js';
import type { Apply } from './transform.js';

/** The day that a row's day becomes; noDay refuses. */
export type DayMap = (day: number, draw: Uint8Array, row: number) => number;

/** 9999-12-31: the last day that a text of ten characters holds. */
const lastOfText = 2932896;

/** How many bytes of `HH:MM:SS.ffffff` stay; the rest is zeroed. */
export type KeptTime = 'none' | 'hour' | 'minute' | 'second' | 'all';
const keptBytes: Readonly<Record<KeptTime, number>> = { none: 0, hour: 2, minute: 5, second: 8, all: 64 };

const midnight = Buffer.from('00:00:00');
const nothing = new Uint8Array(0);

export function toDateMisfit(type: DataType): string | undefined {
  return toRoom(type) < 10 ? `a date takes 10 characters, more than ${type.display} holds` : undefined;
}

export function mapDays(type: DataType, keptTime: KeptTime, keyed: boolean, map: DayMap): Apply {
  const isTimestamp = type.base === 'timestamp' || type.base === 'timestamptz';
  const isText = !isTimestamp && type.base !== 'date';
  const isPadded = type.base === 'bpchar';
  const kept = keptBytes[keptTime];
  return (column, context, out) => {
    const draw = keyed ? context.draw() : nothing;
    const { bytes: from } = column;
    for (let row = 0; row < column.rows; row++) {
      const start = column.starts[row] as number;
      let end = column.ends[row] as number;
      if (end === -1) {
        out.null(row);
        continue;
      }
      if (!isText && isInfinite(from, start, end)) {
        out.copy(row, from, start, end);
        continue;
      }
      if (isPadded) while (end > start && from[end - 1] === 0x20) end--;
      const beforeChrist = !isText && isBeforeChrist(from, start, end);
      const stop = beforeChrist ? end - 3 : end;
      const dateEnd = isTimestamp ? toDateEnd(from, start, stop) : stop;
      const day = parseDay(from, start, dateEnd, beforeChrist);
      if (day === noDay) context.refuse(row);
      const mapped = map(day, draw, row);
      if (mapped === noDay || (isText && (mapped < firstOfEra || mapped > lastOfText))) context.refuse(row);
      out.reserve(64 + end - start);
      let at = writeDay(out.bytes, out.length, mapped);
      if (isTimestamp) at = writeTime(out.bytes, at, from, dateEnd, stop, kept);
      out.end(row, writeEra(out.bytes, at, mapped));
    }
  };
}

/** Copies ` HH:MM:SS[.ffffff][+hh[:mm]]`, zeroing the time beyond the first `kept` bytes; the zone stays. */
function writeTime(bytes: Uint8Array, at: number, from: Uint8Array, start: number, end: number, kept: number): number {
  let zone = start + 1;
  while (zone < end && from[zone] !== 0x2b && from[zone] !== 0x2d) zone++;
  bytes[at++] = 0x20;
  const time = kept > 8 ? zone - start - 1 : 8;
  for (let i = 0; i < time; i++) bytes[at++] = (i < kept ? from[start + 1 + i] : midnight[i]) as number;
  for (let i = zone; i < end; i++) bytes[at++] = from[i] as number;
  return at;
}
