// Numbers of payment cards and bank accounts: form and check digits.
import { passesIban, passesLuhn } from './check-digits.js';
import type { Detector } from './detector.js';

const panInText = /(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])/g;
const ibanInText = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}/g;

/** Issuer prefixes of the large networks, with their lengths. */
const networks: readonly (readonly [prefix: RegExp, lengths: readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))/, [16]],
  [/^3[47]/, [15]],
  [/^(?:6011|64[4-9]|65|622)/, [16, 17, 18, 19]],
  [/^(?:30[0-5]|3[689])/, [14, 15, 16, 17, 18, 19]],
  [/^35(?:2[89]|[3-8])/, [16, 17, 18, 19]],
  [/^(?:5018|5020|5038|5893|6304|6759|676[1-3])/, [13, 14, 15, 16, 17, 18, 19]],
  [/^62/, [16, 17, 18, 19]],
];

export function isPan(value: string): boolean {
  if (!/^\d(?:[ -]?\d){12,18}$/.test(value)) return false;
  const digits = value.replace(/[ -]/g, '');
  return networks.some(([prefix, lengths]) => prefix.test(digits) && lengths.includes(digits.length)) && passesLuhn(digits);
}

export function isIban(value: string): boolean {
  return passesIban(value.replaceAll(' ', '').toUpperCase());
}

/** A match runs on into the next word in capitals: the account may end at any group of it. */
function holdsIban(found: string): boolean {
  const text = found.replaceAll(' ', '');
  for (let length = text.length; length >= 15; length--) if (passesIban(text.slice(0, length))) return true;
  return false;
}

export const money: readonly Detector[] = [
  {
    rule: 'content/pan',
    tag: 'pci.pan',
    kinds: ['text', 'number'],
    confidence: 0.97,
    matches: isPan,
    isIn: (text) => [...text.matchAll(panInText)].some(([found]) => isPan(found)),
  },
  {
    rule: 'content/iban',
    tag: 'pii.iban',
    kinds: ['text'],
    confidence: 0.98,
    matches: isIban,
    isIn: (text) => [...text.matchAll(ibanInText)].some(([found]) => holdsIban(found)),
  },
];
