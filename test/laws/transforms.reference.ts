// Slow twins of the transforms that write bytes in loops: strings, BigInt, Date and split, straight from the sentences that describe them.
// `draw` is the row's 16 bytes. Of src/ only the place of the word tables is used.
import { readFileSync } from 'node:fs';
import { packageFile } from '../../src/kernel/package-root.js';

/** `encrypt`: AES-256 of one block under the rule's `cipher` key. */
export type Reference = (value: string, draw: Uint8Array, encrypt: (block: Uint8Array) => Uint8Array) => string;

const tables = new Map<string, string[]>();
function words(name: string): string[] {
  const table =
    tables.get(name) ??
    readFileSync(packageFile('src', 'pipeline', 'mask', 'words', `${name}.txt`), 'utf8')
      .trimEnd()
      .split('\n');
  tables.set(name, table);
  return table;
}
const places = words('places').map((line) => line.split('|'));
const bigEndian = (draw: Uint8Array, at: number): bigint => BigInt(`0x${Buffer.from(draw.subarray(at, at + 4)).toString('hex')}`);
const below = (draw: Uint8Array, at: number, count: number): number => Number((bigEndian(draw, at) * BigInt(count)) >> 32n);
const pick = (list: readonly string[], draw: Uint8Array, at: number): string => list[below(draw, at, list.length)] as string;

function token(draw: Uint8Array): string {
  const bits = [...draw].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = [bits.slice(0, 4), ...Array.from({ length: 13 }, (_, i) => bits.slice(4 + 5 * i, 9 + 5 * i))];
  return groups.map((group) => 'abcdefghijklmnopqrstuvwxyz234567'[parseInt(group, 2)]).join('');
}

function street(draw: Uint8Array): string {
  const [code = ''] = places[below(draw, 0, places.length)] ?? [];
  const name = pick(words(`streets-${['CA', 'GB', 'US'].includes(code) ? 'en' : code.toLowerCase()}`), draw, 4);
  const number = 1 + below(draw, 8, 199);
  return ['CA', 'FR', 'GB', 'US'].includes(code) ? `${number} ${name}` : `${name} ${number}`;
}

