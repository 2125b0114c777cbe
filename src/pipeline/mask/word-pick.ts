// hot path: one word of a table per row, chosen by four bytes of the draw.
// The bytes are the contract between transforms that must agree on a person: first-name and full-name read bytes 0 to 3, last-name and
// full-name bytes 4 to 7; every part of an address takes its place from bytes 0 to 3 (see places.ts). With one domain (`pii.name`,
// `pii.address`) and scope `subject`, the same person then has the same names and one address everywhere.
import type { Law, Part } from '../law.js';
import { keepWords, kernel } from './kernel/kernel.js';
import type { Apply, Params, WordTable } from './transform.js';
import { toWordTable } from './words.js';

/** A word's length as the server counts it: code points. */
export function toCharacters(table: WordTable, word: number): number {
  let count = 0;
  for (let i = table.offsets[word] as number; i < (table.offsets[word + 1] as number); i++) {
    if (((table.bytes[i] as number) & 0xc0) !== 0x80) count++;
  }
  return count;
}

export function toLongest(table: WordTable): number {
  let longest = 0;
  for (let word = 0; word < table.count; word++) longest = Math.max(longest, toCharacters(table, word));
  return longest;
}

/** The words of at most `room` characters, in their order; the table itself if all fit. May be empty. */
export function toFitting(table: WordTable, room: number): WordTable {
  const byRoom = fitting.get(table) ?? new Map<number, WordTable>();
  fitting.set(table, byRoom);
  const found = byRoom.get(room) ?? fit(table, room);
  byRoom.set(room, found);
  return found;
}

/** The same table and room give the same words for the life of the process, so that the kernel keeps them once. */
const fitting = new WeakMap<WordTable, Map<number, WordTable>>();

function fit(table: WordTable, room: number): WordTable {
  if (toLongest(table) <= room) return table;
  const lines: Uint8Array[] = [];
  for (let word = 0; word < table.count; word++) {
    if (toCharacters(table, word) > room) continue;
    lines.push(table.bytes.subarray(table.offsets[word], table.offsets[word + 1]), Uint8Array.of(10));
  }
  if (lines.length === 0) return { count: 0, bytes: new Uint8Array(0), offsets: new Int32Array(1) };
  return toWordTable(Buffer.concat(lines), 'fitting');
}

/** Copies word `word` to `at`; returns where it ends. The caller has reserved the room. */
export function writeWord(bytes: Uint8Array, at: number, table: WordTable, word: number): number {
  const end = table.offsets[word + 1] as number;
  for (let i = table.offsets[word] as number; i < end; i++) bytes[at++] = table.bytes[i] as number;
  return at;
}

/** Each row becomes the word that its draw names at byte `at`. */
export function pickWords(table: WordTable, at: number): Apply {
  const { offsets, bytes } = keepWords(table);
  return (column, context) => {
    const memory = kernel();
    const { rows, endsAt } = memory.toMemory(column);
    const draws = memory.addressOf(context.draw());
    const words = memory.takeColumn(rows);
    memory.calls.pickWords(endsAt, rows, draws, at, table.count, offsets, bytes, words.startsAt, words.endsAt);
    return words;
  };
}

const locales = ['western', 'cs', 'da', 'de', 'en', 'es', 'fi', 'fr', 'it', 'ja', 'nb', 'nl', 'pl', 'pt', 'sv', 'tr'];

export const localeParam = {
  schema: { enum: locales },
  default: 'western',
  doc: 'Whose names: one language, or eleven western European ones together.',
} as const;

/** `first-names` or `last-names` of the locale that the parameters name. */
export function toTableName(kind: 'first-names' | 'last-names', params: Params): string {
  const locale = params['locale'] as string;
  return locale === 'western' ? kind : `${kind}-${locale}`;
}

/** Every word with the chance that it is picked. */
export function toWordChances({ count, bytes, offsets }: WordTable): readonly (readonly [string, number])[] {
  return Array.from({ length: count }, (_, i) => [Buffer.from(bytes.subarray(offsets[i], offsets[i + 1])).toString(), 1 / count] as const);
}

/** The same table gives the same list. */
export function toWordList(table: WordTable): readonly string[] {
  const known = lists.get(table) ?? toWordChances(table).map(([text]) => text);
  lists.set(table, known);
  return known;
}

const lists = new WeakMap<WordTable, readonly string[]>();

/** A name of the table, by a label that tells tables apart: where one column is narrower, another word may be picked. */
export function toNamePart(kind: 'first-names' | 'last-names', params: Params, table: WordTable): Part {
  return { words: toWordList(table), is: `${toTableName(kind, params)} of ${table.count}` };
}

export function toNameLaws(kind: 'first-names' | 'last-names', params: Params, table: WordTable): readonly Law[] {
  return [{ law: 'words', phrases: [[toNamePart(kind, params, table)]] }];
}
