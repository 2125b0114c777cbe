// Check digits as the standards have them, one number at a time.

/** How far the last digit is from the one that Luhn's rule (ISO/IEC 7812-1 annex B) asks for; undefined: no digits. */
export function fromLuhn(text: string): number | undefined {
  const digits = [...text.replace(/\D/g, '')].reverse().map(Number);
  if (digits.length < 2) return undefined;
  const sum = digits.slice(1).reduce((so, digit, i) => so + (i % 2 === 1 ? digit : digit > 4 ? 2 * digit - 9 : 2 * digit), 0);
  return ((digits[0] as number) + sum) % 10;
}

/** How far the two digits after the country are from those that mod 97-10 asks for (ISO 13616); undefined: no IBAN by its shape. */
export function fromMod97(text: string): number | undefined {
  const iban = text.replace(/ /g, '').toUpperCase();
  if (!/^[A-Z]{2}\d\d[A-Z0-9]{10,30}$/.test(iban)) return undefined;
  const number = [...`${iban.slice(4)}${iban.slice(0, 2)}00`]
    .map((sign) => (/\d/.test(sign) ? sign : String(sign.charCodeAt(0) - 55)))
    .join('');
  const right = 98 - Number(BigInt(number) % 97n);
  return (Number(iban.slice(2, 4)) - right + 100) % 100;
}
