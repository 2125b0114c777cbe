// What in a text can be no fake of ours: an e-mail address outside of the names that nobody can register, a card number outside of the test prefixes, an
// account at a bank that exists, a number of an area that was issued. It finds what somebody loaded by hand; that it finds nothing proves nothing.
import { isIban, isPan } from './classify/classify.js';
import { isReservedDomain } from './mask/mask.js';

export const rawKinds = ['email', 'pan', 'iban', 'ssn'] as const;
export type RawKind = (typeof rawKinds)[number];

/** Before and behind an @. */
const local = /[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]/;
const domain = /[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/y;
const pans = /(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])/g;
const ibans = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![A-Za-z0-9])/g;
const ssns = /(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/g;
/** With the separators that a card number may be written with. */
const testPans = /^(4[ -]?(1[ -]?){5}|(5[ -]?){6}|3[ -]?7[ -]?8[ -]?2[ -]?8[ -]?2|6[ -]?0[ -]?(1[ -]?){4}|(9[ -]?){6})/;
/** Country and check digits, then a bank identifier of zeros, or TEST where it is of letters. */
const testIbans = /^[A-Z]{2}\d{2} ?(0 ?0|T ?E ?S ?T)/;

/**
 * Each one in a text of any length, with the place where it begins; tab and line feed end every value. Linear in the text's length. What a fake looks
 * like is asked before check digits are: nearly everything in a masked copy is one.
 */
export function findRaw(text: string, found: (at: number, kind: RawKind) => void): void {
  for (let at = text.indexOf('@', 1); at > 0; at = text.indexOf('@', at + 1)) {
    domain.lastIndex = at + 1;
    if (local.test(text[at - 1]!) && domain.test(text) && !isReservedDomain(text.slice(at + 1, domain.lastIndex))) found(at - 1, 'email');
  }
  for (const { 0: one, index } of text.matchAll(pans)) if (!testPans.test(one) && isPan(one)) found(index, 'pan');
  for (const { 0: one, index } of text.matchAll(ibans)) if (!testIbans.test(one) && isIban(one)) found(index, 'iban');
  for (const { index } of text.matchAll(ssns)) found(index, 'ssn');
}
