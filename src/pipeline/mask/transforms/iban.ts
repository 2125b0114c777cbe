// hot path: an IBAN (ISO 13616) with valid check digits at a bank that does not exist: country, length, letters and digits where they were.
// The bank identifier becomes zeros (TEST, then zeros, where it is of letters). In the registry's countries no bank has the number 0, and BIC and bank codes
// TEST are for trials. National check digits inside the BBAN (BE, ES, FR, IT, PT …) are random: only mod 97-10 holds.
// `space: format` permutes the whole BBAN instead and keeps how far the check digits are from the right ones: unique, but it may be somebody's.
import { toIbanDigits } from '../../check-digits.js';
import { CharacterPermutation } from '../permutation/character-permutation.js';
import { drawCharacters } from '../permutation/drawn-characters.js';
import { defineTransform } from '../transform.js';

/** Length of the bank identifier in the BBAN where it is not four. */
const banks: Readonly<Record<string, number>> = { AT: 5, BE: 3, CH: 5, DE: 8, DK: 4, FI: 3, FR: 5, GR: 3, HU: 3, IS: 4, LI: 5, LT: 5, LU: 3, MC: 5, NO: 4, PL: 8, SE: 3, SI: 5, EE: 2, HR: 7, SA: 2, AE: 3, CY: 3, IL: 3 }; // prettier-ignore
const [LEAST, MOST] = [15, 34];
const test = Buffer.from('TEST');

function toBankLength(text: Uint8Array): number {
  return banks[String.fromCharCode(text[0] as number, text[1] as number)] ?? 4;
}

/** The IBAN in upper case without spaces; its length, or -1 where the text is none by its shape. */
function readIban(bytes: Uint8Array, start: number, end: number, into: Uint8Array): number {
  let length = 0;
  for (let i = start; i < end; i++) {
    let code = bytes[i] as number;
    if (code === 0x20) continue;
    if (code >= 0x61 && code <= 0x7a) code -= 32;
    const letter = code >= 0x41 && code <= 0x5a;
    const digit = code >= 0x30 && code <= 0x39;
    if (length === MOST || (length < 2 ? !letter : length < 4 ? !digit : !letter && !digit)) return -1;
    into[length++] = code;
  }
  return length < LEAST ? -1 : length;
}

/** Puts the bank that does not exist into the BBAN. */
function putBank(text: Uint8Array): void {
  const length = toBankLength(text);
  for (let i = 0; i < length; i++) text[4 + i] = (text[4 + i] as number) >= 0x41 ? (test[i % 4] as number) : 0x30;
}

function putCheck(text: Uint8Array, check: number): void {
  text[2] = 0x30 + Math.floor(check / 10);
  text[3] = 0x30 + (check % 10);
}

export const iban = defineTransform({
  name: 'iban',
  summary: 'An IBAN of the same country with valid check digits, at a bank that does not exist.',
  accepts: ['text'],
  params: {
    space: {
      schema: { enum: ['reserved', 'format'] },
      default: 'reserved',
      doc: '`reserved`: a bank that does not exist, 10^7 accounts in the country with the fewest (NO); `format`: a bijection over all IBANs of the country.',
    },
  },
  scopes: ['value'],
  uniqueness: 'not-guaranteed',
  uniquenessWith: (params) => (params['space'] === 'format' ? 'preserved' : 'not-guaranteed'),
  reveals: ['equality', 'frequency', 'length', 'format', 'prefix', 'band'],
  space: (params) => (params['space'] === 'format' ? 0n : 10n ** 7n),
  reversible: false,
  leavesReservedSpace: (params) => params['space'] === 'format',
  output: 'disjoint',
  produces: (value, params) => {
    if (params['space'] === 'format') return true;
    const text = new Uint8Array(MOST);
    const length = readIban(value, 0, value.length, text);
    if (length < 0 || toIbanDigits(text, length) !== ((text[2] as number) - 0x30) * 10 + (text[3] as number) - 0x30) return false;
    const banked = text.slice();
    putBank(banked);
    return Buffer.compare(banked, text) === 0;
  },
  misfit: (type) => ((type.length ?? LEAST) < LEAST ? `an IBAN does not fit ${type.display}` : undefined),
  plain: true,
  prepare: ({ params, encryptBlocks }) => {
    const permutation = new CharacterPermutation(encryptBlocks);
    return (column, context, out) => {
      const { rows, bytes, starts, ends } = column;
      const texts = new Uint8Array(MOST * rows);
      const from = Int32Array.from({ length: rows }, (_, row) => MOST * row + 4);
      const to = new Int32Array(rows).fill(-1);
      const distance = new Int32Array(rows);
      for (let row = 0; row < rows; row++) {
        if (ends[row] === -1) continue;
        const text = texts.subarray(MOST * row, MOST * row + MOST);
        const length = readIban(bytes, starts[row] as number, ends[row] as number, text);
        if (length < 0) context.refuse(row);
        to[row] = MOST * row + length;
        distance[row] = ((text[2] as number) - 0x30) * 10 + (text[3] as number) - 0x30 - toIbanDigits(text, length) + 100;
      }
      if (params['space'] === 'reserved') {
        drawCharacters(encryptBlocks, context.draw(), texts, from, to, rows);
        for (let row = 0; row < rows; row++) if (ends[row] !== -1) putBank(texts.subarray(MOST * row));
      } else permutation.permute(texts, from, to, rows);
      for (let row = 0; row < rows; row++) {
        if (ends[row] === -1) {
          out.null(row);
          continue;
        }
        const text = texts.subarray(MOST * row, to[row]);
        const check = toIbanDigits(text, text.length);
        putCheck(text, params['space'] === 'reserved' ? check : (check + (distance[row] as number)) % 100);
        out.copy(row, bytes, starts[row] as number, ends[row] as number);
        let at = 0;
        for (let i = out.starts[row] as number; i < out.length; i++) if (out.bytes[i] !== 0x20) out.bytes[i] = text[at++] as number;
      }
    };
  },
});
