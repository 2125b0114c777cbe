// hot path: check digits of card numbers (Luhn, ISO/IEC 7812-1 annex B) and account numbers (mod 97-10, ISO 13616 and ISO/IEC 7064).

/** The digit that makes `digits[from .. to)` valid when it is put after them. */
export function toLuhnDigit(digits: ArrayLike<number>, to: number, from = 0): number {
  let sum = 0;
  for (let i = to - 1, double = true; i >= from; i--, double = !double) {
    const digit = digits[i] as number;
    sum += double ? (digit > 4 ? 2 * digit - 9 : 2 * digit) : digit;
  }
  return (10 - (sum % 10)) % 10;
}

/** Remainder by 97 of upper-case ASCII letters (A = 10 … Z = 35) and digits read as one number, after `before`. */
export function toMod97(text: Uint8Array, from: number, to: number, before = 0): number {
  let rest = before;
  for (let i = from; i < to; i++) {
    const code = text[i] as number;
    rest = code < 0x41 ? rest * 10 + code - 0x30 : rest * 100 + code - 0x37;
    // Divided only when the next step might leave 31 bits.
    if (rest > 20_000_000) rest %= 97;
  }
  return rest % 97;
}

/** The two check digits of the IBAN `iban[from .. to)`, as a number from 2 to 98: country and BBAN in upper case with any two bytes between. */
export function toIbanDigits(iban: Uint8Array, to: number, from = 0): number {
  return 98 - ((toMod97(iban, from, from + 2, toMod97(iban, from + 4, to)) * 100) % 97);
}
