// hot path: free text, character by character: letters become letters, digits digits, spaces and punctuation stay where they are, and no word
// or number stands where it stood. A letter beyond ASCII becomes an ASCII one: characters are counted, bytes are not. The letters come from a
// generator of 128 bits (Marsaglia's xorshift) that the row's draw starts: the draw is the secret, the generator only spreads it.
import { defineTransform } from '../transform.js';
import { toLetterClass } from '../letter-class.js';
import { Spread } from '../spread.js';

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
  prepare: () => {
    const spread = new Spread();
    return (column, context, out) => {
      const draw = context.draw();
      const { bytes: from } = column;
      for (let row = 0; row < column.rows; row++) {
        const start = column.starts[row] as number;
        const end = column.ends[row] as number;
        if (end === -1) {
          out.null(row);
          continue;
        }
        out.reserve(end - start);
        spread.start(draw, row);
        out.end(row, writeReplaced(out.bytes, out.length, from, start, end, spread));
      }
    };
  },
});

function writeReplaced(bytes: Uint8Array, at: number, from: Uint8Array, start: number, end: number, spread: Spread): number {
  let i = start;
  while (i < end) {
    const lead = from[i] as number;
    const width = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const kind = toLetterClass(from, i);
    if (kind === 'kept') {
      for (let k = 0; k < width; k++) bytes[at++] = from[i++] as number;
      continue;
    }
    const next = toRunEnd(from, i, end, kind);
    const stop = kind === 'digit' ? writeDigits(bytes, at, from, i, next, spread) : writeLetters(bytes, at, from, i, next, spread);
    if (stop - at === next - i) avoid(bytes, at, from, i, stop - at, kind, spread);
    at = stop;
    i = next;
  }
  return at;
}

function toRunEnd(from: Uint8Array, start: number, end: number, kind: string): number {
  let i = start;
  while (i < end && toLetterClass(from, i) === kind)
    do i++;
    while (i < end && ((from[i] as number) & 0xc0) === 0x80);
  return i;
}

function writeDigits(bytes: Uint8Array, at: number, _from: Uint8Array, start: number, end: number, spread: Spread): number {
  for (let i = start; i < end; i++) bytes[at++] = 0x30 + spread.below(10);
  return at;
}

/** Consonants and vowels in turn, capitals where ASCII capitals stood. */
function writeLetters(bytes: Uint8Array, at: number, from: Uint8Array, start: number, end: number, spread: Spread): number {
  let vowel = spread.below(2) === 1;
  for (let i = start; i < end; i++) {
    const byte = from[i] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const letter = (vowel ? vowels[spread.below(5)] : consonants[spread.below(18)]) as number;
    bytes[at++] = byte >= 0x41 && byte <= 0x5a ? letter - 0x20 : letter;
    vowel = !vowel;
  }
  return at;
}

/** Where chance gave the word or number that stood there, its last character is drawn again among the others. */
function avoid(bytes: Uint8Array, at: number, from: Uint8Array, start: number, length: number, kind: string, spread: Spread): void {
  for (let i = 0; i < length; i++) if (bytes[at + i] !== from[start + i]) return;
  const last = at + length - 1;
  const base = kind === 'digit' ? 0x30 : (bytes[last] as number) < 0x61 ? 0x41 : 0x61;
  const count = kind === 'digit' ? 10 : 26;
  bytes[last] = base + (((bytes[last] as number) - base + 1 + spread.below(count - 1)) % count);
}
