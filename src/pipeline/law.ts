// What a transform promises of each output, beside that no original is in it: mask declares it as data, and verify holds a sample of the copy to
// it with code of its own. Texts are as the server prints them; char(n) is looked at without its padding.

export type Law =
  /**
   * Luhn's digit (ISO/IEC 7812-1) is the last one, or the two after the country are those of mod 97-10 (ISO 13616); or as far from right as the
   * original's; or, of a token, five away from Luhn's, so that nobody takes it for a card number.
   */
  | { readonly law: 'check-digits'; readonly of: 'luhn' | 'iban'; readonly as: 'valid' | 'original' | 'token' }
  /** The whole output, as a JavaScript regular expression with the flag u; `what` says it in words. */
  | { readonly law: 'form'; readonly form: string; readonly what: string }
  /** As many characters, each of one class become one of the other (JavaScript's, flag u). The first line that fits counts; what fits none stayed. */
  | { readonly law: 'characters'; readonly become: readonly (readonly [from: string, to: string])[] }
  /** The first characters stayed, whatever their case. */
  | { readonly law: 'beginning'; readonly length: number }
  /** The first characters, and nothing else. */
  | { readonly law: 'cut'; readonly length: number }
  /** One of these phrases. Outputs for one person that name the same label agree on it; `agree`: on the phrase's number. */
  | { readonly law: 'words'; readonly phrases: readonly Phrase[]; readonly agree?: string }
  /** The domain of an address, of mail or the web, is one that reaches nobody (RFC 2606, RFC 6761). */
  | { readonly law: 'reserved-domain' }
  /** The address is of one of these networks, of the original's family and with its mask. */
  | { readonly law: 'network'; readonly networks: readonly string[] }
  /** A hash in the scheme of the original, with its costs. */
  | { readonly law: 'stored-password' }
  | { readonly law: 'text'; readonly text: string }
  | { readonly law: 'null' }
  | { readonly law: 'unchanged' }
  /** A whole number of the same sign and as many digits. */
  | { readonly law: 'magnitude' }
  /** A number of the same sign and decimals, no further away than this share of the original. */
  | { readonly law: 'near'; readonly ratio: number }
  /** The beginning of the original's band. */
  | { readonly law: 'band'; readonly width: number }
  /** The beginning of the unit that the original lies in. */
  | { readonly law: 'period'; readonly unit: Unit }
  /** A day of the same years, counted from 0 in steps; a time became midnight. */
  | { readonly law: 'cohort'; readonly years: number }
  /** Another day, no further away; the time of day stayed. */
  | { readonly law: 'moved'; readonly days: number };

export type Unit = 'century' | 'decade' | 'lustrum' | 'year' | 'quarter' | 'month' | 'day' | 'hour' | 'minute' | 'second';

/** Parts in their order. MUST be the same object where it is the same phrase: it is looked at once. */
export type Phrase = readonly Part[];
export type Part =
  | { readonly text: string }
  /** One of these; `is`: the label that it is known by. */
  | { readonly words: readonly string[]; readonly is?: string }
  /** A whole number from 1 on. */
  | { readonly most: number; readonly is?: string }
  /** `#` a digit, `?` a capital, anything else itself. */
  | { readonly shape: string };
