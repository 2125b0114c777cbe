// Check digits: what tells a card, account or identity number from any other number.

/** ISO/IEC 7812-1 annex B. Digits only. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    sum += i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return digits.length > 1 && sum % 10 === 0;
}

/** ISO 13616: country, two check digits and the account; letters count as 10 to 35, and the whole is 1 modulo 97. Capitals, no spaces. */
export function passesIban(text: string): boolean {
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(text)) return false;
  let rest = 0;
  for (const char of text.slice(4) + text.slice(0, 4)) {
    const value = parseInt(char, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

/** The weighted sum of digits: weights[i] × digit[i]. */
function weigh(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * (digits.charCodeAt(i) - 48), 0);
}

/** Poland: 11 digits, the first six a day of birth with the century in the month. */
export function passesPesel(digits: string): boolean {
  if (!/^\d{11}$/.test(digits)) return false;
  const month = Number(digits.slice(2, 4)) % 20;
  const day = Number(digits.slice(4, 6));
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && weigh(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;
}

/** Spain: DNI and NIE, a number with the letter of its remainder by 23. */
export function passesDni(text: string): boolean {
  if (!/^[0-9XYZ]\d{7}[A-Z]$/.test(text)) return false;
  const number = Number(text.slice(0, 8).replace(/^[XYZ]/, (first) => String('XYZ'.indexOf(first))));
  return text[8] === 'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23];
}

/** France: NIR, 13 digits (2A and 2B are Corsica) and a key of two. */
export function passesNir(text: string): boolean {
  if (!/^[1-478]\d{4}(?:\d{2}|2[AB])\d{8}$/.test(text)) return false;
  const number = Number(text.slice(0, 13).replace('2A', '19').replace('2B', '18'));
  return 97 - (number % 97) === Number(text.slice(13));
}

/** Germany: tax number of 11 digits, ISO 7064 MOD 11,10. */
export function passesTaxIdOfGermany(digits: string): boolean {
  if (!/^[1-9]\d{10}$/.test(digits)) return false;
  let product = 10;
  for (let i = 0; i < 10; i++) {
    const sum = (digits.charCodeAt(i) - 48 + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === digits.charCodeAt(10) - 48;
}

/** Netherlands: BSN of 9 digits, the eleven-test. */
export function passesBsn(digits: string): boolean {
  return /^\d{9}$/.test(digits) && digits !== '000000000' && weigh(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;
}
