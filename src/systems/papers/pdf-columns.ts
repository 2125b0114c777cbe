// How wide the columns of a printed table are: what must not break gets its room first, text shares the rest by how long it is.
import type { Column } from '../../pipeline/report/report.js';
import type { Colour } from './palette.js';
import type { Face } from './pdf-sheet.js';
import { type FontMeasure, SOFT } from './pdf-text.js';

export interface PrintedCell {
  readonly text: string;
  readonly face: Face;
  readonly colour: Colour;
}

export interface PrintedColumn {
  readonly head: string;
  readonly isRight: boolean;
  readonly kind: Column['kind'];
}

const SAMPLE = 400;
const LONGEST = 260;
/** Of a fixed-width letter, in ems. */
const LETTER = 0.602;

interface Want {
  /** Where there is no room at all: names and ids break sooner than numbers, times and conclusions. */
  readonly floor: number;
  /** Below this a word of its head breaks, or a number, a time or a conclusion does. */
  readonly hard: number;
  readonly least: number;
  readonly most: number;
  readonly grows: boolean;
}

export function toWidths(
  measure: Readonly<Record<Face, FontMeasure>>,
  columns: readonly PrintedColumn[],
  rows: readonly (readonly PrintedCell[])[],
  size: number,
  width: number,
  gap: number,
): readonly number[] {
  const seen = rows.slice(0, SAMPLE);
  const wants = columns.map(
    (column, i) =>
    toWant(measure, column, seen.flatMap((row) => (row[i] ? [row[i]] : [])), size), // prettier-ignore
  );
  const room = width - gap * (columns.length - 1);
  const sum = (of: (want: Want) => number): number => wants.reduce((all, want) => all + of(want), 0);
  const [hard, floor] = [sum((want) => want.hard), sum((want) => want.floor)];
  const [least, most] = [sum((want) => want.least), sum((want) => want.most)];
  if (hard >= room) return wants.map((want) => (want.hard / hard) * room);
  if (floor >= room) return wants.map((want) => want.hard + ((want.floor - want.hard) / (floor - hard)) * (room - hard));
  if (least >= room) return wants.map((want) => want.floor + ((want.least - want.floor) / (least - floor)) * (room - floor));
  if (most >= room) return wants.map((want) => want.least + ((want.most - want.least) / (most - least)) * (room - least));
  const growing = wants.filter(({ grows }) => grows).length || wants.length;
  return wants.map((want) => want.most + (want.grows || growing === wants.length ? (room - most) / growing : 0));
}

function toWant(
  measure: Readonly<Record<Face, FontMeasure>>,
  { head, kind }: PrintedColumn,
  cells: readonly PrintedCell[],
  size: number,
): Want {
  const widest = (toParts: (text: string) => readonly string[]): number =>
    Math.max(0, ...cells.flatMap(({ text, face }) => toParts(text).map((part) => measure[face].toWidth(part, size))));
  const heading = Math.max(...head.split(' ').map((word) => measure.bold.toWidth(word, size)));
  const whole = Math.min(LONGEST, Math.max(widest((text) => [text]), measure.bold.toWidth(head, size))); // prettier-ignore
  const to = (floor: number, least: number, grows: boolean, unbroken = 0): Want => {
    const [low, enough] = [Math.max(heading, floor), Math.max(heading, floor, least)];
    return { floor: low, hard: grows ? Math.max(heading, unbroken) : low, least: enough, most: Math.max(enough, whole), grows };
  };
  if (kind === 'id') return to(Math.min(whole, 17 * LETTER * size), Math.min(whole, 25 * LETTER * size), true);
  if (kind === 'text') {
    const words = widest((text) => text.split(SOFT));
    // A sentence in a column of one word's width is a tower.
    const least = whole <= 110 ? whole : Math.max(Math.min(words, 110), whole / 2.6);
    return to(Math.max(Math.min(words, 48), whole / 3.6), least, true, Math.min(words, 42));
  }
  // Date and time stay together; the offset may go below them.
  const least = widest((text) => (kind === 'time' ? [text.slice(0, 19)] : [text]));
  return to(Math.min(least, LONGEST), least, false);
}
