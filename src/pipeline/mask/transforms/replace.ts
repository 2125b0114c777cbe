// hot path: free text, character by character: letters become letters, digits digits, spaces and punctuation stay where they are, and no word
// or number stands where it stood. A letter beyond ASCII becomes an ASCII one: characters are counted, bytes are not. The letters come from a
// generator of 128 bits (Marsaglia's xorshift128) that the row's draw starts. It is no cipher and need not be: whoever ran it backwards would
// learn the draw, a pseudorandom function of the row's key that says nothing of the text.
import { digit, kept, letter, toLetterClass } from '../letter-class.js';
import { defineTransform } from '../transform.js';

/** For each of 256 numbers a consonant, then for each a vowel, then for each a digit. */
const drawn = Buffer.concat(
  ['bcdfghjklmnprstvwz', 'aeiou', '0123456789'].map((set) =>
    Buffer.from(Array.from({ length: 256 }, (_, i) => set.charCodeAt((i * set.length) >> 8))),
  ),
);
/** Consonants and vowels change places, digits do not; by class. */
const turn = Uint16Array.of(0, 256, 0);
/** What to take from a small letter so that it is as large as the letter that stood there. */
const capital = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? 0x20 : 0));

export const replace = defineTransform({
  name: 'replace',
  summary: 'Words of the same lengths, digits for digits, punctuation and space kept: nothing of the original.',
  accepts: ['text'],
  params: {},
  scopes: ['row', 'subject', 'value'],
  uniqueness: 'not-guaranteed',
  reveals: ['length', 'format'],
  // A text of one digit can become no more; a unique column takes another transform.
  space: () => 10n,
  reversible: false,
  output: 'overlapping',
  plain: false,
  prepare: () => (column, context, out) => {
    const draw = context.draw();
    const state = new Int32Array(4);
    for (let row = 0; row < column.rows; row++) {
      const start = column.starts[row] as number;
      const end = column.ends[row] as number;
      if (end === -1) {
        out.null(row);
        continue;
      }
      for (let i = 0; i < 4; i++) state[i] = toInt(draw, 16 * row + 4 * i);
      out.reserve(end - start);
      out.end(row, writeReplaced(out.bytes, out.length, column.bytes, start, end, state));
    }
  },
});

function toInt(draw: Uint8Array, at: number): number {
  return (draw[at] as number) | ((draw[at + 1] as number) << 8) | ((draw[at + 2] as number) << 16) | ((draw[at + 3] as number) << 24);
}

/** Consonants and vowels in turn, capitals where ASCII capitals stood. The highest byte of each step is the letter, its lower half decides the rest. */
function writeReplaced(bytes: Uint8Array, at: number, from: Uint8Array, start: number, end: number, state: Int32Array): number {
  let x = state[0] as number;
  let y = state[1] as number;
  let z = state[2] as number;
  let w = (state[3] as number) | 1;
  let run = kept;
  let same = false;
  let slot = 0;
  let i = start;
  while (i < end) {
    const lead = from[i++] as number;
    const kind = toLetterClass(from, i - 1);
    if (kind !== run && same) avoid(bytes, at - 1, run, w & 0xffff);
    if (kind === kept) {
      bytes[at++] = lead;
      if (lead >= 0x80) while (i < end && ((from[i] as number) & 0xc0) === 0x80) bytes[at++] = from[i++] as number;
      run = kept;
      same = false;
      continue;
    }
    let t = x ^ (x << 11);
    t ^= t >>> 8;
    x = y;
    y = z;
    z = w;
    w = w ^ (w >>> 19) ^ t;
    if (kind !== run) {
      run = kind;
      same = true;
      slot = kind === letter ? (w & 1) << 8 : 512;
    }
    const byte = (drawn[slot | (w >>> 24)] as number) - (capital[lead] as number);
    slot ^= turn[kind] as number;
    if (byte !== lead) same = false;
    bytes[at++] = byte;
    if (lead >= 0x80) while (i < end && ((from[i] as number) & 0xc0) === 0x80) i++;
  }
  if (same) avoid(bytes, at - 1, run, w & 0xffff);
  return at;
}

/** Chance gave the word or number that stood there: its last character becomes one of the others, by 16 bits. */
function avoid(bytes: Uint8Array, last: number, kind: number, bits: number): void {
  const byte = bytes[last] as number;
  const base = kind === digit ? 0x30 : byte < 0x61 ? 0x41 : 0x61;
  const count = kind === digit ? 10 : 26;
  bytes[last] = base + ((byte - base + 1 + ((bits * (count - 1)) >>> 16)) % count);
}
