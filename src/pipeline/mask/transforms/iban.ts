// hot path: an IBAN (ISO 13616) with valid check digits at a bank that does not exist: country, length, letters and digits where they were.
// The bank identifier becomes zeros (TEST, then zeros, where it is of letters). In the registry's countries no bank has the number 0, and BIC and bank codes
// TEST are for trials. National check digits inside the BBAN (BE, ES, FR, IT, PT …) are random: only mod 97-10 holds.
// `space: format` permutes the whole BBAN instead and keeps how far the check digits are from the right ones: unique, but it may be somebody's.
import { toIbanDigits } from '../../check-digits.js';
import type { Column } from '../../batch.js';
import type { ColumnWriter } from '../column-writer.js';
import { kernel } from '../kernel/kernel.js';
import { CharacterPermutation } from '../permutation/character-permutation.js';
import type { EncryptBlocks } from '../permutation/ff1.js';
import { type ApplyContext, defineTransform } from '../transform.js';

/** Length of the bank identifier in the BBAN where it is not four. */
const banks: Readonly<Record<string, number>> = { AT: 5, BE: 3, CH: 5, DE: 8, DK: 4, FI: 3, FR: 5, GR: 3, HU: 3, IS: 4, LI: 5, LT: 5, LU: 3, MC: 5, NO: 4, PL: 8, SE: 3, SI: 5, EE: 2, HR: 7, SA: 2, AE: 3, CY: 3, IL: 3 }; // prettier-ignore
const [LEAST, MOST] = [15, 34];
const test = Buffer.from('TEST');

function toBankKey(first: number, second: number): number {
  return (first << 8) | second;
}

/** By the two letters of the country. */
const bankLengths = new Uint8Array(1 << 16).fill(4);
for (const [country, length] of Object.entries(banks)) bankLengths[toBankKey(country.charCodeAt(0), country.charCodeAt(1))] = length;

function toBankLength(text: Uint8Array, at: number): number {
  return bankLengths[toBankKey(text[at] as number, text[at + 1] as number)] as number;
}

/** Writes the IBAN in upper case without spaces at `first`; returns its end, or -1 where the text is none by its shape. */
function readIban(bytes: Uint8Array, start: number, end: number, into: Uint8Array, first: number): number {
  let at = first;
  for (let i = start; i < end; i++) {
    let code = bytes[i] as number;
    if (code === 0x20) continue;
    if (code >= 0x61 && code <= 0x7a) code -= 32;
    const letter = code >= 0x41 && code <= 0x5a;
    const digit = code >= 0x30 && code <= 0x39;
    const length = at - first;
    if (length === MOST || (length < 2 ? !letter : length < 4 ? !digit : !letter && !digit)) return -1;
    into[at++] = code;
  }
  return at - first < LEAST ? -1 : at;
}

/** Puts the bank that does not exist into the BBAN of the IBAN at `at`. */
function putBank(text: Uint8Array, at: number, length = toBankLength(text, at)): void {
  for (let i = 0; i < length; i++) {
    text[at + 4 + i] = (text[at + 4 + i] as number) >= 0x41 ? (test[i % 4] as number) : 0x30;
  }
}

function putCheck(text: Uint8Array, at: number, check: number): void {
  const tens = (check / 10) | 0;
  text[at + 2] = 0x30 + tens;
  text[at + 3] = 0x30 + check - 10 * tens;
}

function toCheck(text: Uint8Array, at: number): number {
  return ((text[at + 2] as number) - 0x30) * 10 + (text[at + 3] as number) - 0x30;
}

/** Country, check digits, the bank that does not exist, account; spaces anywhere. Where a bank has more than four characters the rest is not looked at. */
const patternOfIbans = [2, 3, 4]
  .map((length) => {
    const countries = length === 4 ? '[a-z] ?[a-z]' : toCountries(length);
    return `(${countries})( ?\\d){2}( ?[0tes]){${length}}( ?[0-9a-z]){${11 - length}}[0-9a-z ]*`;
  })
  .join('|');

