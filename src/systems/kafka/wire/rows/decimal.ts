// A numeric of a declared scale as the unscaled number in two's complement, highest byte first, and back: Connect's Decimal and Avro's decimal.

/** Undefined: not of that scale, or not a number at all (NaN, infinity). */
export function toUnscaled(text: string, scale: number): Buffer | undefined {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === '' || fraction.length !== scale) return undefined;
  const value = BigInt(sign + whole + fraction);
  // The server prints no negative zero.
  if (sign !== '' && value === 0n) return undefined;
  let size = 1;
  while (BigInt.asIntN(8 * size, value) !== value) size++;
  return Buffer.from(
    BigInt.asUintN(8 * size, value)
      .toString(16)
      .padStart(2 * size, '0'),
    'hex',
  );
}

export function fromUnscaled(bytes: Uint8Array, scale: number): string {
  const value = BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`));
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  const sign = value < 0n ? '-' : '';
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