function postcode(draw: Uint8Array): string {
  let left = bigEndian(draw, 12);
  const take = (count: bigint): number => {
    const taken = Number(left % count);
    left /= count;
    return taken;
  };
  const pattern = places[below(draw, 0, places.length)]?.[5] ?? '';
  return pattern.replace(/[#?]/g, (free) => (free === '#' ? String(take(10n)) : String.fromCharCode(65 + take(26n))));
}

function phone(draw: Uint8Array): string {
  return `+1-${200 + below(draw, 0, 800)}-555-01${String(below(draw, 4, 100)).padStart(2, '0')}`;
}

function dateOfBirth(value: string, draw: Uint8Array): string {
  const cohort = Math.floor(Number(value.slice(0, 4)) / 5) * 5;
  const [from, to] = [Date.UTC(cohort, 0, 1), Date.UTC(cohort + 5, 0, 1)];
  const day = below(draw, 0, (to - from) / 86_400_000);
  return new Date(from + day * 86_400_000).toISOString().slice(0, 10);
}

function dateShift(value: string, draw: Uint8Array): string {
  const moves = Array.from({ length: 365 }, (_, i) => i - 182).filter((move) => move !== 0);
  const move = moves[below(draw, 0, moves.length)] as number;
  return new Date(Date.parse(`${value.slice(0, 10)}T00:00:00Z`) + move * 86_400_000).toISOString().slice(0, 10) + value.slice(10);
}

/** Marsaglia's xorshift128, in the unsigned arithmetic of his paper: each call one step, all 32 bits. */
function xorshift(draw: Uint8Array): () => bigint {
  let [x, y, z, w] = [0, 4, 8, 12].map((at) => BigInt(Buffer.from(draw).readUInt32LE(at))) as [bigint, bigint, bigint, bigint];
  w |= 1n;
  return () => {
    let t = (x ^ (x << 11n)) & 0xffffffffn;
    t ^= t >> 8n;
    [x, y, z, w] = [y, z, w, w ^ (w >> 19n) ^ t];
    return w;
  };
}

const ofByte = (byte: bigint, alphabet: string): string => alphabet[Number((byte * BigInt(alphabet.length)) >> 8n)] as string;
const ofHalf = (half: bigint, alphabet: string): string => alphabet[Number((half * BigInt(alphabet.length)) >> 16n)] as string;

/** ASCII that is no letter or digit, and beyond it spaces and punctuation of Latin-1, General Punctuation and CJK; any other character counts as a letter. */
const keptClass =
  '\\0-\\/:-@\\[-`\\{-\\x7f\\u00a0\\u00a1\\u00a7\\u00ab\\u00b7\\u00bb\\u00bf\\u2000-\\u206f\\u20ac\\u3000-\\u3004\\u3008-\\u3011';
const wordPattern = new RegExp(`[0-9]+|[^0-9${keptClass}]+`, 'gu');

function replace(value: string, draw: Uint8Array): string {
  const next = xorshift(draw);
  return value.replace(wordPattern, (word) => {
    const steps = [...word].map(() => next());
    const turn = /^[0-9]/.test(word) ? ['0123456789', '0123456789'] : ['bcdfghjklmnprstvwz', 'aeiou'];
    const first = Number((steps[0] as bigint) & 1n);
    const drawn = steps.map((step, i) => ofByte(step >> 24n, turn[(first + i) % 2] as string));
    const output = drawn.map((each, i) => (/[A-Z]/.test([...word][i] as string) ? each.toUpperCase() : each)).join('');
    if (output !== word) return output;
    const last = output.at(-1) as string;
    const alphabet = ['0123456789', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz'].find((each) =>
      each.includes(last),
    ) as string;
    const at = alphabet.indexOf(last);
    return output.slice(0, -1) + ofHalf((steps.at(-1) as bigint) & 0xffffn, alphabet.slice(at + 1) + alphabet.slice(0, at));
  });
}

/** The digits of `text` become those of `digits`, from the left. */
function putDigits(text: string, digits: string): string {
  const left = [...digits];
  return text.replace(/[0-9]/g, () => left.shift() as string);
}

function nationalId(value: string, draw: Uint8Array): string {
  const area = ['000', '666'][below(draw, 4, 2)] as string;
  return putDigits(value, area + String(below(draw, 0, 1_000_000)).padStart(6, '0'));
}

const testPrefixes: readonly (readonly [RegExp, string])[] = [
  [/^4/, '411111'],
  [/^(5[1-5]|2[2-7])/, '555555'],
  [/^3[47]/, '378282'],
  [/^6/, '601111'],
  [/^/, '999999'],
];

function pan(value: string, draw: Uint8Array): string {
  const digits = value.replace(/[ -]/g, '');
  const [, prefix = ''] = testPrefixes.find(([pattern]) => pattern.test(digits)) as readonly [RegExp, string];
  const drawn = (bigEndian(draw, 0) << 16n) | (bigEndian(draw, 4) >> 16n);
  const before =
    prefix +
    drawn
      .toString()
      .padStart(20, '0')
      .slice(-(digits.length - 7));
  const luhn = (last: number): number =>
    [...`${before}${last}`]
      .reverse()
      .reduce((sum, digit, i) => sum + [...String(Number(digit) * (1 + (i % 2)))].reduce((a, b) => a + Number(b), 0), 0);
  const last = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].find((each) => luhn(each) % 10 === 0) as number;
  return putDigits(value, `${before}${last}`);
}

const bankLengths: Readonly<Record<string, number>> = { DE: 8, FR: 5, NO: 4, GB: 4, CY: 3 };

function iban(value: string, draw: Uint8Array, encrypt: (block: Uint8Array) => Uint8Array): string {
  const text = value.replaceAll(' ', '').toUpperCase();
  const country = text.slice(0, 2);
  const bank = bankLengths[country] as number;
  const bban = [...text.slice(4)].map((character, k) => {
    const letter = /[A-Z]/.test(character);
    if (k < bank) return letter ? 'TEST'[k % 4] : '0';
    const block = Uint8Array.from(draw, (byte, i) => (i === 15 ? byte ^ (k >> 2) : byte));
    const number = Number(bigEndian(encrypt(block), 4 * (k % 4)));
    return letter ? String.fromCharCode(65 + (number % 26)) : String(number % 10);
  });
  const numerals = [...`${bban.join('')}${country}00`].map((character) => parseInt(character, 36)).join('');
  const masked = [...country, ...String(98n - (BigInt(numerals) % 97n)).padStart(2, '0'), ...bban];
  return value.replace(/[^ ]/g, () => masked.shift() as string);
}

function ip(value: string, draw: Uint8Array): string {
  const index = below(draw, 0, 131_840);
  const first = [0xc0000200, 0xc6336400, 0xcb007100];
  const rest = index - 131_072;
  const address = rest < 0 ? 0xc6120000 + index : (first[Math.floor(rest / 256)] as number) + (rest % 256);
  const dotted = address
    .toString(16)
    .padStart(8, '0')
    .replace(/../g, (part) => `.${parseInt(part, 16)}`)
    .slice(1);
  return value.replace(/^[^/]+/, dotted);
}

export const references: Readonly<Record<string, Reference>> = {
  city: (_, draw) => places[below(draw, 0, places.length)]?.[4] ?? '',
  company: (_, draw) =>
    `${pick(words('last-names'), draw, 0)} & ${pick(words('last-names'), draw, 4)} ${pick(words('company-suffixes'), draw, 8)}`,
  country: (_, draw) => places[below(draw, 0, places.length)]?.[1] ?? '',
  'date-of-birth': dateOfBirth,
  'date-shift': dateShift,
  email: (_, draw) => `${token(draw)}@example.com`,
  'first-name': (_, draw) => pick(words('first-names'), draw, 0),
  'full-name': (_, draw) => `${pick(words('first-names'), draw, 0)} ${pick(words('last-names'), draw, 4)}`,
  'house-number': (_, draw) => String(1 + below(draw, 8, 199)),
  iban,
  ip,
  'last-name': (_, draw) => pick(words('last-names'), draw, 4),
  'national-id': nationalId,
  pan,
  phone: (_, draw) => phone(draw),
  postcode: (_, draw) => postcode(draw),
  region: (_, draw) => places[below(draw, 0, places.length)]?.[2] ?? '',
  replace,
  street: (_, draw) => street(draw),
  truncate: (value) => [...value].slice(0, 1).join(''),
  url: (_, draw) => `https://${token(draw)}.example.com/`,
  username: (_, draw) => token(draw),
};
