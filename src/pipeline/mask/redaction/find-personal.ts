// Finds what can be found in free text: e-mail addresses, account and card numbers with valid check digits, phone-like digits, and what the row's other
// columns say of its person. Best effort: a name that no column holds, an address, a nickname stay. All expressions are bounded, so time grows with the text only.
import { toIbanDigits, toLuhnDigit } from '../../check-digits.js';

export type FoundKind = 'known' | 'email' | 'iban' | 'pan' | 'phone';

export interface Found {
  readonly kind: FoundKind;
  readonly start: number;
  readonly end: number;
  /** For `known`: what stands there instead. */
  readonly replacement?: string;
}

/** What the row says of its person, original and masked. */
export interface Known {
  readonly original: string;
  readonly masked: string;
}

const emails = /[\p{L}\p{N}._%+'-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,6}/gu;
const ibans = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])/g;
// Digits of every script, and what stands between them in writing of full width.
const numbers =
  /(?<!\p{Nd})[+\uff0b]?[(\uff08]?\p{Nd}(?:[ ()./\-\u2010-\u2015\u2212\u3000\uff08\uff09\uff0d-\uff0f]{0,2}\p{Nd}){6,18}(?!\p{Nd})/gu;
const dates = /^(\d{4}-\d\d-\d\d|\d\d[./-]\d\d[./-]\d{4}|\d{8})$/;
const wordCharacter = /[\p{L}\p{N}]/u;
/** Scripts that write without spaces, or put particles to a name: there a name has no border. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Arabic}\p{Script=Hebrew}]/u;

/** All finds in order, none overlapping another; the row's own words win over patterns, longer ones over shorter. */
export function findPersonal(text: string, known: readonly Known[]): Found[] {
  const found: Found[] = [];
  const add = (one: Found): void => {
    if (!found.some((other) => one.start < other.end && other.start < one.end)) found.push(one);
  };
  const lower = toLower(text);
  for (const { original, masked } of [...known].sort((a, b) => b.original.length - a.original.length)) {
    const sought = toLower(original);
    for (let at = lower.indexOf(sought); at >= 0; at = lower.indexOf(sought, at + sought.length)) {
      const end = at + sought.length;
      const before = isInWord(toCharacterBefore(text, at), String.fromCodePoint(text.codePointAt(at) as number));
      const after = isInWord(toCharacterBefore(text, end), String.fromCodePoint(text.codePointAt(end) ?? 0x20));
      if (!before && !after) add({ kind: 'known', start: at, end, replacement: masked });
    }
  }
  for (const { 0: match, index } of text.matchAll(emails)) add({ kind: 'email', start: index, end: index + match.length });
  for (const { 0: match, index } of text.matchAll(ibans)) {
    const length = toIbanLength(match);
    if (length > 0) add({ kind: 'iban', start: index, end: index + length });
  }
  for (const { 0: match, index } of text.matchAll(numbers)) {
    const plain = toPlainDigits(match);
    if (dates.test(plain)) continue;
    const digits = plain.replace(/\D/g, '');
    add({ kind: isPan(digits) ? 'pan' : 'phone', start: index, end: index + match.length });
  }
  return found.sort((a, b) => a.start - b.start);
}

/** Do two characters beside each other belong to one word? */
function isInWord(one: string, next: string): boolean {
  return wordCharacter.test(one) && wordCharacter.test(next) && !(unspaced.test(one) || unspaced.test(next));
}

/** Whether a part of a name that has so few characters is looked for by itself. */
export function isToldAlone(word: string): boolean {
  return [...word].length > (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u.test(word) ? 1 : 2);
}

/** Digits of every script as those of ASCII; all else stays. */
export function toPlainDigits(text: string): string {
  return text.replace(/(?![0-9])\p{Nd}/gu, (sign) => {
    // Unicode keeps the ten digits of a script together, in their order, from 0 on.
    let before = 0;
    for (let code = (sign.codePointAt(0) as number) - 1; /\p{Nd}/u.test(String.fromCodePoint(code)); code--) before++;
    return String(before % 10);
  });
}

/** Character by character where the whole would be longer, as of İ: places in the text have to stay. */
function toLower(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from(text, (sign) => (sign.toLowerCase().length === sign.length ? sign.toLowerCase() : sign)).join('');
}

function toCharacterBefore(text: string, at: number): string {
  return at === 0 ? ' ' : /[\udc00-\udfff]/.test(text[at - 1] as string) ? text.slice(at - 2, at) : (text[at - 1] as string);
}

function isPan(digits: string): boolean {
  if (digits.length < 13) return false;
  const values = Uint8Array.from(digits, Number);
  return toLuhnDigit(values, values.length - 1) === values[values.length - 1];
}

/** How much of the match is an IBAN: the longest beginning whose check digits are right; words after it may have been matched too. */
function toIbanLength(match: string): number {
  for (let length = match.length; length >= 15; length--) {
    if (/[A-Za-z0-9]/.test(match[length] ?? ' ') || match[length - 1] === ' ') continue;
    const text = Buffer.from(match.slice(0, length).replace(/ /g, '').toUpperCase());
    if (text.length >= 15 && text.length <= 34 && toIbanDigits(text, text.length) === Number(text.subarray(2, 4).toString())) return length;
  }
  return 0;
}
