// How conclusions and standings look: a sign, and always the word, too. No colour says anything alone.
import type { Conclusion, Notice, Standing } from '../../pipeline/report/report.js';
import { toShownNumber } from './shown-text.js';

export interface Mark {
  readonly sign: string;
  readonly word: string;
  readonly tone: 'good' | 'bad' | 'open';
}

const MARKS: Readonly<Record<Conclusion | Standing, Mark>> = {
  pass: { sign: '✓', word: 'pass', tone: 'good' },
  exception: { sign: '✕', word: 'exception', tone: 'bad' },
  'no evidence': { sign: '○', word: 'no evidence', tone: 'open' },
  evidenced: { sign: '●', word: 'evidenced', tone: 'good' },
  declared: { sign: '◐', word: 'declared', tone: 'open' },
  unknown: { sign: '○', word: 'unknown', tone: 'open' },
};

/** Undefined for a word that is neither, which is then shown as text. */
export const findMark = (word: string): Mark | undefined => (Object.hasOwn(MARKS, word) ? MARKS[word as Standing] : undefined);

export const noticeTitles: Readonly<Record<Notice['tone'], string>> = {
  note: 'Note',
  warning: 'Attention',
  broken: 'The evidence does not hold',
};

/** Ranges where numbers follow each other: [4, 5, 6, 9] → `4–6, 9`. */
export function toRanges(entries: readonly number[]): string {
  const sorted = [...new Set(entries)].sort((a, b) => a - b);
  const ranges: [number, number][] = [];
  for (const entry of sorted) {
    const last = ranges.at(-1);
    if (last && last[1] === entry - 1) last[1] = entry;
    else ranges.push([entry, entry]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
}

/** What is said below a table that does not show all there is. */
export function toRest(shown: number, total: number | undefined, rest: string | undefined): string {
  const count = total !== undefined && total !== shown ? `${toShownNumber(shown)} of ${toShownNumber(total)} shown.` : '';
  return [count, rest ?? ''].filter(Boolean).join(' ');
}