function toCountries(length: number): string {
  const some = Object.keys(banks).filter((country) => banks[country] === length);
  return some.map((country) => country.toLowerCase().split('').join(' ?')).join('|');
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
  pattern: () => patternOfIbans,
  fixedPoints: () => 1e-6,
  produces: (value, params) => {
    if (params['space'] === 'format') return true;
    const text = new Uint8Array(MOST);
    const length = readIban(value, 0, value.length, text, 0);
    if (length < 0 || toIbanDigits(text, length) !== toCheck(text, 0)) return false;
    const banked = text.slice();
    putBank(banked, 0);
    return Buffer.compare(banked, text) === 0;
  },
  misfit: (type) => ((type.length ?? LEAST) < LEAST ? `an IBAN does not fit ${type.display}` : undefined),
  laws: (params) => [
    { law: 'check-digits', of: 'iban', as: params['space'] === 'format' ? 'original' : 'valid' },
    {
      law: 'characters',
      become: [
        ['[0-9]', '[0-9]'],
        ['[A-Za-z]', '[A-Z]'],
      ],
    },
    { law: 'beginning', length: 2 },
  ],
  plain: true,
  prepare: ({ params, encryptBlocks }) => {
    const permutation = new CharacterPermutation(encryptBlocks);
    const banks = kernel().keep(bankLengths);
    let texts = emptyTexts(0);
    return (column, context, out) => {
      if (params['space'] === 'reserved') return drawAccounts(encryptBlocks, banks, column, context);
      const { rows, bytes, starts, ends } = column;
      if (texts.froms.length < rows) texts = emptyTexts(2 * rows);
      for (let row = 0; row < rows; row++) {
        const end = ends[row] as number;
        const stop = end === -1 ? -1 : readIban(bytes, starts[row] as number, end, texts.bytes, MOST * row);
        if (stop === -1 && end !== -1) context.refuse(row);
        texts.stops[row] = stop;
      }
      permuteAccounts(permutation, texts, rows);
      writeAll(column, texts.bytes, out);
      return out;
    };
  },
});

/** The IBANs of a batch: number i begins at `MOST · i`, its BBAN at `froms[i]`, and it ends at `stops[i]`, -1 for NULL. */
interface Texts {
  readonly bytes: Uint8Array;
  readonly froms: Int32Array;
  readonly stops: Int32Array;
}

function emptyTexts(rows: number): Texts {
  return {
    bytes: new Uint8Array(MOST * rows),
    froms: Int32Array.from({ length: rows }, (_, row) => MOST * row + 4),
    stops: new Int32Array(rows),
  };
}

function permuteAccounts(permutation: CharacterPermutation, { bytes, froms, stops }: Texts, rows: number): void {
  const distances = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const stop = stops[row] as number;
    if (stop !== -1) distances[row] = toCheck(bytes, MOST * row) - toIbanDigits(bytes, stop, MOST * row) + 100;
  }
  permutation.permute(bytes, froms, stops, rows);
  for (let row = 0; row < rows; row++) {
    const stop = stops[row] as number;
    if (stop !== -1) putCheck(bytes, MOST * row, (toIbanDigits(bytes, stop, MOST * row) + (distances[row] as number)) % 100);
  }
}

/** Character k of the BBAN takes 32 bits of AES(draw ⊕ (k >> 2)), as drawCharacters has it; for the characters of the bank nothing is drawn. */
function drawAccounts(encryptBlocks: EncryptBlocks, banks: number, column: Column, context: ApplyContext): Column {
  const memory = kernel();
  const { calls } = memory;
  const { rows, startsAt, endsAt } = memory.toMemory(column);
  const draws = memory.addressOf(context.draw());
  const texts = memory.take(MOST * rows + 16);
  const stops = memory.take(4 * rows);
  const refused = calls.readIbans(startsAt, endsAt, rows, texts, stops);
  if (refused < 0) context.refuse(-1 - refused);
  const blocks = memory.take(16 * rows * (MOST >> 2));
  const used = calls.packIbans(stops, rows, draws, texts, banks, blocks);
  if (used > 0) memory.bytes.set(encryptBlocks(memory.bytes.subarray(blocks, blocks + used)), blocks);
  return memory.write(rows, (...to) => calls.writeIbans(startsAt, endsAt, rows, texts, stops, blocks, banks, ...to), context.refuse);
}

/** The IBANs with spaces where the original ones had them. */
function writeAll({ rows, bytes, starts, ends }: Column, texts: Uint8Array, out: ColumnWriter): void {
  for (let row = 0; row < rows; row++) {
    const start = starts[row] as number;
    const end = ends[row] as number;
    if (end === -1) {
      out.null(row);
      continue;
    }
    out.reserve(end - start);
    const to = out.bytes;
    let at = out.length;
    for (let i = start, from = MOST * row; i < end; i++) to[at++] = bytes[i] === 0x20 ? 0x20 : (texts[from++] as number);
    out.end(row, at);
  }
}
