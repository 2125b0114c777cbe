// What in a text can be no fake of ours: an e-mail address outside of the names that nobody can register, a card number outside of the test prefixes, an
// account at a bank that exists, a number of an area that was issued. It finds what somebody loaded by hand; that it finds nothing proves nothing.
import { isIban, isPan } from './classify/classify.js';
import { isReservedDomain } from './mask/mask.js';

export const rawKinds = ['email', 'pan', 'iban', 'ssn'] as const;
export type RawKind = (typeof rawKinds)[number];

const emails = /[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8})/g;
const pans = /(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])/g;
const ibans = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![A-Za-z0-9])/g;
const ssns = /(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/;
const testPans = /^(411111|555555|378282|601111|999999)/;
/** Country and check digits, then a bank identifier of zeros, or TEST where it is of letters. */
const testIbans = /^[A-Z]{2}\d{2}(00|TEST)/;

/** Anything that a text must have in it to be worth a closer look. */
const worth = /@|\d{3}-\d{2}-\d{4}|\d(?:[ -]?\d){12}|[A-Z]{2}\d{2}[ A-Z0-9]{11}/;

export const isWorthALook = (text: string): boolean => worth.test(text);

/** Linear in the text's length. */
export function findRaw(text: string): readonly RawKind[] {
  if (!isWorthALook(text)) return [];
  const found: RawKind[] = [];
  if ([...text.matchAll(emails)].some(([, domain = '']) => !isReservedDomain(domain))) found.push('email');
  if ([...text.matchAll(pans)].some(([one]) => isPan(one) && !testPans.test(one.replace(/[ -]/g, '')))) found.push('pan');
  if ([...text.matchAll(ibans)].some(([one]) => isIban(one) && !testIbans.test(one.replaceAll(' ', '')))) found.push('iban');
  if (ssns.test(text)) found.push('ssn');
  return found;
}
