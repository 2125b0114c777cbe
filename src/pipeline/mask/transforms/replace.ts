// hot path: free text, character by character: letters become letters, digits digits, spaces and punctuation stay where they are, and no word
// or number stands where it stood. A letter beyond ASCII becomes an ASCII one: characters are counted, bytes are not. The letters come from a
// generator of 128 bits (Marsaglia's xorshift128) that the row's draw starts. It is no cipher and need not be: whoever ran it backwards would
// learn the draw, a pseudorandom function of the row's key that says nothing of the text.
import { digit, kept, letter, toLetterClass } from '../letter-class.js';
import { defineTransform } from '../transform.js';

const consonants = Buffer.from('bcdfghjklmnprstvwz');
const vowels = Buffer.from('aeiou');

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

/** Consonants and vowels in turn, capitals where ASCII capitals stood. The upper half of each step is the letter, the lower decides the rest. */
function writeReplaced(bytes: Uint8Array, at: number, from: Uint8Array, start: number, end: number, state: Int32Array): number {
  let x = state[0] as number;
  let y = state[1] as number;
  let z = state[2] as number;
  let w = (state[3] as number) | 1;
  let run = kept;
  let same = false;
  let vowel = 0;
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
      vowel = w & 1;
    }
    let byte = 0x30 + (((w >>> 16) * 10) >>> 16);
    if (kind === letter) {
      byte = vowel === 1 ? (vowels[((w >>> 16) * 5) >>> 16] as number) : (consonants[((w >>> 16) * 18) >>> 16] as number);
      if (lead >= 0x41 && lead <= 0x5a) byte -= 0x20;
      vowel ^= 1;
    }
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
